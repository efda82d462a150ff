"""`bpo ingest --check`: a clean corpus is clean; every kind of fault is named with its file and line."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rag.check import check, copied_runs
from rag.check.prose import has_year, measures, says_value, states_figure
from rag.settings import shipped_corpus

REFERENCES = """references:
- id: imt-2022
  publisher: IMT
  title: "Estudio"
  issued: "2022-05"
  URL: https://example.org/imt
  language: es
  kind: association
- id: vendor
  publisher: CallZent
  title: "Numbers"
  URL: https://example.org/vendor
  language: en
  kind: vendor
  note: "undated"
  note-es: "sin fecha"
"""
THIRD = """references:
- id: third
  publisher: Press
  title: "Third"
  issued: "2020"
  URL: https://example.org/3
  kind: press
"""
ENGLISH = """---
title: Jobs in Mexico
language: en
summary: How many people work in the contact centers of Mexico.
topic: size
places: [mexico]
updated: 2026-11-22
---

In 2022 the contact centers of Mexico employed 780,000 people in all [@imt-2022].

## How many centers are there?

A vendor counts 300 call centers in Mexico on an undated page [@vendor].
No source seen gives a count for 2025.

## Related articles

- [Pay in Tijuana](pay.md)
"""
SPANISH = """---
title: Empleos en México
language: es
summary: Cuántas personas trabajan en los centros de contacto de México.
topic: size
places: [mexico]
updated: 2026-11-22
---

En 2022 los centros de contacto de México empleaban a 780,000 personas en total [@imt-2022].

## ¿Cuántos centros hay?

Un proveedor cuenta 300 call centers en México en una página sin fecha [@vendor].
Ninguna fuente da un conteo de 2025.

## Artículos relacionados

- [Pago en Tijuana](pay.md)
"""
PAY = """---
title: Pay in Tijuana
language: en
summary: What agents earn in Tijuana, in pesos.
topic: pay
places: [tijuana]
updated: 2026-11-22
---

Bilingual agents in Tijuana earned 3,000 pesos a week in 2019 by a local report [@imt-2022].
"""
PAGO = """---
title: Pago en Tijuana
language: es
summary: Cuánto ganan los agentes en Tijuana, en pesos.
topic: pay
places: [tijuana]
updated: 2026-11-22
---

Los agentes bilingües en Tijuana ganaban 3,000 pesos a la semana en 2019, según un reporte local [@imt-2022].
"""
FIGURES = (
    "metric,low,high,unit,place,scope,as_of,source,article,sentence_en,sentence_es\n"
    "jobs,780000,780000,people,mexico,whole sector,2022,imt-2022,jobs,"
    '"In 2022 the contact centers of Mexico employed 780,000 people in all.",'
    '"En 2022 los centros de contacto de México empleaban a 780,000 personas en total."\n'
)
QUOTES = {
    "en": "In 2022 the contact centers of Mexico employed 780,000 people in all.",
    "es": "En 2022 los centros de contacto de México empleaban a 780,000 personas en total.",
}


def question(language: str, **changes: Any) -> dict[str, Any]:
    tags = {"kind": "figure", "topic": "size", "article": "jobs", "pair": "how-many", "split": "test"}
    gold = {
        "doc": f"{language}/jobs",
        "quote": QUOTES[language],
        "start": 1,
        "end": 1 + len(QUOTES[language]),
    }
    case = {
        "id": f"how-many-{language}",
        "question": "How many?",
        "language": language,
        "answerable": True,
        "answer_groups": [["780,000", "780 thousand"]],
        "gold": [gold],
        "tags": tags,
    }
    return {**case, **changes}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for language in ("en", "es"):
        (tmp_path / "articles" / language).mkdir(parents=True)
    (tmp_path / "references.yaml").write_text(REFERENCES, encoding="utf-8")
    (tmp_path / "articles/en/jobs.md").write_text(ENGLISH, encoding="utf-8")
    (tmp_path / "articles/es/jobs.md").write_text(SPANISH, encoding="utf-8")
    (tmp_path / "articles/en/pay.md").write_text(PAY, encoding="utf-8")
    (tmp_path / "articles/es/pay.md").write_text(PAGO, encoding="utf-8")
    (tmp_path / "figures.csv").write_text(FIGURES, encoding="utf-8")
    (tmp_path / "glossary.csv").write_text("en,es,note\nseat,posición,\n", encoding="utf-8")
    ask(tmp_path, question("en"), question("es"))
    return tmp_path


def ask(corpus: Path, *cases: dict[str, Any]) -> None:
    lines = "".join(json.dumps(c, ensure_ascii=False) + "\n" for c in cases)
    (corpus / "questions.jsonl").write_text(lines, encoding="utf-8")


def found(corpus: Path) -> list[str]:
    return [str(p).replace(f"{corpus}/", "").replace("articles/", "") for p in check(corpus)]


def test_a_clean_corpus_is_clean(corpus: Path) -> None:
    assert found(corpus) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("en/jobs.md", "topic: size", "topik: size", "en/jobs.md:5: front matter: unknown 'topik'"),
        ("en/jobs.md", "topic: size", "topic: sizes", "en/jobs.md:1: front matter: topic 'sizes'"),
        ("en/jobs.md", "summary: How", "summari: How", "en/jobs.md:1: front matter has no `summary`"),
        ("en/jobs.md", "[mexico]", "[Mexico City]", "en/jobs.md:1: front matter: expected `places"),
        ("en/jobs.md", "[@vendor]", "[@nobody]", "en/jobs.md:14: source 'nobody' is not in"),
        ("en/jobs.md", "[@vendor]", "[@vendor, p. 3]", "en/jobs.md:14: citation '[@vendor, p. 3]'"),
        ("en/jobs.md", " [@vendor]", "", "en/jobs.md:14: a figure or a year without a source"),
        ("en/jobs.md", " on an undated page", "", "en/jobs.md:14: a figure without its year"),
        ("es/jobs.md", "300 call", "400 call", "es/jobs.md:14: figures differ from line 14 of en/jobs"),
        ("es/jobs.md", "[@vendor]", "[@imt-2022]", "es/jobs.md:14: sources differ from line 14"),
        ("es/jobs.md", "## ¿Cuántos centros hay?\n\n", "", "es/jobs.md: 1 headings, 2 in en/jobs"),
        ("es/jobs.md", "Ninguna fuente da un conteo de 2025.", "", "es/jobs.md:12: 1 sentences"),
        ("es/jobs.md", "places: [mexico]", "places: [leon]", "es/jobs.md:1: `places` differs"),
        ("en/jobs.md", "(pay.md)", "(wages.md)", "en/jobs.md:19: link to 'wages.md': no such"),
        ("en/jobs.md", "[Pay in", "[Wages in", "en/jobs.md:19: link reads 'Wages in Tijuana'"),
        ("references.yaml", "- id: vendor", "- id: seller", "en/jobs.md:14: source 'vendor' is not in"),
        ("references.yaml", "references:", THIRD, "references.yaml:2: source 'third' stands behind no"),
        ("references.yaml", '"undated"', '"by content"', "references.yaml:9: source 'vendor' has no"),
        ("references.yaml", "note-es", "nota", "references.yaml:9: source 'vendor': its note must stand in"),
        ("references.yaml", "org/vendor", "org/imt", "references.yaml:9: source 'vendor' has the address of"),
        ("figures.csv", "jobs,780000", "job,780000", "figures.csv:2: metric 'job' is none of"),
        ("figures.csv", "780000,people", "770000,people", "figures.csv:2: low 780000 is above high 770000"),
        ("figures.csv", "780000,780000", "780,780", "figures.csv:2: 780 is not in sentence_en"),
        ("figures.csv", "780000,780000", "many,780000", "figures.csv:2: low 'many'"),
        ("figures.csv", "people,mexico", "posts,mexico", "figures.csv:2: unit 'posts': jobs is given"),
        ("figures.csv", ",2022,", ",2021,", "figures.csv:2: as_of 2021, but sentence_en does not"),
        ("figures.csv", ",2022,", ",undated,", "figures.csv:2: as_of undated, but sentence_en does"),
        ("figures.csv", "imt-2022,jobs", "vendor,jobs", "figures.csv:2: source 'vendor' is not behind"),
        ("figures.csv", "imt-2022,jobs", "imt-2022,job", "figures.csv:2: article 'job': there is no"),
        ("figures.csv", "employed 780", "had 780", "figures.csv:2: sentence_en is no sentence of en/jobs"),
        ("figures.csv", "metric,low", "metrics,low", "figures.csv:1: expected the columns"),
        ("glossary.csv", "posición", "", "glossary.csv:2: expected a term in both languages"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_file_and_line(corpus: Path, file: str, old: str, new: str, expected: str) -> None:
    path = corpus / ("articles" if file.endswith(".md") else "") / file
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf-8")
    assert any(line.startswith(expected) for line in found(corpus)), found(corpus)


def test_a_missing_language_is_named(corpus: Path) -> None:
    (corpus / "articles/es/pay.md").unlink()
    assert "en/pay.md: there is no es/pay.md" in found(corpus)


def test_a_fact_told_twice_in_the_same_words_is_named(corpus: Path) -> None:
    path = corpus / "articles/en/pay.md"
    again = "The contact centers of Mexico in 2022 employed 780,000 people in all [@imt-2022].\n"
    path.write_text(path.read_text(encoding="utf-8") + "\n" + again, encoding="utf-8")
    assert any(line.startswith("en/pay.md:12: nearly the words of line 10 of en/jobs") for line in found(corpus))


def _without_quote(case: dict[str, Any]) -> None:
    case["gold"][0]["quote"] = "It is so."


def _shifted(case: dict[str, Any]) -> None:
    case["gold"][0]["start"] += 1


def _unmet(case: dict[str, Any]) -> None:
    case["answer_groups"] = [["780,000"], ["160,000", "160 thousand"]]


def _other_article(case: dict[str, Any]) -> None:
    case["gold"][0]["doc"] = "en/nothing"


def _unanswerable(case: dict[str, Any]) -> None:
    case["answerable"] = False


def _other_topic(case: dict[str, Any]) -> None:
    case["tags"]["topic"] = "pay"


def _other_split(case: dict[str, Any]) -> None:
    case["tags"]["split"] = "tune"


def _other_pair(case: dict[str, Any]) -> None:
    case["tags"]["pair"] = "alone"


def _same_id(case: dict[str, Any]) -> None:
    case["id"] = "how-many-es"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (_without_quote, "questions.jsonl:1: gold is no sentence of en/jobs: 'It is so.'"),
        (_shifted, "questions.jsonl:1: gold offsets 2-70 of en/jobs are not"),
        (_unmet, "questions.jsonl:1: no member of ['160,000', '160 thousand'] is in the gold"),
        (_other_article, "questions.jsonl:1: gold 'en/nothing': no such article"),
        (_unanswerable, "questions.jsonl:1: not answerable, but with `gold` or `answer_groups`"),
        (_other_topic, "questions.jsonl:1: tag topic 'pay', but en/jobs is of topic 'size'"),
        (_other_split, "questions.jsonl:2: split 'test', but other questions of 'jobs' are 'tune'"),
        (_other_pair, "questions.jsonl:1: pair 'alone': expected one question in each of en, es"),
        (_same_id, "questions.jsonl:2: id 'how-many-es' is that of line 1"),
    ],
)
def test_a_question_out_of_step_is_named(corpus: Path, fault: Callable[[dict[str, Any]], None], expected: str) -> None:
    english = question("en")
    fault(english)
    ask(corpus, english, question("es"))
    assert any(line.startswith(expected) for line in found(corpus)), found(corpus)


NEAR_MISS = {
    "article": "en/jobs",
    "quote": "In 2022 the contact centers of Mexico employed 780,000 people in all.",
    "answered": "How many people?",
    "missed": "How many women?",
}


@pytest.mark.parametrize(
    ("file", "changed", "expected"),
    [
        ("near-misses.jsonl", {"article": "en/none"}, "near-misses.jsonl:2: article 'en/none': no such article"),
        ("near-misses.jsonl", {"quote": "It is so."}, "near-misses.jsonl:2: no sentence of en/jobs: 'It is so.'"),
        ("near-misses.jsonl", {"missed": ""}, "near-misses.jsonl:2: expected a question that is `answered`"),
        ("near-misses.jsonl", {"missed": "how many PEOPLE?"}, "near-misses.jsonl:2: asks what line 1 asks"),
        ("tuning.jsonl", {"question": "Why?"}, "tuning.jsonl:2: expected a `question`, and a `language` of"),
        ("tuning.jsonl", {"question": "Why?", "language": "en"}, "tuning.jsonl:2: expected `answerable`"),
    ],
)
def test_a_question_to_learn_from_that_does_not_hold_is_named(
    corpus: Path, file: str, changed: dict[str, str], expected: str
) -> None:
    good = NEAR_MISS if file.startswith("near") else {"question": "Who?", "language": "en", "answerable": False}
    bad = {**NEAR_MISS, "answered": "?", "missed": "??"} if file.startswith("near") else {}
    lines = [json.dumps(good), json.dumps({**bad, **changed})]
    (corpus / file).write_text(lines[0], encoding="utf-8")
    assert not found(corpus)
    (corpus / file).write_text("\n".join(lines), encoding="utf-8")
    assert any(line.startswith(expected) for line in found(corpus)), found(corpus)


def test_questions_that_are_not_json_are_named(corpus: Path) -> None:
    path = corpus / "questions.jsonl"
    path.write_text(path.read_text(encoding="utf-8") + "{not json\n", encoding="utf-8")
    assert any(line.startswith("questions.jsonl:3: not JSON") for line in found(corpus))


@pytest.mark.parametrize("file", ["figures.csv", "questions.jsonl", "glossary.csv"])
def test_a_missing_table_is_named(corpus: Path, file: str) -> None:
    (corpus / file).unlink()
    assert f"{file}: not there" in found(corpus)


def test_a_folder_that_is_no_corpus_is_named(tmp_path: Path) -> None:
    assert "expected a corpus folder" in str(check(tmp_path)[0])


def test_words_taken_over_are_found(corpus: Path, tmp_path: Path) -> None:
    originals = tmp_path / "originals"
    originals.mkdir()
    original = originals / "study.txt"
    original.write_text("We say: in 2022 the CONTACT CENTERS of México employed\nmany.", encoding="utf-8")
    problems = copied_runs(corpus, originals)
    assert [(Path(p.file).name, p.line) for p in problems] == [("jobs.md", 10)]
    assert "8 consecutive words of study.txt: 'in 2022 the contact centers of mexico employed'" in problems[0].message
    assert copied_runs(corpus, [original], n=9) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("As of May 2026, articles 47, 48 and 50 of the LFT give 20 days.", {"20"}),
        ("NOM-037-STPS-2023 and ISO 27001:2022 are standards.", set()),
        ("Collection calls are allowed from 7:00 to 22:00, 24/7 centers included.", set()),
        ("El nivel 3 y la fracción II del artículo 15 valen para 1,500 personas.", {"1500"}),
        ("The bill S.2495 covers firms with 50 workers.", {"50"}),
    ],
)
def test_what_measures_is_told_from_what_names(text: str, expected: set[str]) -> None:
    assert measures(text) == expected


def test_years_and_undated_sources() -> None:
    assert has_year("in the mid-2000s")
    assert has_year("en un texto sin fecha")
    assert not has_year("2,100 people")
    assert states_figure("It rose in 2021.")
    assert not states_figure("Ask a vendor about NOM-035.")


@pytest.mark.parametrize(
    ("text", "value", "unit", "expected"),
    [
        ("US$1.4 billion", "1400000000", "usd", True),
        ("1.4 mil millones de dólares", "1400000000", "usd", True),
        ("about half of the staff", "50", "percent", True),
        ("up to 11.875% by 2030", "11.875", "percent", True),
        ("from 3 months to 3 years", "36", "months", True),
        ("tres millones de personas", "3000000", "people", True),
        ("85,000 posts", "8500", "seats", False),
    ],
)
def test_a_value_is_found_in_its_sentence(text: str, value: str, unit: str, expected: bool) -> None:
    assert says_value(text, Decimal(value), unit) is expected


def test_the_shipped_corpus_is_clean_and_quickly_checked() -> None:
    started = time.monotonic()
    assert [str(p) for p in check(shipped_corpus())] == []
    assert time.monotonic() - started < 20
