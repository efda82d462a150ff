"""The questions that are only learnt from: those to fit on, and the near misses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rag.check.articles import short
from rag.check.questions import objects
from rag.corpus import Article, Problem
from rag.splits import NEAR_MISSES, TUNING, strings
from rag.text import LANGUAGES, fold


def check_learning(folder: Path, articles: Mapping[str, Article]) -> Iterator[Problem]:
    """Hold each against the articles it names, and that no question stands there twice. A folder may have neither."""
    for file, of_line in ((folder / TUNING, _case), (folder / NEAR_MISSES, _pair)):
        seen: dict[str, int] = {}
        for read in objects(file) if file.is_file() else ():
            if isinstance(read, Problem):
                yield read
                continue
            number, found = read
            yield from (Problem(str(file), number, m) for m in of_line(found, articles))
            for asked in filter(None, (fold(str(found.get(n, ""))) for n in ("question", "answered", "missed"))):
                if seen.setdefault(asked, number) != number:
                    yield Problem(str(file), number, f"asks what line {seen[asked]} asks: {short(asked)}")


def _case(case: Mapping[str, Any], articles: Mapping[str, Article]) -> Iterator[str]:
    if not str(case.get("question") or "").strip() or case.get("language") not in LANGUAGES:
        yield f"expected a `question`, and a `language` of {', '.join(LANGUAGES)}"
    if not isinstance(case.get("answerable"), bool) or case["answerable"] != bool(case.get("gold")):
        yield "expected `answerable`, true or false, and `gold` where it is true"
    for gold in case.get("gold") or []:
        article = articles.get(str(gold.get("doc")))
        if article is None:
            yield f"gold {gold.get('doc')!r}: no such article"
            continue
        plain = " ".join(article.text.split())
        yield from (f"not in {article.id}: {short(q)}" for q in strings(gold.get("quotes")) if q not in plain)


def _pair(pair: Mapping[str, Any], articles: Mapping[str, Article]) -> Iterator[str]:
    article = articles.get(str(pair.get("article")))
    if article is None:
        yield f"article {pair.get('article')!r}: no such article"
    elif pair.get("quote") not in {article.quote(s) for s in article.sentences}:
        yield f"no sentence of {article.id}: {short(str(pair.get('quote')))}"
    if not str(pair.get("answered") or "").strip() or not str(pair.get("missed") or "").strip():
        yield "expected a question that is `answered` and one that is `missed`"
