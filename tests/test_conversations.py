"""What the page keeps and shows beside the thread, in a real browser: conversations, exports, feedback, the library."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_bot import FakeBot
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import HORAS, OVERTIME, PEOPLE, PHONE, UNKNOWN, Visit, served, visit
from playwright.sync_api import Browser, expect

from rag.answer import Answer
from rag.evaluate.cases import read_cases
from rag.evidence import Citation, Claim
from rag.export import verify
from rag.filter import Filter
from ui import chart, journal, kept, library, render


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("index")


@pytest.fixture(scope="module")
def url(bot: FakeBot, folder: Path) -> Iterator[str]:
    with served(lambda: bot, folder=folder) as address:
        yield address


def quote(bot: FakeBot, mark: Any) -> str:
    _, article, start, end, _ = mark.get_attribute("href").split("/")
    return bot.articles[article.replace("%2F", "/")].text[int(start) : int(end)]


def test_a_conversation_survives_a_reload_with_its_marks_and_its_history(desk: Visit, bot: FakeBot) -> None:
    page = desk.page
    desk.ask(OVERTIME)
    desk.ask(UNKNOWN)
    before = page.locator(".answer.final .claims").first.inner_text()
    expect(page).to_have_url(re.compile("#c/"))
    page.reload()
    expect(page.locator(".answer.final")).to_have_count(2)
    assert page.locator(".answer.final .claims").first.inner_text() == before
    mark = page.locator(".answer.final a.cite").first
    mark.click()
    expect(page.locator("#panel mark.hit")).to_have_text(quote(bot, mark))
    desk.ask(HORAS)
    assert [turn.question for turn in bot.asked[-1][1]] == [OVERTIME, UNKNOWN]
    expect(page.locator(".kept-list li")).to_have_count(1)


def test_conversations_are_listed_found_renamed_deleted_and_brought_back(desk: Visit) -> None:
    page = desk.page
    desk.ask(OVERTIME)
    page.locator("#side .new").click()
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator(".asked")).to_have_count(0)
    desk.ask(HORAS)
    rows = page.locator(".kept-list li")
    expect(rows.locator("a")).to_have_text([HORAS, OVERTIME])
    page.get_by_role("searchbox", name="Search conversations").fill("ordinary HOUR")
    expect(rows.locator("a")).to_have_text([OVERTIME])
    rows.locator("a").click()
    expect(page.locator(".asked")).to_contain_text([OVERTIME])
    expect(page.locator(".asked")).to_have_count(1)
    page.get_by_role("button", name="Rename").click()
    page.keyboard.type("Pay")
    page.keyboard.press("Enter")
    page.get_by_role("searchbox", name="Search conversations").fill("")
    expect(rows.locator("a")).to_have_text([HORAS, "Pay"])
    page.get_by_role("searchbox", name="Search conversations").fill("zebra")
    expect(page.locator(".kept-list")).to_have_text("Nothing found.")
    page.get_by_role("searchbox", name="Search conversations").fill("")
    rows.nth(0).hover()
    page.get_by_role("button", name=f"Delete: {HORAS}").click()
    expect(rows.locator("a")).to_have_text(["Pay"])
    page.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(2)


def test_filters_shape_answers_until_one_click_clears_them(desk: Visit, bot: FakeBot) -> None:
    page = desk.page
    page.locator("#filters summary").click()
    page.get_by_role("checkbox", name="press").check()
    page.get_by_label("Published until").fill("2012-12-31")
    page.get_by_label("Place").select_option("mexico")
    page.keyboard.press("Escape")
    expect(page.locator("#filters summary")).to_be_focused()
    expect(page.locator("#filters .chosen")).to_have_text("press · Published until 12/31/2012 · Mexico")
    answer = desk.ask(PEOPLE)
    assert bot.within == Filter(kinds=("press",), until="2012-12-31", place="mexico")
    expect(answer.locator(".within")).to_have_text("Filtered: press · until December 31, 2012 · Mexico")
    expect(answer.locator(".claim")).to_have_count(1)
    expect(desk.ask("How is overtime paid?")).to_contain_text("The filters keep out 1.")
    page.reload()
    expect(page.locator(".answer.final .within")).to_have_count(2)
    expect(page.locator("#filters .chosen")).to_contain_text("press")
    page.get_by_role("button", name="Ask again without filters").click()
    expect(page.locator(".answer.final")).to_have_count(3)
    expect(page.locator(".answer.final").last.locator(".within")).to_have_count(0)
    expect(page.locator("#filters .chosen")).to_have_text("")
    assert not bot.within


def test_filters_fit_a_phone_in_spanish_and_end_with_their_conversation(
    browser: Browser, url: str, bot: FakeBot
) -> None:
    with visit(browser, url, locale="es-MX", **PHONE) as there:
        page = there.page
        page.locator("#filters summary").tap()
        page.get_by_role("checkbox", name="gobierno").check()
        page.get_by_label("Idioma de la publicación").select_option("es")
        choices = page.locator("#filters .choices")
        assert choices.evaluate("e => e.scrollWidth <= e.clientWidth && e.getBoundingClientRect().right <= innerWidth")
        page.locator("#filters summary").tap()
        expect(there.ask(HORAS).locator(".within")).to_have_text("Con filtro: gobierno · español")
        clear = page.get_by_role("button", name="Quitar filtros")
        expect(clear).to_be_in_viewport()
        page.locator("button.side").tap()
        page.locator("#side .new").tap()
        expect(page.locator(".asked")).to_have_count(0)
        expect(clear).to_be_hidden()
        there.ask(HORAS)
        assert not bot.within
        page.locator("button.side").tap()
        page.locator(".kept-list li a").last.tap()
        expect(page.locator(".within")).to_be_visible()
        expect(clear).to_be_visible()
        clear.tap()
        expect(page.locator("#filters .chosen")).to_have_text("")


def test_a_link_asks_a_conversation_again(browser: Browser, url: str) -> None:
    with visit(browser, url, permissions=["clipboard-read", "clipboard-write"]) as there:
        copied = "navigator.clipboard.readText()"
        there.ask(OVERTIME).get_by_role("button", name="Copy with sources").click()
        expect(there.page.locator("#spoken")).to_have_text("Copied.")
        assert re.search(r"\[1\] Cámara de Diputados, .*, https://www.diputados", there.page.evaluate(copied))
        there.ask("Zebras?")
        there.page.locator(".menu summary").click()
        there.page.get_by_role("button", name="Copy a link that asks this again").click()
        expect(there.page.locator(".menu > div")).to_be_hidden()
        link = there.page.evaluate(copied)
        there.page.goto("about:blank")
        there.page.goto(link)
        expect(there.page.locator(".asked")).to_contain_text([OVERTIME, "Zebras?"])
        expect(there.page.locator(".answer.final")).to_have_count(2)


@pytest.mark.parametrize("form", ["md", "html", "csv"])
def test_what_is_downloaded_can_be_verified(desk: Visit, bot: FakeBot, tmp_path: Path, form: str) -> None:
    desk.ask(PEOPLE)
    desk.page.locator(".menu summary").click()
    with desk.page.expect_download() as downloading:
        desk.page.locator(f".menu [value={form}]").click()
    file = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(file)
    assert file.name.startswith("how-many-people")
    assert verify(file, bot.articles) == (len(bot.ask(PEOPLE).citations), [])


def test_feedback_is_kept_and_becomes_a_case(desk: Visit, folder: Path) -> None:
    page = desk.page
    desk.ask(OVERTIME).locator("a.cite").nth(1).click()
    page.get_by_role("button", name="Does not support this").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("247 contact centers")
    dialog.get_by_label("wrong number").check()
    dialog.get_by_label("What should it say?").fill("100%")
    dialog.get_by_label("Make it a test case").check()
    dialog.get_by_role("button", name="Send").click()
    expect(page.locator("#spoken")).to_contain_text("Thank you")
    said = json.loads((folder / "feedback.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert (said["good"], said["reason"], said["citation"]) == (False, "number", 2)
    assert said["answer"]["question"] == OVERTIME
    assert said["answer"]["index_version"] == ""
    (case,) = read_cases(folder / "cases.jsonl")[:1]
    assert (case.question, case.answers) == (OVERTIME, ("100%",))
    page.get_by_role("button", name="Right", exact=True).click()
    expect(dialog).to_contain_text("What was good about this answer?")
    dialog.get_by_label("In your words").fill("The article of the law.")
    with page.expect_response("**/feedback"):
        dialog.get_by_role("button", name="Send").click()
    said = json.loads((folder / "feedback.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert (said["good"], said["note"], said["citation"]) == (True, "The article of the law.", None)


def test_the_library_shows_articles_publications_and_coverage(desk: Visit, bot: FakeBot) -> None:
    page = desk.page
    desk.ask(OVERTIME)
    page.locator("#top .views").get_by_role("link", name="Library").click()
    expect(page.locator("#view h2")).to_be_focused()
    page.locator("#view a.read").first.click()
    expect(page.locator("#panel .text h2")).to_contain_text("Contact centers in Mexico")
    page.locator("#view .tabs").get_by_role("link", name="Publications").click()
    page.locator("#view .kinds").get_by_role("link", name="press").click()
    expect(page.locator("#view .shelf .publisher")).to_have_text(["El Economista"])
    page.locator("#view .tabs").get_by_role("link", name="Coverage").click()
    expect(page.locator("#view tbody tr").first).to_contain_text("Size")
    page.get_by_role("searchbox", name="Search the articles").fill("Sunday premium")
    page.keyboard.press("Enter")
    found = page.locator("#view .found a.read").first
    found.click()
    expect(page.locator("#panel mark.hit").first).to_be_visible()
    page.go_back()
    expect(page.locator("#view table").first).to_be_visible()
    page.locator("#top .views").get_by_role("link", name="Chat").click()
    expect(page.locator("#view")).to_be_hidden()
    expect(page.locator(".answer.final")).to_have_count(1)


def test_an_article_offers_questions_that_it_answers(browser: Browser, url: str) -> None:
    with visit(browser, url, **PHONE) as there:
        page = there.page
        page.goto(f"{url}#view/library")
        page.locator("#view a.read").first.tap()
        offered = page.locator("#panel .asks .ask").first
        words = offered.text_content() or ""
        offered.tap()
        expect(page.locator("#view")).to_be_hidden()
        expect(page.locator("#panel")).to_be_hidden()
        expect(page.locator(".asked")).to_contain_text(words)
        expect(page.locator(".answer.final a.cite").first).to_be_visible()


def test_on_a_phone_conversations_are_a_drawer(browser: Browser, url: str) -> None:
    with visit(browser, url, **PHONE) as there:
        page = there.page
        there.ask(OVERTIME)
        expect(page.locator("#side")).to_be_hidden()
        page.get_by_role("button", name="Conversations and views").tap()
        expect(page.locator(".kept-list li")).to_have_count(1)
        page.locator("#side").get_by_role("link", name="Library").tap()
        expect(page.locator("#side")).to_be_hidden()
        expect(page.locator("#view h2")).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


# --- without a browser ------------------------------------------------------------------------------


@pytest.mark.parametrize("question", [OVERTIME, PEOPLE, UNKNOWN, HORAS])
def test_what_is_kept_shows_the_same_answer(bot: FakeBot, question: str) -> None:
    answer = bot.ask(question)
    ((turn, again),) = kept.read_kept(f"[{kept.keep(answer)}]", bot)
    assert turn == 1
    assert render.answer(again, 1, "x") == render.answer(kept.answer_of(json.loads(kept.keep(answer)), bot), 1, "x")
    assert again.to_json() == {**answer.to_json(), "passages": [], "timings_ms": {}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(["question", "claims", "citations", "conflicts", "language", "text", "closest", "missing"]), JSON
)
def test_nothing_that_a_browser_kept_breaks_the_page(name: str, value: object) -> None:
    bot = FakeBot(())
    good = json.loads(kept.keep(Answer("q", "en", note="n")))
    for text in (json.dumps(value), json.dumps([value]), json.dumps([{**good, name: value}])):
        for turn, answer in kept.read_kept(text, bot):
            assert "\n" not in render.answer(answer, turn)


def test_feedback_that_is_none_is_refused(tmp_path: Path) -> None:
    for wrong in ({}, {"answer": 1, "good": True}, {"answer": {"question": "q"}, "good": 1}):
        with pytest.raises(ValueError, match="expected"):
            journal.keep_feedback(tmp_path, wrong)
    assert not list(tmp_path.iterdir())


def test_a_good_answer_becomes_a_case_with_its_quotes(tmp_path: Path, bot: FakeBot) -> None:
    answer = json.loads(kept.keep(bot.ask(OVERTIME)))
    history = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]
    journal.keep_feedback(tmp_path, {"answer": answer, "good": True, "case": True, "history": history})
    (case,) = read_cases(tmp_path / "cases.jsonl")
    assert case.answerable
    assert [g.quote for g in case.gold] == [c["quote"] for c in answer["citations"]]


@pytest.mark.parametrize(("level", "shown"), [("figures", False), ("questions", True)])
def test_a_question_is_logged_only_when_asked_for(
    capsys: pytest.CaptureFixture[str], bot: FakeBot, level: str, shown: bool
) -> None:
    journal.log.handlers.clear()
    journal.start_record(level)
    try:
        journal.record(bot.ask(OVERTIME))
    finally:
        journal.log.handlers.clear()
        journal.log.setLevel("NOTSET")
        journal.log.propagate = True
    line = capsys.readouterr().err
    assert json.loads(line)["claims"] == 4
    assert ("overtime" in line) == shown


def claim(words: str, bot: FakeBot) -> Claim:
    return Claim(words, (Citation.of(bot.articles["en/size"], 1, 88),))


def test_three_dated_values_of_one_thing_are_a_series(bot: FakeBot) -> None:
    sentences = (
        "Mexico had 247 centers in 2012.",
        "In 2015 there were 310 centers.",
        "By 2020, 1,204 centers were counted.",
        "Since March 1, 2021, there are 1,300 centers.",
        "El 15 de mayo de 2022 había 1,400 centers.",
        "Wages rose 5% in 2020.",
        "Between 2012 and 2013 there were 250 centers.",
    )
    answer = Answer("q", "en", claims=tuple(claim(s, bot) for s in sentences))
    sizes = {v.year: v.size for v in chart.values_over_time(answer)}
    assert sizes == {2012: 247, 2015: 310, 2020: 1204, 2021: 1300, 2022: 1400}
    html = render.answer(answer, 1)
    assert html.count('<th scope="row">') == 5
    assert chart.values_over_time(Answer("q", "en", claims=answer.claims[:2])) == []


def test_an_article_without_questions_offers_none(bot: FakeBot) -> None:
    assert library.questions(bot, bot.articles["en/size"]) == (
        "How many people work in contact centers?",
        "How are hours and overtime paid?",
    )
