"""The anticipated questions: each beside a sentence that stands in its article."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from rag.anticipated import Line, located, read_lines
from rag.corpus import Article, Problem
from rag.text import fold


def check_anticipated(file: Path, articles: Mapping[str, Article]) -> Iterator[Problem]:
    """Hold each line against the article it names. Malformed lines are named where the corpus is read."""
    if not file.is_file():
        return
    for line in read_lines(file):
        if isinstance(line, Line):
            yield from (Problem(str(file), line.number, m) for m in _of_line(line, articles.get(line.article)))


def _of_line(line: Line, article: Article | None) -> Iterator[str]:
    if article is None:
        yield f"article {line.article!r}: no such article"
        return
    if not located([(line.quote, line.questions)], [article.quote(s) for s in article.sentences]):
        yield f"no sentence of {article.id!r} reads {line.quote[:60]!r}: quote it as it stands now, or remove the line"
    if len({fold(q) for q in line.questions}) < len(line.questions):
        yield "the same question twice"
