"""The names, places and years that a question mentions: known from the articles, or written like a name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from rag.conversation.grammar import GRAMMARS, PREPOSITION, YEAR, flatten
from rag.corpus import Article
from rag.language import is_function_word
from rag.text import MONTHS, Language, fold, terms

_NAME_WORD = re.compile(r"[^\W_](?:[\w&.'’-]*[^\W_])?")
# Everything is in it: it tells nothing about what a question is about.
EVERYWHERE = frozenset({"mexico", "mexican", "mexicano", "mexicana", "mexicanos", "mexicanas", "bpo"})
_TRAILS = re.compile(
    r"\s*(?:as a whole|overall|in general|en (?:su )?conjunto|en general|too|also|tambien|instead|then)$"
)
_ATTRIBUTED = re.compile(r"\b(?:according to|segun)\b")
# Words that open a question with a capital and may be part of a name elsewhere ("Who" is none).
_NO_NAMES = frozenset(
    "who what which when where why how is are was were do does did has have can could will would should if in at by "
    "for from tell give list name compare que cual cuales quien quienes cuando donde como cuanto cuanta cuantos "
    "cuantas por para hay es son el la los las en de y a desde hasta tiene tienen ley".split()
)


class Mention(NamedTuple):
    """A name or a year in a question, as written, and where it stands."""

    text: str
    start: int
    end: int
    kind: str  # "year", "place" or "name"


class Gazetteer:
    """What the corpus calls by a name. `names` are the terms that it writes with a capital, `is_place` tells the
    name of a place from other names.
    """

    def __init__(self, names: Mapping[Language, frozenset[str]], is_place: Callable[[str], bool]) -> None:
        self._names = names
        self._is_place = is_place

    def mentions(self, text: str, language: Language) -> list[Mention]:
        """The names and years of a question, in order."""
        found: list[Mention] = []
        known = self._names[language]
        for match in _NAME_WORD.finditer(text):
            word = re.sub(r"['’]s$", "", match.group())
            match_end = match.start() + len(word)
            if YEAR.fullmatch(word):
                found.append(Mention(word, match.start(), match_end, "year"))
                continue
            own = terms(word, language)
            capital = word[0].isupper()
            opening = not text[: match.start()].strip(" ¿¡\"'(")
            if not own or word.isdecimal() or (opening and flatten(word) in _NO_NAMES):
                continue
            capital_all = len(word) > 1 and word.isupper()
            is_known = all(t in known for t in own) and (capital or self._is_name(word))
            if is_known or capital_all or (capital and not opening):
                between = text[found[-1].end : match.start()] if found else ""
                joins = found and found[-1].kind == "name" and capital and found[-1].text[0].isupper()
                if joins and re.fullmatch(r" | (?:de|del|of|de la|of the) |&| & ", between):
                    start = found.pop().start
                    found.append(Mention(text[start:match_end], start, match_end, "name"))
                else:
                    found.append(Mention(word, match.start(), match_end, "name"))
        return [n if n.kind == "year" else self._kinded(n, text) for n in found]

    def only_name(self, question: str, language: Language) -> str:
        """The name of a question that has one and no more, unless it only begins a longer name."""
        bare = unmarked(question)
        names = [n for n in self.mentions(bare, language) if n.kind == "name" and fold(n.text) not in EVERYWHERE]
        if len(names) != 1 or PREPOSITION.search(flatten(bare[: names[0].start])):
            return ""
        follows = re.match(r"\s+(\w+)", flatten(bare[names[0].end :]))
        return "" if follows and not is_function_word(follows[1]) else names[0].text

    def content(self, said: str, names: Sequence[Mention], language: Language) -> list[str]:
        """The terms of a question beside its names and the words that only lead to them."""
        left = list(_TRAILS.sub("", flatten(said)).ljust(len(said)))
        for name in names:
            left[name.start : name.end] = " " * (name.end - name.start)
        framing = GRAMMARS[language].framing
        words = [w for w in re.findall(r"[^\W_]+", _ATTRIBUTED.sub(" ", "".join(left))) if w not in framing]
        return [t for w in words for t in terms(w, language)]

    def small(self, text: str, language: Language) -> str:
        """Without the capital of a first word that is no name."""
        first = re.match(r"[^\W_]+", text)
        if not first or (first.group().isupper() and len(first.group()) > 1):
            return text
        own = terms(first.group(), language)
        named = bool(own) and all(t in self._names[language] for t in own)
        return text if named else text[0].lower() + text[1:]

    def _is_name(self, word: str) -> bool:
        """Whether a word in small letters is a name in every language of the articles ("home" is none)."""
        return all(t in known for language, known in self._names.items() if known for t in terms(word, language))

    def _kinded(self, name: Mention, text: str) -> Mention:
        placed = re.search(r"\b(?:in|en)\s+(?:el |la |los |the )?$", flatten(text[: name.start])) is not None
        return name._replace(
            kind="place" if self._is_place(name.text) or (placed and name.text[0].isupper()) else "name"
        )


def unmarked(question: str) -> str:
    """A question without its marks."""
    return question.strip(" ¿?¡!.")


_PLACED = re.compile(
    r"(?:\b(?P<led>[Ii]n|[Ee]n)\s+)?\b(?P<name>[A-ZÁÉÍÓÚÑ][\w'’-]+(?:\s+(?:de\s+|del\s+|of\s+)?[A-ZÁÉÍÓÚÑ][\w'’-]+){0,3})"
)
_LISTED = re.compile(r"(?:, (?:and )?| and | y | e )[A-ZÁÉÍÓÚÑ]")
_MONTHS = frozenset(name.lower() for names in MONTHS.values() for name in names)
_LEARNT_FROM = 5_000_000  # characters: enough to know the places of a library


def place_names(articles: Iterable[Article]) -> frozenset[str]:
    """Folded names that articles write after "in" so often that they must be places: learnt, not listed."""
    every: Counter[str] = Counter()
    led: Counter[str] = Counter()
    read = 0
    for article in articles:
        until, is_led = -1, False
        for match in _PLACED.finditer(article.text):
            # "in Cancún, Oaxaca and Puebla" leads to all three, "in Cancún, Acme grew" to one
            between, follows = article.text[until : match.start()], article.text[match.end() : match.end() + 6]
            joined = between in (" and ", ", and ", " y ", " e ") or (between == ", " and _LISTED.match(follows))
            is_led = match["led"] is not None or (is_led and bool(joined))
            until = match.end()
            name = fold(match["name"])
            every[name] += 1
            led[name] += is_led
        read += len(article.text)
        if read > _LEARNT_FROM:
            break
    return frozenset(n for n, count in led.items() if count >= 2 and count >= 0.12 * every[n] and n not in _MONTHS)
