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


_WORD = r"(?:[Ee]videnc(?:e|ia)|[Ff]uente|[Ss]ource|[Ee]|[Kk])[\s:#.-]?"
_NUMBER = rf"(?:{_WORD}|#)?\d{{1,3}}(?!\d)"
_LETTERED = rf"{_WORD}\d{{1,3}}(?!\d)"
_MORE = rf"(?:\s*(?:[,;/&+]|and|y|to|a|-|–)?\s*{_NUMBER})*"
_LABEL = r"\^?\s*(?i:(?:sources?|fuentes?|evidenc(?:e|ia)|refs?|ids?|see|ver|cit(?:e|a))\.?:?\s*)?"
_NAME = r"[^()\[\]{}\n]{1,40}"  # what some write beside an id: a publisher, a year
_LINKED = r"(?:\(\s*(?:#|/|https?:)[^)\n]*\))?"
_MARK = re.compile(
    rf"[\[【⟦]{{1,3}}{_LABEL}({_NUMBER}{_MORE})\s*(?:†[^\]】⟧\n]{{0,60}})?[\]】⟧]{{1,3}}{_LINKED}"
    rf"|[(<{{]{_LABEL}({_LETTERED}{_MORE})\s*[)>}}]"
    rf"|[\[(]{_LABEL}(?:{_NAME}[,;:]\s*)?({_LETTERED}{_MORE})(?:\s*[,;:]\s*{_NAME})?[\])]"
    r"|(?<=[\w%”\"]\s)\((\d{1,2}(?:\s*,\s*\d{1,2})*)\)(?=[.!?…])"
    r"|<sup>\s*(?:<a[^>]*>)?\[?(\d{1,3})\]?(?:</a>)?\s*</sup>"
    rf"|(?:,?\s(?:per|see|según|ver)\s|\s[—–]\s|(?<=[\s.,;]))({_LETTERED}(?:\s*,\s*{_LETTERED})*)"
    r"(?=\s*[.;]?\s*(?:\n|$))"
    r"|(?<=[\w.!?…%)]{2})(?<!\d{2})(?<!m)([¹²³⁴-⁹]+)(?=[.,;!?…\s]|$)"
)
_SUPERSCRIPTS = str.maketrans("¹²³⁴⁵⁶⁷⁸⁹", "123456789")
_RANGE = re.compile(r"(\d{1,3})\s*[-–]\s*[EeKk]?(\d{1,3})(?!\d)")
_AFTER_STOP = re.compile(r"([.!?…]+[\"'”’»)]*)[ \t]*((?:⟦[^⟧]*⟧[ \t]*)+)(?:[.!?…]+[ \t]*)?(?=\Z|[^\sa-záéíóúñ])")
_CANONICAL = re.compile(r"\s*⟦([\d,]*)⟧")
_OPEN = (
    r"<(?:think|thinking|thought|reasoning|analysis|scratchpad)>|◁think▷|\[THINK\]|<\|channel\|>analysis<\|message\|>"
)
_CLOSE = r"</(?:think|thinking|thought|reasoning|analysis|scratchpad)>|◁/think▷|\[/THINK\]|<\|end\|>"
_THINKING = re.compile(rf"(?:{_OPEN}).*?(?:{_CLOSE})\s*", re.DOTALL | re.IGNORECASE)
_THINKING_CLOSE = re.compile(_CLOSE, re.IGNORECASE)
_THINKING_OPEN = re.compile(_OPEN, re.IGNORECASE)
_THINKING_ONLY_CLOSED = re.compile(rf"\A.*(?:{_CLOSE})\s*", re.DOTALL | re.IGNORECASE)
_TOKEN = re.compile(r"<\|start\|>assistant|<\|channel\|>final|<\|(?:message|return|end|im_end|eot_id)\|>")
# Where a sentence is over for certain: a line ends, or something follows its mark and stop that is no other mark.
_MARKISH = (
    r"(?:\[[^\]\n]{1,60}\](?:\([^)\n]*\))?|【[^】\n]{1,60}】|[({][^(){}\n]{0,60}\d[^(){}\n]{0,40}[)}]"
    rf"|<sup>.{{1,60}}?</sup>|[¹²³⁴-⁹]+|(?<!\w){_LETTERED})"
)
_CLOSERS = r"[\"'”’»)*_]*"
_OTHER = r"[^\s\[(【⟦<{◁¹²³⁴-⁹\\]"  # begins no mark
_OVER = re.compile(
    rf"\n|{_MARKISH}{_CLOSERS}[.!?…]+{_CLOSERS}[ \t]+(?={_OTHER})"
    rf"|[.!?…]{_CLOSERS}[ \t]*(?:{_MARKISH}{_CLOSERS}[ \t]*)+[.!?…]*[ \t]+(?=(?![a-záéíóúñ]){_OTHER})"
)
_LEADS = re.compile(rf"[\s*•·-]*{_MARKISH}:?[ \t]+[\w¿¡*_\"“]")
_OVER_LEADING = re.compile(rf"\n|[.!?…]{_CLOSERS}[ \t]+(?={_MARKISH}:?[ \t]+\w)")
_ENDS = re.compile(r"(?:[.!?…:][\"'”’»)]*|⟦[\d,]*⟧)\s*\Z")
_CLOSED = re.compile(r"⟦[\d,]*⟧[.!?…]+")
_HEADING = 6  # words that a line without a stop and without evidence has at most, to be no sentence
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)?|\[[^\]]*\])?")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_TAG = re.compile(r"</?[A-Za-z!][^>]{0,300}>?|<!--.*?(?:-->|\Z)", re.DOTALL)
_EMPHASIS = re.compile(r"(?<!\w)[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?!\w)|`{1,3}|^\s*#{1,6}\s+")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad\U000e0000-\U000e007f]")
_LONGEST = 20_000  # characters without a sentence in them


def without_reasoning(text: str) -> str:
    """What a model says, without what it says to itself before: blocks of thought, closed, opened or only closed.

    >>> without_reasoning("<think>They ask of E1.</think>Wages rose [E1]."), without_reasoning("Hm.</think> Yes.")
    ('Wages rose [E1].', 'Yes.')
    """
    plain = _THINKING_ONLY_CLOSED.sub("", _THINKING.sub("", text)) if _THINKING_CLOSE.search(text) else text
    opened = _THINKING_OPEN.search(plain)
    return plain[: opened.start()] if opened else plain


class Sentences:
    """Takes the pieces of a reply and gives its sentences, each as soon as it is whole.

    What is given does not depend on where the pieces end: what stands after the last sentence that is over for
    certain is kept as it came.
    """

    def __init__(self, evidence: int) -> None:
        self._count = evidence
        self._text = ""
        self._leads: bool | None = None  # whether marks stand before their sentences; None until that is known
        self._unmarked: list[Drafted] | None = []  # what came before the first mark: it may be reasoning

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
        text = self._text
        if _THINKING_CLOSE.search(text):
            text = _THINKING.sub("", text)
            if _THINKING_CLOSE.search(text):  # it was opened where nobody saw it: all before is thought
                text, self._leads = _THINKING_ONLY_CLOSED.sub("", text), None
                self._unmarked = self._unmarked and []
        thinking = _THINKING_OPEN.search(text)
        text, held = (text[: thinking.start()], text[thinking.start() :]) if thinking else (text, "")
        drafts: list[Drafted] = []
        while (at := self._over(text)) is not None:
            drafts += self._sentences(text[:at], cut=False)
            text = text[at:]
        if over:
            drafts += self._sentences(text, cut=True)
        self._text = "" if over else (text + held)[-_LONGEST:]
        for drafted in drafts:
            if self._unmarked is not None and not drafted.evidence:
                self._unmarked.append(drafted)
                continue
            yield from self._unmarked or ()
            self._unmarked = None
            yield drafted
        if over:
            yield from self._unmarked or ()

    def _over(self, text: str) -> int | None:
        """Where the first sentence of a text, and what may stand before it, is over for certain."""
        if self._leads is None and text.strip():
            found = _OVER.search(text)
            if not found:
                return None
            self._leads = bool(_LEADS.match(text))
        found = (_OVER_LEADING if self._leads else _OVER).search(text)
        return found.end() if found else None

    def _sentences(self, text: str, *, cut: bool) -> Iterator[Drafted]:
        """The sentences of a piece that is over, or that may be cut off."""
        text = self._marked(_TOKEN.sub("", text.replace("\\[", "[").replace("\\]", "]")))
        spans = sentences(text)
        for number, (start, stop) in enumerate(spans):
            words = text[start:stop]
            if cut and number == len(spans) - 1 and "\n" not in text[stop:] and not _ENDS.search(words):
                marked = list(_CLOSED.finditer(words))
                if not marked:
                    break
                words = words[: marked[-1].end()]
            drafted = self._drafted(words)
            if drafted.text and not self._is_heading(words, drafted):
                yield drafted

    def _is_heading(self, words: str, drafted: Drafted) -> bool:
        """Whether it is a heading, or an entry in a list of what was cited: nothing is stated."""
        if re.search(r"[.!?…][\"'”’»)]*\Z", drafted.text) or len(drafted.text.split()) > _HEADING:
            return False
        return not drafted.evidence or (not self._leads and bool(re.match(r"[\s*•·-]*⟦", words)))

    def _marked(self, text: str) -> str:
        text = _MARK.sub(self._canonical, text)
        if self._leads:
            return text
        return _AFTER_STOP.sub(lambda m: f" {m.group(2).rstrip()}{m.group(1)} ", text)

    def _canonical(self, match: re.Match[str]) -> str:
        written = next(g for g in match.groups() if g).translate(_SUPERSCRIPTS)
        numbers: list[int] = []
        for first, last in _RANGE.findall(written):
            if int(first) <= int(last) <= int(first) + 20:
                numbers += range(int(first), int(last) + 1)
        numbers += [int(n) for n in re.findall(r"(?<!\d)\d{1,3}(?!\d)", written)]
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
        if numbers and re.search(r"[\w%)\"”»]\Z", plain) and len(plain.split()) > _HEADING:
            plain += "."  # what follows would run on
        return Drafted(plain if any(c.isalnum() for c in plain) else "", tuple(dict.fromkeys(numbers)))
