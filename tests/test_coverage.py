"""The coverage of a corpus: what it counts, what it calls thin, the gaps that its articles state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.coverage import coverage, to_json, to_markdown
from rag.errors import UserError
from rag.settings import shipped_corpus

REFERENCES = """references:
- {id: imt, publisher: IMT, title: Study, issued: "2022-05", URL: "https://example.org/1", kind: association}
- {id: old, publisher: Press, title: Report, issued: "2014", URL: "https://example.org/2", kind: press}
"""
ARTICLES = {
    "en/jobs": ("Jobs", "size", "[mexico]",
                "In 2022 Mexico had 780,000 jobs [@imt].", "No source seen gives a later count."),
    "es/jobs": ("Empleos", "size", "[mexico]",
                "En 2022 México tenía 780,000 empleos [@imt].", "Ninguna fuente da otro."),
    "en/leon": ("León", "cities", "[leon]", "In 2014 León had 3 centers and 5 firms [@old].", ""),
    "es/leon": ("León", "cities", "[leon]", "En 2014 León tenía 3 centros y 5 empresas [@old].", ""),
}  # fmt: skip
FIGURES = (
    "metric,low,high,unit,place,scope,as_of,source,article,sentence_en,sentence_es\n"
    'jobs,780000,780000,people,mexico,whole sector,2022,imt,jobs,"In 2022 Mexico had 780,000 jobs.",'
    '"En 2022 México tenía 780,000 empleos."\n'
    "centers,3,3,centers,leon,all,2014,old,leon,In 2014 León had 3 centers and 5 firms.,"
    "En 2014 León tenía 3 centros y 5 empresas.\n"
)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "references.yaml").write_text(REFERENCES, encoding="utf-8")
    (tmp_path / "figures.csv").write_text(FIGURES, encoding="utf-8")
    for name, (title, topic, places, *sentences) in ARTICLES.items():
        file = tmp_path / "articles" / f"{name}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        front = f"title: {title}\nlanguage: {name[:2]}\nsummary: S.\ntopic: {topic}\n"
        front += f"places: {places}\nupdated: 2026-11-22\n"
        file.write_text(f"---\n{front}---\n\n{' '.join(sentences)}\n", encoding="utf-8")
    return tmp_path


def test_topics_places_and_years_are_counted(corpus: Path) -> None:
    result = coverage(corpus)
    assert result.articles == {"en": 2, "es": 2}
    assert (result.sources, result.figures, result.updated) == (2, 2, "2026-11-22")
    size = next(row for row in result.topics if row.name == "size")
    assert (size.articles, size.figures, size.sources, size.newest) == (1, 1, 1, "2022-05")
    assert size.years == {"2022": 1}
    assert [(c.topic, c.place, c.year, c.figures) for c in result.cells] == [
        ("cities", "leon", "2014", 1),
        ("size", "mexico", "2022", 1),
    ]


def test_what_is_thin_or_missing_is_said(corpus: Path) -> None:
    result = coverage(corpus)
    leon = next(row for row in result.places if row.name == "leon")
    assert leon.thin == ("few_figures", "few_sources", "old_sources")
    assert "wage" in leon.missing
    assert "centers" not in leon.missing
    assert next(row for row in result.topics if row.name == "law").thin[0] == "no_article"
    assert next(row for row in result.topics if row.name == "guide").thin == ()


def test_the_gaps_that_articles_state_are_listed_in_both_languages(corpus: Path) -> None:
    (gap,) = coverage(corpus).gaps
    assert (gap.article, gap.topic) == ("jobs", "size")
    assert gap.sentences == {"en": "No source seen gives a later count.", "es": "Ninguna fuente da otro."}


def test_it_is_written_as_markdown_and_json(corpus: Path) -> None:
    result = coverage(corpus)
    english, spanish = to_markdown(result), to_markdown(result, "es")
    assert "| size | 1 | 2 | 1 | 0 | 1 | 2022-05 |" in english
    assert "- leon: fewer than 5 figures;" in english
    assert "- No source seen gives a later count. (`jobs`)" in english
    assert "- Ninguna fuente da otro. (`jobs`)" in spanish
    assert "- leon: menos de 5 cifras;" in spanish
    assert json.loads(to_json(result))["topics"][0]["name"] == "size"


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no corpus folder"):
        coverage(tmp_path)


def test_a_corpus_with_faults_is_refused(corpus: Path) -> None:
    (corpus / "figures.csv").write_text("metric\n", encoding="utf-8")
    with pytest.raises(UserError, match="expected the columns"):
        coverage(corpus)


def test_the_shipped_corpus_covers_every_topic_and_states_its_gaps() -> None:
    result = coverage(shipped_corpus())
    assert not [row.name for row in result.topics if "no_article" in row.thin]
    assert all(set(gap.sentences) == {"en", "es"} for gap in result.gaps)
    assert len(result.gaps) > 50
