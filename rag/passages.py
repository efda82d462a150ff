"""Article -> passages: runs of whole sentences that together are the article, character for character."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from langchain_core.documents import Document

from rag.corpus import Article

# The embedder reads 256 tokens; a passage of this many characters stays below that in both languages.
MAX_CHARACTERS = 700


class Place(NamedTuple):
    """Where a passage lies: what its metadata say, typed."""

    article: str
    start: int
    end: int
    first: int
    last: int


def split(article: Article, *, max_characters: int = MAX_CHARACTERS) -> list[Document]:
    """Cut an article into passages of whole sentences, none across a heading.

    The passages lie side by side: joined, they are `article.text`. A sentence longer than
    `max_characters` is a passage of its own, however long. Metadata (scalars, as Chroma wants
    them): article, language, start, end (characters of the article), first and last (numbers of
    its sentences, last included), heading. An article without a sentence gives no passage.
    """
    runs = list(_runs(article, max_characters))
    starts = [0, *(_start(article, first) for first, _ in runs[1:])]
    ends = [*starts[1:], len(article.text)]
    return [
        _passage(article, Place(article.id, start, end, first, last))
        for (first, last), start, end in zip(runs, starts, ends, strict=True)
    ]


def place(passage: Document) -> Place:
    """Where a passage lies in its article."""
    m = passage.metadata
    return Place(m["article"], m["start"], m["end"], m["first"], m["last"])


def context(article: Article, passage: Document) -> str:
    """What a model should read of a passage: article title and heading, then the words themselves."""
    return _prefix(article.title, passage.metadata["heading"]) + passage.page_content


def _runs(article: Article, max_characters: int) -> Iterator[tuple[int, int]]:
    sentences = article.sentences
    first = 0
    for number in range(1, len(sentences) + 1):
        if (
            number == len(sentences)
            or sentences[number].section != sentences[first].section
            or sentences[number].end - sentences[first].start > max_characters
        ):
            yield first, number - 1
            first = number


def _start(article: Article, first: int) -> int:
    """Where the passage of a first sentence begins: at the heading or list marker that introduces it."""
    start = article.sentences[first - 1].end
    while article.text[start].isspace():
        start += 1
    return start


def _passage(article: Article, at: Place) -> Document:
    section = article.sentences[at.first].section
    heading = article.sections[section].heading if article.sections else ""
    content = article.text[at.start : at.end]
    digest = hashlib.sha256(f"{article.id}\0{at.start}\0{article.title}\0{heading}\0{content}".encode())
    return Document(
        id=digest.hexdigest()[:32],
        page_content=content,
        metadata={
            "article": article.id,
            "language": article.language,
            "start": at.start,
            "end": at.end,
            "first": at.first,
            "last": at.last,
            "heading": heading,
        },
    )


def _prefix(title: str, heading: str) -> str:
    parts = [p for p in (title, heading) if p]
    return ". ".join(parts) + "\n" if parts else ""
