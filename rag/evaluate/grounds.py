"""Where the expected evidence stands in the corpus, whatever passages it is cut into."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rag.corpus import Article
from rag.evaluate.cases import Case, Gold

_WORD = re.compile(r"\w+", re.UNICODE)


class Ground(NamedTuple):
    """One expected sentence: its article, its characters, how much it matters (1 or more)."""

    doc: str
    start: int
    end: int
    grade: int = 1


class Grounds(NamedTuple):
    """The evidence of a case: expected articles with grades, expected sentences, gold not found."""

    articles: Mapping[str, int]
    sentences: tuple[Ground, ...]
    absent: tuple[Gold, ...]


def grounds(case: Case, articles: Mapping[str, Article]) -> Grounds:
    """Find a case's gold: each quote or range gives the sentences it touches, each sentence once.

    Gold without words names an article only. `absent` holds gold whose article is not in the corpus, or whose
    words no longer stand in it; its article still counts as expected.
    """
    expected: dict[str, int] = {}
    sentences: dict[tuple[str, int, int], int] = {}
    absent: list[Gold] = []
    for gold in case.gold:
        expected[gold.doc] = max(gold.grade, expected.get(gold.doc, 0))
        article = articles.get(gold.doc)
        if article is None:
            absent.append(gold)
        elif gold.quote or gold.start >= 0:
            span = locate(gold, article.text)
            if span is None:
                absent.append(gold)
            else:
                for start, end in sentences_of(article, *span):
                    key = (gold.doc, start, end)
                    sentences[key] = max(gold.grade, sentences.get(key, 0))
    found = tuple(Ground(*key, grade) for key, grade in sentences.items())
    return Grounds(expected, found, tuple(absent))


def locate(gold: Gold, text: str) -> tuple[int, int] | None:
    """Find the characters of gold in its article: as given where they hold the quote, else by its words.

    >>> locate(Gold("a", "the  cat"), "See the cat.")
    (4, 11)
    """
    if gold.start >= 0 and gold.end <= len(text) and (not gold.quote or text[gold.start : gold.end] == gold.quote):
        return gold.start, gold.end
    quote = gold.quote.strip()
    if not quote:
        return None
    at = text.find(quote)
    if at >= 0:
        return at, at + len(quote)
    words = _WORD.findall(quote)
    if not words:
        return None
    match = re.search(r"\W+".join(map(re.escape, words)), text, re.IGNORECASE)
    return match.span() if match else None


def sentences_of(article: Article, start: int, end: int) -> list[tuple[int, int]]:
    """List the sentences that a range touches; the range itself where it touches none (a heading)."""
    spans = article.sentences
    first = bisect_right(spans, start, key=lambda s: s.end)
    last = bisect_left(spans, end, key=lambda s: s.start)
    return [(s.start, s.end) for s in spans[first:last]] or [(start, end)]


def overlap(start: int, end: int, other_start: int, other_end: int) -> int:
    """Count the characters two ranges share."""
    return max(0, min(end, other_end) - max(start, other_start))


def union(ranges: Sequence[tuple[str, int, int]]) -> dict[str, list[tuple[int, int]]]:
    """Join overlapping ranges, article by article.

    >>> union([("a", 5, 9), ("a", 0, 6), ("b", 1, 2)])
    {'a': [(0, 9)], 'b': [(1, 2)]}
    """
    joined: dict[str, list[tuple[int, int]]] = {}
    for doc, start, end in sorted(ranges):
        spans = joined.setdefault(doc, [])
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return joined
