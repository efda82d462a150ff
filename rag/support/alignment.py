"""Where two texts speak of the same thing: places in them, compared by the words that surround them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rag.particulars import Particulars, is_year

WINDOW = 4  # words of content on each side that say what a number, name or mark speaks of
RIVAL = 1.8  # how much better the surroundings of another number must fit for this one to be misplaced
FIGURE = 2.0  # what a number among the surroundings counts, a word counting one: it says most of what is meant


class Finding(NamedTuple):
    """One check: what was looked at, whether it held, what the sentence says and what the quotes say instead."""

    check: str
    held: bool
    said: str = ""
    quoted: str = ""


class Spot(NamedTuple):
    """A place in one of the texts."""

    text: Particulars
    at: int
    until: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence, the quotes that are to carry it, and what stands around these; all read into particulars."""

    said: Particulars
    quoted: tuple[Particulars, ...]
    frame: tuple[Particulars, ...]

    def likeness(self, one: Spot, other: Spot) -> float:
        """How alike two places are in what surrounds them: words in common, near ones and those on the same side
        counting more.
        """
        across = one.text.language != other.text.language
        theirs = surroundings(other, across=across)
        total = 0.0
        for key, offsets in surroundings(one, across=across).items():
            found = theirs.get(key)
            if found:
                total += (FIGURE if key[0].isdecimal() and not is_year(key) else 1.0) * max(
                    (1.0 if (a > 0) == (b > 0) else 0.5) / (1 + 0.35 * (abs(a) + abs(b) - 2))
                    for a in offsets
                    for b in found
                )
        return total

    def misplaced(self, own: Spot, same: Iterable[Spot], others: Iterable[Spot]) -> Spot | None:
        """The place in the quotes whose surroundings fit better than all where the same thing is said."""
        best = max((self.likeness(own, spot) for spot in same), default=0.0)
        rival, height = None, 0.0
        for spot in others:
            likeness = self.likeness(own, spot)
            if likeness > height:
                rival, height = spot, likeness
        return rival if height > RIVAL * best + 0.25 else None


@lru_cache(maxsize=65_536)
def surroundings(spot: Spot, *, across: bool) -> dict[str, tuple[int, ...]]:
    """The words of content around a place, with their distances; numbers and places by what they mean."""
    keys = content_keys(spot.text, across=across)
    before = [key for at, key in keys if at < spot.at][-WINDOW:]
    after = [key for at, key in keys if at > spot.until][:WINDOW]
    found: dict[str, tuple[int, ...]] = {}
    for distance, key in enumerate(reversed(before), 1):
        found[key] = (*found.get(key, ()), -distance)
    for distance, key in enumerate(after, 1):
        found[key] = (*found.get(key, ()), distance)
    return found


@lru_cache(maxsize=16_384)
def content_keys(text: Particulars, *, across: bool) -> tuple[tuple[int, str], ...]:
    """The words of content of a text, each with its place, by stem, or by what it means in both languages."""
    places = {n.at: n.key for n in text.names if n.place}
    inside = {n.at + i for n in text.names if n.place for i in range(1, n.key.count(" ") + 1)}
    return tuple(
        (at, places.get(at) or (token.concept if across else token.stem))
        for at, token in enumerate(text.tokens)
        if token.stem and at not in inside
    )
