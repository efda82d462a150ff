"""Questions that readers are expected to ask, each with the sentence that answers it, kept beside the articles.

A question seldom uses an article's words. Expanding a text by the questions it answers is doc2query (Nogueira et al.
2019, arXiv:1904.08375); here they are written by an editor, stay apart from the text, and are only ever compared with
what is asked: an answer is made of the articles' own words as before.

The file `anticipated.jsonl` lies at the top of a folder of articles, one sentence a line:

    {"article": "en/attrition", "quote": "About a third leave within a year.", "questions": ["How many agents quit?"]}

A line whose article or sentence is no longer there says nothing (`bpo ingest --check` names it).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

FILE = "anticipated.jsonl"


class Anticipated(NamedTuple):
    """The questions that one sentence of an article answers; `sentence` is its number."""

    sentence: int
    questions: tuple[str, ...]


class Line(NamedTuple):
    """One line of the file: a sentence by its words, and the questions that it answers."""

    number: int
    article: str
    quote: str
    questions: tuple[str, ...]


def read_lines(file: Path) -> Iterator[Line | tuple[int, str]]:
    """The lines of a file, or for a malformed one its number and what was expected. Raises OSError, UnicodeError."""
    for number, written in enumerate(file.read_text(encoding="utf-8-sig").split("\n"), 1):
        if written.strip():
            try:
                entry = json.loads(written)
                if not isinstance(entry, dict) or not isinstance(entry.get("article"), str):
                    raise TypeError("expected an object with `article`, `quote` and `questions`")
                yield Line(number, entry["article"], *_pair(entry))
            except json.JSONDecodeError as error:
                yield number, f"not JSON: {error.msg} at column {error.colno}"
            except RecursionError:
                yield number, "not JSON: nested too deeply"
            except TypeError as error:
                yield number, str(error)


def read_pairs(entries: object) -> list[tuple[str, tuple[str, ...]]]:
    """The same as a document of a JSONL file carries it: `[{"quote", "questions"}, ...]`. Raises TypeError."""
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise TypeError("expected `anticipated` to be a list of objects with `quote` and `questions`")
    return [_pair(e) for e in entries]


def located(pairs: Iterable[tuple[str, Sequence[str]]], quotes: Sequence[str]) -> tuple[Anticipated, ...]:
    """Pairs by the number of their sentence; those whose sentence is not among `quotes` are left out.

    >>> located([("It rains.", ["Is it wet?"]), ("Gone.", ["What?"])], ["It is dark.", "It  rains."])
    (Anticipated(sentence=1, questions=('Is it wet?',)),)
    """
    number = {_plain(quote): n for n, quote in reversed(list(enumerate(quotes)))}
    found: dict[int, dict[str, None]] = {}
    for quote, questions in pairs:
        at = number.get(_plain(quote))
        if at is not None:
            found.setdefault(at, {}).update(dict.fromkeys(questions))
    return tuple(Anticipated(at, tuple(found[at])) for at in sorted(found))


def _pair(entry: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    quote, questions = entry.get("quote"), entry.get("questions")
    if not isinstance(quote, str) or not quote.strip():
        raise TypeError("expected `quote`: the words of a sentence")
    if not isinstance(questions, list) or not all(isinstance(q, str) and q.strip() for q in questions):
        raise TypeError("expected `questions`: a list of questions that the sentence answers")
    # Half of a surrogate pair, which JSON can spell, is no character and cannot be written down.
    return quote, tuple(_plain(q.encode("utf-8", "replace").decode("utf-8")) for q in questions)


def _plain(quote: str) -> str:
    return " ".join(quote.split())
