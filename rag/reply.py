"""What a chat model writes, piece by piece -> sentences with the numbers of the evidence they rest on.

Whatever a model does with form is put right here: half marks are held back until they are whole, other styles of
citation become ours, numbers that no evidence has are dropped, reasoning, markup and addresses are taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rag.text import sentences


class Drafted(NamedTuple):
    """A sentence as the model wrote it, without marks or markup; the evidence that it names (from 1)."""

    text: str
    evidence: tuple[int, ...]


_NUMBER = r"(?:(?:[Ee]videnc(?:e|ia)|[Ff]uente|[Ss]ource|[Ee]|[Kk])[\s:#.-]?)?\d{1,3}"
_LETTERED = r"(?:(?:[Ee]videnc(?:e|ia)|[Ff]uente|[Ss]ource|[Ee]|[Kk])[\s:#.-]?)\d{1,3}"
_MORE = rf"(?:\s*(?:[,;/&+]|and|y|to|a|-|–)?\s*{_NUMBER})*"
_LABEL = r"\^?\s*(?:(?:sources?|fuentes?|evidenc(?:e|ia)|refs?|ids?|see|ver|cit(?:e|a))\.?:?\s*)?"
_MARK = re.compile(
    rf"[\[【⟦]+{_LABEL}({_NUMBER}{_MORE})\s*(?:†[^\]】⟧]*)?[\]】⟧]+(?!\()"
    rf"|[(<]{_LABEL}({_LETTERED}{_MORE})\s*[)>]"
    r"|<sup>\s*(?:<a[^>]*>)?\[?(\d{1,3})\]?(?:</a>)?\s*</sup>"
    rf"|(?<=[\s.,;])({_LETTERED}(?:\s*,\s*{_LETTERED})*)(?=\s*[.;]?\s*(?:\n|$))"
)
_RANGE = re.compile(r"(\d{1,3})\s*[-–]\s*[EeKk]?(\d{1,3})")
_AFTER_STOP = re.compile(r"([.!?…]+[\"'”’»)]*)[ \t]*((?:⟦[^⟧]*⟧[ \t]*)+)")
_CANONICAL = re.compile(r"\s*⟦([\d,]*)⟧")
_THINKING = re.compile(
    r"<(think|thinking|thought|reasoning|analysis|scratchpad)>.*?</\1>\s*", re.DOTALL | re.IGNORECASE
)
_THINKING_OPEN = re.compile(r"<(?:think|thinking|thought|reasoning|analysis|scratchpad)>", re.IGNORECASE)
_THINKING_ONLY_CLOSED = re.compile(
    r"\A.*</(?:think|thinking|thought|reasoning|analysis|scratchpad)>\s*", re.DOTALL | re.IGNORECASE
)
_HALF = re.compile(r"[\[(【⟦<!][^\]】⟧)>\n]{0,60}\Z|\b(?:[Ee]videncia?|[Ee])?\d{0,3}\Z(?<=\S)")
_ENDS = re.compile(r"(?:[.!?…:][\"'”’»)]*|⟦[\d,]*⟧)\s*\Z")
_CLOSED = re.compile(r"⟦[\d,]*⟧[.!?…]+")
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)?|\[[^\]]*\])?")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_TAG = re.compile(r"</?[A-Za-z!][^>]{0,300}>?|<!--.*?(?:-->|\Z)", re.DOTALL)
_EMPHASIS = re.compile(r"(?<!\w)[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?!\w)|`{1,3}|^\s*#{1,6}\s+")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad\U000e0000-\U000e007f]")
_LONGEST = 20_000  # characters without a sentence in them


class Sentences:
    """Takes the pieces of a reply and gives its sentences, each as soon as it is whole."""

    def __init__(self, evidence: int) -> None:
        self._count = evidence
        self._text = ""

    def feed(self, piece: str) -> list[Drafted]:
        """Take a piece; the sentences that it completed."""
        self._text += _INVISIBLE.sub("", piece).replace("\r", "")
        return list(self._take(over=False))

    def end(self) -> list[Drafted]:
        """The last sentences, if they end as sentences do: what was cut off is left out."""
        return list(self._take(over=True))

    @property
    def waiting(self) -> int:
        """How many characters wait for the end of their sentence."""
        return len(self._text)

    def _take(self, *, over: bool) -> Iterator[Drafted]:
        text = _THINKING.sub("", self._text)
        text = _THINKING_ONLY_CLOSED.sub("", text)
        thinking = _THINKING_OPEN.search(text)
        held = ""
        if thinking:
            text, held = text[: thinking.start()], text[thinking.start() :]
        elif not over:
            half = _HALF.search(text[-80:])
            if half:
                at = len(text) - len(text[-80:]) + half.start()
                text, held = text[:at], text[at:]
        text = self._marked(text)
        whole = re.sub(r"\n(?!\n)", "\n\n", re.sub(r"\n{2,}", "\n", text))
        spans = sentences(whole)
        taken = 0
        for number, (start, stop) in enumerate(spans):
            words = whole[start:stop]
            last = number == len(spans) - 1
            if last and not over and not self._is_closed(words, whole[stop:]):
                break
            taken = stop
            if last and over and "\n" not in whole[stop:] and not _ENDS.search(words):
                marked = list(_CLOSED.finditer(words))
                if not marked:
                    break
                words = words[: marked[-1].end()]
            drafted = self._drafted(words)
            if drafted.text:
                yield drafted
        self._text = "" if over else whole[taken:] + held
        if len(self._text) > _LONGEST:
            self._text = self._text[-_LONGEST:]

    @staticmethod
    def _is_closed(words: str, after: str) -> bool:
        """Whether the last sentence is over: a line ends after it, or it has its mark, its stop and a space."""
        if "\n" in after:
            return True
        return bool(after) and bool(re.search(r"⟦[\d,]*⟧[.!?…]+[\"'”’»)]*$", words))

    def _marked(self, text: str) -> str:
        return _AFTER_STOP.sub(lambda m: f" {m.group(2).rstrip()}{m.group(1)} ", _MARK.sub(self._canonical, text))

    def _canonical(self, match: re.Match[str]) -> str:
        written = next(g for g in match.groups() if g)
        numbers: list[int] = []
        for first, last in _RANGE.findall(written):
            if int(first) <= int(last) <= int(first) + 20:
                numbers += range(int(first), int(last) + 1)
        numbers += [int(n) for n in re.findall(r"\d{1,3}", written)]
        known = [n for n in dict.fromkeys(numbers) if 1 <= n <= self._count]
        return f" ⟦{','.join(map(str, known))}⟧"

    @staticmethod
    def _drafted(words: str) -> Drafted:
        numbers = [int(n) for found in _CANONICAL.findall(words) for n in found.split(",") if n]
        plain = _CANONICAL.sub("", words)
        for pattern, by in ((_IMAGE, ""), (_LINK, r"\1"), (_TAG, ""), (_EMPHASIS, "")):
            plain = pattern.sub(by, plain)
        plain = re.sub(r"\s+", " ", plain).strip(" -•\t")
        plain = re.sub(r"\s+([.,;:!?])", r"\1", plain)
        return Drafted(plain if any(c.isalnum() for c in plain) else "", tuple(dict.fromkeys(numbers)))
