"""What the corpus covers: topics, places and years; what is thin, what is missing, what it says it lacks."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from rag.check.articles import TOPICS
from rag.check.prose import is_gap, states
from rag.corpus import Article, Source, is_corpus_folder, read_corpus
from rag.errors import UserError
from rag.facts import UNDATED, Figure, read_figures
from rag.text import LANGUAGES, Language

# A topic or place is thin below these, or when its newest source is older than this many years.
FEWEST_FIGURES = 5
FEWEST_SOURCES = 5
OLDEST = 3
# The topic of the guides, which only send the reader to other articles, and the topic of places in Mexico.
GUIDES = "guide"
CITIES = "cities"
# What somebody who compares cities asks of each.
ASKED_OF_CITIES = ("jobs", "centers", "seats", "wage", "attrition", "english_score", "minimum_wage")
_YEAR = re.compile(r"\b(?:19[4-9]\d|20[0-4]\d)\b")


@dataclass(frozen=True, slots=True)
class Cell:
    """How many figures there are of one topic, place and year (`undated` where no year is known)."""

    topic: str
    place: str
    year: str
    figures: int


@dataclass(frozen=True, slots=True)
class Row:
    """One topic or place: how much there is, how new, why it is thin and what is missing."""

    name: str
    articles: int
    sentences: int
    figures: int
    sources: int
    undated: int
    newest: str
    years: Mapping[str, int]
    thin: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """What an article says that no source was found to say, in each language."""

    article: str
    topic: str
    sentences: Mapping[Language, str]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The whole: totals, one row a topic and a place, the cells between them, the gaps stated."""

    updated: str
    articles: Mapping[Language, int]
    words: Mapping[Language, int]
    sentences: Mapping[Language, int]
    sources: int
    figures: int
    topics: tuple[Row, ...]
    places: tuple[Row, ...]
    cells: tuple[Cell, ...]
    gaps: tuple[Gap, ...]


def coverage(folder: Path) -> Coverage:
    """Count what a corpus folder covers. Raises UserError for another folder, or a figures.csv with faults.

    Counts of sentences, sources and years are those of the first language; the check holds the two alike.
    """
    if not is_corpus_folder(folder):
        raise UserError(f"{folder} is no corpus folder: expected `references.yaml` beside `articles/`.")
    file = folder / "figures.csv"
    figures, problems = read_figures(file) if file.is_file() else ([], [])
    corpus = read_corpus([folder])
    if problems or corpus.problems:
        raise UserError(f"{[*corpus.problems, *problems][0]} (`bpo ingest --check` lists everything).")
    first = [a for a in corpus.articles if a.language == LANGUAGES[0]]
    updated = max((a.updated for a in corpus.articles), default="")
    topic_of = {_slug(a): a.topic for a in first}
    sources = {s.id: s for a in first for s in a.sources}
    count = partial(_row, updated=updated, sources=sources)
    topics = [
        count(
            name,
            [a for a in first if a.topic == name],
            [f for f in figures if topic_of.get(f.article) == name],
        )
        for name in (*TOPICS, *sorted({a.topic for a in first} - set(TOPICS)))
    ]
    places = [
        count(name, [a for a in first if name in a.places], [f for f in figures if f.place == name])
        for name in sorted({p for a in first for p in a.places} | {f.place for f in figures})
    ]
    return Coverage(
        updated=updated,
        articles=_each(corpus.articles, lambda _: 1),
        words=_each(corpus.articles, lambda a: len(a.text.split())),
        sentences=_each(corpus.articles, lambda a: len(states(a))),
        sources=len({s.id for a in corpus.articles for s in a.sources}),
        figures=len(figures),
        topics=tuple(topics),
        places=tuple(sorted(places, key=lambda r: (-r.figures, r.name))),
        cells=tuple(_cells(figures, topic_of)),
        gaps=tuple(_gaps(corpus.articles)),
    )


def to_json(result: Coverage) -> str:
    """Write a coverage as JSON."""
    return json.dumps(asdict(result), ensure_ascii=False, indent=1)


def _slug(article: Article) -> str:
    return article.id.split("/", 1)[-1]


def _each(articles: Iterable[Article], count: Callable[[Article], int]) -> dict[Language, int]:
    totals: dict[Language, int] = dict.fromkeys(LANGUAGES, 0)
    for article in articles:
        totals[article.language] += count(article)
    return totals


def _row(
    name: str,
    articles: Sequence[Article],
    figures: Sequence[Figure],
    *,
    updated: str,
    sources: Mapping[str, Source],
) -> Row:
    keys = {s.id for a in articles for s in a.sources} | {f.source for f in figures}
    newest = max((sources[k].issued for k in keys if k in sources), default="")
    years = Counter(y for a in articles for s in states(a) for y in set(_YEAR.findall(a.quote(s))))
    undated = sum(f.as_of == UNDATED for f in figures)
    there = {f.metric for f in figures}
    is_city = any(a.topic == CITIES and name in a.places for a in articles)
    old = not newest or int(updated[:4]) - int(newest[:4]) > OLDEST
    reasons = {
        "no_article": not articles,
        "few_figures": len(figures) < FEWEST_FIGURES,
        "undated_figures": undated * 2 > len(figures) >= FEWEST_FIGURES,
        "few_sources": bool(articles) and len(keys) < FEWEST_SOURCES,
        "old_sources": bool(articles) and old,
    }
    return Row(
        name=name,
        articles=len(articles),
        sentences=sum(len(states(a)) for a in articles),
        figures=len(figures),
        sources=len(keys),
        undated=undated,
        newest=newest,
        years=dict(sorted(years.items())),
        thin=() if name == GUIDES else tuple(reason for reason, holds in reasons.items() if holds),
        missing=tuple(m for m in ASKED_OF_CITIES if m not in there) if is_city else (),
    )


def _cells(figures: Iterable[Figure], topic_of: Mapping[str, str]) -> Iterator[Cell]:
    counts = Counter(
        (topic_of.get(f.article, ""), f.place, f.as_of if f.as_of == UNDATED else f.as_of[:4]) for f in figures
    )
    for (topic, place, year), number in sorted(counts.items()):
        yield Cell(topic, place, year, number)


def _gaps(articles: Iterable[Article]) -> Iterator[Gap]:
    """List the gaps in the order in which an article states them; its languages state them alike."""
    stated: dict[str, dict[Language, list[str]]] = defaultdict(dict)
    topics: dict[str, str] = {}
    for article in articles:
        topics[_slug(article)] = article.topic
        found = [article.quote(s) for s in states(article) if is_gap(article, s)]
        stated[_slug(article)][article.language] = found
    for slug, by_language in sorted(stated.items(), key=lambda item: (topics[item[0]], item[0])):
        for number in range(max(len(found) for found in by_language.values())):
            sentences = {k: found[number] for k, found in by_language.items() if number < len(found)}
            yield Gap(slug, topics[slug], sentences)


_LABELS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "title": "What this knowledge base covers",
        "totals": "{articles} articles in each language, {sentences} sentences, {sources} sources, "
        "{figures} figures; updated {updated}.",
        "topics": "Topics",
        "places": "Places",
        "between": "Figures by topic and place",
        "years": "Years spoken of",
        "thin": "What is thin or missing",
        "gaps": "What no source was found to say",
        "columns": "articles | sentences | figures | undated figures | sources | newest source",
        "topic": "topic",
        "place": "place",
        "year": "year",
        "mentions": "sentences",
        "none": "none",
        "no_article": "no article",
        "few_figures": f"fewer than {FEWEST_FIGURES} figures",
        "undated_figures": "most of its figures are undated",
        "few_sources": f"fewer than {FEWEST_SOURCES} sources",
        "old_sources": f"no source of the last {OLDEST} years",
        "missing": "no figure of {metrics}",
    },
    "es": {
        "title": "Qué cubre esta base de conocimiento",
        "totals": "{articles} artículos en cada idioma, {sentences} oraciones, {sources} fuentes, "
        "{figures} cifras; actualización: {updated}.",
        "topics": "Temas",
        "places": "Lugares",
        "between": "Cifras por tema y lugar",
        "years": "Años de los que se habla",
        "thin": "Qué es escaso o falta",
        "gaps": "Lo que ninguna fuente consultada dice",
        "columns": "artículos | oraciones | cifras | cifras sin fecha | fuentes | fuente más reciente",
        "topic": "tema",
        "place": "lugar",
        "year": "año",
        "mentions": "oraciones",
        "none": "ninguna",
        "no_article": "ningún artículo",
        "few_figures": f"menos de {FEWEST_FIGURES} cifras",
        "undated_figures": "la mayoría de sus cifras no tiene fecha",
        "few_sources": f"menos de {FEWEST_SOURCES} fuentes",
        "old_sources": f"ninguna fuente de los últimos {OLDEST} años",
        "missing": "ninguna cifra de {metrics}",
    },
}


def to_markdown(result: Coverage, language: Language = "en") -> str:
    """Write a coverage as a Markdown page in one of the two languages."""
    say = _LABELS[language]
    totals = {
        "articles": result.articles[language],
        "sentences": result.sentences[language],
        "sources": result.sources,
        "figures": result.figures,
        "updated": result.updated,
    }
    lines = [f"# {say['title']}", "", say["totals"].format(**totals), ""]
    for heading, name, rows in (("topics", "topic", result.topics), ("places", "place", result.places)):
        lines += [
            f"## {say[heading]}",
            "",
            *_table(f"{say[name]} | {say['columns']}", _counts(rows, say)),
            "",
        ]
    lines += [f"## {say['between']}", "", *_between(result, say), ""]
    years = Counter[str]()
    for row in result.topics:
        years.update(row.years)
    spoken = [(year, str(number)) for year, number in sorted(years.items(), reverse=True)]
    lines += [f"## {say['years']}", "", *_table(f"{say['year']} | {say['mentions']}", spoken), ""]
    lines += [f"## {say['thin']}", "", *_thin((*result.topics, *result.places), say), ""]
    lines += [f"## {say['gaps']}", ""]
    lines += [f"- {gap.sentences[language]} (`{gap.article}`)" for gap in result.gaps if language in gap.sentences]
    return "\n".join(lines) + "\n"


def _table(header: str, rows: Iterable[Sequence[str]]) -> list[str]:
    rule = "|".join("---" for _ in header.split("|"))
    return [f"| {header} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)]


def _counts(rows: Iterable[Row], say: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        numbers = (row.articles, row.sentences, row.figures, row.undated, row.sources)
        yield (row.name, *map(str, numbers), row.newest or say["none"])


def _between(result: Coverage, say: Mapping[str, str]) -> list[str]:
    """One row a topic and place, newest years first: `2025: 4, 2022: 1`."""
    found: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    for cell in result.cells:
        found[cell.topic, cell.place].append(cell)
    rows = []
    for (topic, place), cells in found.items():
        dated = sorted((c for c in cells if c.year != UNDATED), key=lambda c: c.year, reverse=True)
        undated = [c for c in cells if c.year == UNDATED]
        by_year = ", ".join(f"{c.year}: {c.figures}" for c in [*dated, *undated])
        rows.append((topic, place, by_year))
    return _table(f"{say['topic']} | {say['place']} | {say['year']}", rows)


def _thin(rows: Iterable[Row], say: Mapping[str, str]) -> Iterator[str]:
    for row in rows:
        reasons = [say[reason] for reason in row.thin]
        if row.missing:
            reasons.append(say["missing"].format(metrics=", ".join(row.missing)))
        if reasons and (row.articles or row.name in TOPICS):
            yield f"- {row.name}: {'; '.join(reasons)}"
