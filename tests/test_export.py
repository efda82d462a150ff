"""Answers as files, and the check of such a file against the articles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from fake_bot import FakeBot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pages import fake
from typer.testing import CliRunner

from rag.__main__ import app
from rag.answer import Answer
from rag.corpus import Article, Problem, Sentence, Source
from rag.errors import UserError
from rag.evidence import Citation, Claim, Conflict, Statement
from rag.export import FORMATS, export, verify

PEOPLE = "How many people work in contact centers in Mexico, and do sources disagree?"
# Characters that mean something to Markdown, HTML, CSV or a spreadsheet, and ends of lines of every kind.
NASTY = st.text(st.sampled_from("ab é1=+-@'\"<>&[]()*_`#·–|;,\t\n\r ~!“”"), min_size=1, max_size=40)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def checked(folder: Path, answers: list[Answer], form: str, articles: Mapping[str, Article]) -> list[Problem]:
    file = folder / f"export.{form}"
    file.write_bytes(export([a.to_json() for a in answers], form).encode())
    count, problems = verify(file, articles)
    assert count
    return problems


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> FakeBot:
    return fake(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def answers(bot: FakeBot) -> list[Answer]:
    return [bot.ask(q) for q in (PEOPLE, "¿Cómo se pagan las horas extra en México?", "Zebras of Quebec?")]


@pytest.mark.parametrize("form", FORMATS)
@FEW
@given(before=NASTY, cited=NASTY, after=NASTY, told=NASTY, question=NASTY)
def test_what_is_exported_can_be_verified(
    tmp_path: Path, form: str, before: str, cited: str, after: str, told: str, question: str
) -> None:
    text, start = f"{before}x{cited}x{after}", len(before)
    end = start + len(cited) + 2
    source = Source("s", told, told, "2020", f"https://a.test/{told}", kind="press")
    article = Article("a ü`/b", told, "en", text, sentences=(Sentence(start, end, 0, ("s",)),), sources=(source,))
    citation = Citation.of(article, start, end)
    sides = (Statement(citation.quote, "2020", citation), Statement(citation.quote, "", citation))
    answer = Answer(
        question, "en", claims=(Claim(citation.quote, (citation,)),), conflicts=(Conflict(told, told, sides),)
    )
    assert checked(tmp_path, [answer, answer], form, {article.id: article}) == []


@pytest.mark.parametrize("form", FORMATS)
def test_every_changed_character_of_a_quote_is_found_with_its_line(
    tmp_path: Path, form: str, bot: FakeBot, answers: list[Answer]
) -> None:
    assert checked(tmp_path, answers, form, bot.articles) == []
    citation = answers[0].citations[0]
    article = bot.articles[citation.article]
    lines = (tmp_path / f"export.{form}").read_text(encoding="utf-8").split("\n")
    for at in (citation.start, (citation.start + citation.end) // 2, citation.end - 1):
        changed = replace(article, text=f"{article.text[:at]}¤{article.text[at + 1 :]}")
        problems = checked(tmp_path, answers, form, {**bot.articles, article.id: changed})
        assert problems
        assert any(citation.quote[:20] in lines[p.line - 1] for p in problems)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("with 95,636 people", "with 99,999 people", "quote"),
        ("2012-07-08", "2025-07-08", "publication"),
        ("https://eleconomista.com.mx/call", "https://elsewhere.test/call", "publication"),
        ("en/size", "en/gone", "no longer in the corpus"),
    ],
)
def test_what_is_changed_in_the_file_is_found(
    tmp_path: Path, form: str, old: str, new: str, fault: str, bot: FakeBot, answers: list[Answer]
) -> None:
    assert checked(tmp_path, answers, form, bot.articles) == []
    file = tmp_path / f"export.{form}"
    content = file.read_text(encoding="utf-8")
    assert old in content
    file.write_text(content.replace(old, new), encoding="utf-8")
    _, problems = verify(file, bot.articles)
    assert any(fault in p.message for p in problems)


def test_a_sentence_that_is_no_longer_its_quote_is_found(tmp_path: Path, bot: FakeBot, answers: list[Answer]) -> None:
    for form in ("md", "html"):
        checked(tmp_path, answers, form, bot.articles)
        file = tmp_path / f"export.{form}"
        content = file.read_text(encoding="utf-8")
        at = content.index("95,636")
        file.write_text(content[:at] + "99,636" + content[at + 6 :], encoding="utf-8")
        _, problems = verify(file, bot.articles)
        assert [p.message for p in problems] == ["the sentence is not one of the quotes it cites"]


def test_a_changed_publication_is_found(tmp_path: Path, bot: FakeBot, answers: list[Answer]) -> None:
    changed = {
        k: replace(a, sources=tuple(replace(s, issued="1999") for s in a.sources)) for k, a in bot.articles.items()
    }
    for form in FORMATS:
        assert all("publication" in p.message for p in checked(tmp_path, answers, form, changed))
        assert checked(tmp_path, answers, form, changed)


def test_the_page_is_whole_and_runs_nothing(answers: list[Answer]) -> None:
    html = export([replace(answers[0], question="<script>alert(1)</script>").to_json()], "html", language="es")
    assert "<script" not in html
    assert "Preguntas y respuestas" in html
    assert not re.search(r"<(?:img|link|iframe|object)\b| on\w+=|src=", html)


@pytest.mark.parametrize(
    ("form", "head", "parts"),
    [
        ("md", "# Preguntas y respuestas", ("### Sources", "### Fuentes", "### Closest in the sources")),
        ("html", '<html lang="es">', ("<h3>Sources</h3>", "<h3>Fuentes</h3>", "<h3>Closest in the sources</h3>")),
    ],
)
def test_each_answer_is_written_in_its_own_language(
    answers: list[Answer], form: str, head: str, parts: tuple[str, ...]
) -> None:
    written = export([a.to_json() for a in answers], form, language="es")
    assert head in written
    assert [written.index(part) for part in parts] == sorted(written.index(part) for part in parts)


def test_no_cell_is_a_formula(bot: FakeBot) -> None:
    answer = replace(bot.ask(PEOPLE), question="=HYPERLINK(0)")
    assert "\n'=HYPERLINK(0)," in export([answer.to_json()], "csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.md", "# x\n"), ("a.csv", "a,b\n1,2\n"), ("a.html", "<p>x"), ("a.pdf", "x"), ("b.md", None)],
)
def test_what_is_no_export_is_said(tmp_path: Path, name: str, content: str | None) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=re.escape(name)):
        verify(file, {})


def test_bpo_verify_names_the_line_and_ends_with_1(tmp_path: Path, answers: list[Answer]) -> None:
    fake(tmp_path / "corpus")
    file = tmp_path / "export.md"
    content = export([a.to_json() for a in answers], "md")
    file.write_text(content, encoding="utf-8")
    arguments = ["verify", str(file), "--corpus", str(tmp_path / "corpus")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    quoted = next(n for n, line in enumerate(content.split("\n"), 1) if line.startswith("> [1]"))
    file.write_text(re.sub("> \\[1\\] “In", "> [1] “By", content, count=1), encoding="utf-8")
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 1
    assert f"export.md:{quoted}: the quote was changed" in ran.stdout
