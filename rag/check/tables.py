"""The tables beside the articles: figures.csv and glossary.csv."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from rag.check.articles import SLUG, short
from rag.check.prose import says_undated, says_value
from rag.corpus import Article, Problem
from rag.facts import UNDATED, Figure, read_figures
from rag.text import LANGUAGES, Language, fold

METRICS = (
    "attrition", "centers", "companies", "cost_saving", "english_score", "export_value", "fine", "graduates",
    "growth", "headcount", "investment", "jobs", "kpi_target", "legal_period", "market_size", "minimum_wage",
    "other", "payroll_rate", "population", "rank", "rate_hourly", "registered_numbers", "seats", "share",
    "tax_rate", "vacation_days", "wage", "weekly_hours",
)  # fmt: skip
UNITS: Mapping[str, tuple[str, ...]] = {
    "attrition": ("percent_per_year", "percent_per_month"),
    "centers": ("centers",),
    "companies": ("companies",),
    "cost_saving": ("percent",),
    "english_score": ("score",),
    "export_value": ("usd",),
    "graduates": ("people",),
    "growth": ("percent",),
    "headcount": ("people",),
    "jobs": ("people",),
    "market_size": ("usd",),
    "minimum_wage": ("mxn_per_day", "mxn_per_month", "usd_per_day"),
    "payroll_rate": ("percent",),
    "population": ("people",),
    "rank": ("rank",),
    "rate_hourly": ("usd_per_hour",),
    "seats": ("seats",),
    "share": ("percent",),
    "tax_rate": ("percent",),
    "vacation_days": ("days",),
    "weekly_hours": ("hours_per_week",),
}
_AS_OF = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?\Z")


def check_figures(file: Path, articles: Mapping[str, Article]) -> Iterator[Problem]:
    """Hold each row of figures.csv against the sentences that it names."""
    if not file.is_file():
        yield Problem(str(file), 0, "not there")
        return
    rows, problems = read_figures(file)
    yield from problems
    seen: dict[tuple[object, ...], int] = {}
    for row in rows:
        for message in [
            *_row(row),
            *(m for language in LANGUAGES for m in _against(row, language, articles)),
        ]:
            yield Problem(str(file), row.line, message)
        same = (
            row.metric,
            row.low,
            row.high,
            row.unit,
            row.place,
            row.scope,
            row.as_of,
            row.source,
            row.article,
        )
        if seen.setdefault(same, row.line) != row.line:
            yield Problem(str(file), row.line, f"the same as line {seen[same]}")


def _row(row: Figure) -> Iterator[str]:
    if row.metric not in METRICS:
        yield f"metric {row.metric!r} is none of {', '.join(METRICS)}"
    elif row.metric in UNITS and row.unit not in UNITS[row.metric]:
        yield f"unit {row.unit!r}: {row.metric} is given in {' or '.join(UNITS[row.metric])}"
    if not re.match(r"[a-z]+(?:_[a-z]+)*\Z", row.unit):
        yield f"unit {row.unit!r}: expected a word such as percent or mxn_per_month"
    if row.low > row.high:
        yield f"low {row.low} is above high {row.high}"
    if not SLUG.match(row.place):
        yield f"place {row.place!r}: expected a slug such as mexico-city"
    if not row.scope.strip():
        yield "scope: expected some words that say what is counted"
    if row.as_of != UNDATED and not _AS_OF.match(row.as_of):
        yield f"as_of {row.as_of!r}: expected YYYY, YYYY-MM, YYYY-MM-DD or {UNDATED}"


def _against(row: Figure, language: Language, articles: Mapping[str, Article]) -> Iterator[str]:
    text = row.sentences[language]
    article = articles.get(f"{language}/{row.article}")
    if article is None:
        yield f"article {row.article!r}: there is no articles/{language}/{row.article}.md"
        return
    sentence = next((s for s in article.sentences if article.quote(s) == text), None)
    if sentence is None:
        yield f"sentence_{language} is no sentence of {article.id}: {short(text)}"
        return
    if row.source not in sentence.sources:
        yield f"source {row.source!r} is not behind sentence_{language}: {short(text)}"
    for value in sorted({row.low, row.high}):
        if not says_value(text, value, row.unit):
            yield f"{value} is not in sentence_{language}: {short(text)}"
    if row.as_of == UNDATED and not says_undated(text):
        yield f"as_of {UNDATED}, but sentence_{language} does not say so: {short(text)}"
    if row.as_of != UNDATED and row.as_of[:4] not in text:
        yield f"as_of {row.as_of}, but sentence_{language} does not say the year: {short(text)}"


def check_glossary(file: Path) -> Iterator[Problem]:
    """Hold that every term is there once, in both languages."""
    if not file.is_file():
        yield Problem(str(file), 0, "not there")
        return
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if reader.fieldnames != ["en", "es", "note"]:
            yield Problem(str(file), 1, "expected the columns en,es,note")
            return
        seen: dict[str, int] = {}
        for row in reader:
            if not str(row["en"] or "").strip() or not str(row["es"] or "").strip():
                yield Problem(str(file), reader.line_num, "expected a term in both languages")
            if seen.setdefault(fold(str(row["en"])), reader.line_num) != reader.line_num:
                yield Problem(str(file), reader.line_num, f"{row['en']!r} is on line {seen[fold(row['en'])]} too")
