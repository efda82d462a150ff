"""The page in a real browser."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fake_bot import FakeBot
from hypothesis import given
from hypothesis import strategies as st
from pages import HORAS, OVERTIME, PEOPLE, PHONE, UNKNOWN, Visit, documents, served, visit
from playwright.sync_api import Browser, expect

from rag.answer import Answer
from rag.chat import Chatbot
from rag.corpus import KINDS, Article, Sentence, Source
from rag.errors import UserError
from rag.evidence import Citation, Claim
from rag.text import Span
from ui import frame, gate, kept, reader, render, words


def quote(visiting: Visit, bot: FakeBot | Chatbot, mark: Any) -> str:
    """The words that a mark cites, taken from the article."""
    _, article, start, end, _ = mark.get_attribute("href").split("/")
    return bot.articles[article.replace("%2F", "/")].text[int(start) : int(end)]


def test_a_click_on_a_mark_opens_the_article_with_the_quote_highlighted(desk: Visit, bot: FakeBot) -> None:
    answer = desk.ask(OVERTIME)
    mark = answer.locator("a.cite").first
    mark.click()
    hit = desk.page.locator("#panel mark.hit")
    expect(hit).to_have_text(quote(desk, bot, mark))
    expect(hit).to_be_in_viewport()
    expect(desk.page.locator("#panel h2", has_text="Contact centers in Mexico")).to_be_visible()
    origin = desk.page.locator("#panel .origin")
    expect(origin).to_contain_text("Cámara de Diputados")
    expect(origin).to_contain_text("May 1, 2026")
    link = origin.get_by_role("link", name="Ley Federal del Trabajo")
    expect(link).to_have_attribute("href", "https://www.diputados.gob.mx/lft.pdf")
    expect(link).to_have_attribute("target", "_blank")


def test_every_mark_opens_its_own_words(desk: Visit, bot: FakeBot) -> None:
    answer = desk.ask(PEOPLE)
    marks = answer.locator(".claims a.cite")
    assert marks.count() > 2
    for n in range(marks.count()):
        marks.nth(n).click()
        expect(marks.nth(n)).to_have_attribute("aria-current", "true")
        expect(desk.page.locator("#panel mark.hit")).to_have_text(quote(desk, bot, marks.nth(n)))
        expect(desk.page.locator("#panel .place")).to_have_text(f"{n + 1} / {marks.count()}")
    others = desk.page.locator("#panel mark.also").all_text_contents()
    assert others
    assert set(others) <= {quote(desk, bot, marks.nth(n)) for n in range(marks.count() - 1)}
    desk.page.get_by_role("button", name="Previous cited sentence").click()
    expect(desk.page.locator("#panel mark.hit")).to_have_text(quote(desk, bot, marks.nth(marks.count() - 2)))
    desk.page.get_by_role("button", name="Next cited sentence").click()
    expect(desk.page.locator("#panel mark.hit")).to_have_text(quote(desk, bot, marks.last))


def test_the_answer_lists_its_sources_beside_it(desk: Visit) -> None:
    answer = desk.ask(OVERTIME)
    cards = desk.page.locator("#panel .card")
    expect(cards).to_have_count(answer.locator(".claims a.cite").count())
    expect(cards.first).to_contain_text("Cámara de Diputados")
    expect(cards.first).to_contain_text("government")
    cards.first.locator("a.open").click()
    expect(desk.page.locator("#panel mark.hit")).to_be_in_viewport()


def test_the_verdict_counts_sentences_sources_and_the_newest_date(desk: Visit) -> None:
    answer = desk.ask(PEOPLE)
    expect(answer.locator(".verdict")).to_have_text(
        re.compile(r"(\d) of \1 sentences quoted · \d independent sources · newest \w+ 20\d\d")
    )


def test_disagreeing_sources_are_both_shown(desk: Visit, bot: FakeBot) -> None:
    answer = desk.ask(PEOPLE)
    conflict = answer.get_by_role("note")
    expect(conflict).to_contain_text("Sources disagree")
    expect(conflict.locator("tbody tr")).to_have_count(2)
    mark = conflict.locator("a.cite").last
    mark.click()
    expect(desk.page.locator("#panel mark.hit")).to_have_text(quote(desk, bot, mark))


def test_a_spanish_question_is_answered_in_spanish(desk: Visit, bot: FakeBot) -> None:
    answer = desk.ask(HORAS)
    expect(answer).to_have_attribute("lang", "es")
    expect(answer.locator(".verdict")).to_contain_text("mayo de 2026")
    mark = answer.locator("a.cite").first
    mark.click()
    expect(desk.page.locator("#panel mark.hit")).to_have_text(quote(desk, bot, mark))
    expect(desk.page.locator("#panel article")).to_have_attribute("lang", "es")


def test_a_refusal_shows_what_the_sources_have_nearest(desk: Visit, bot: FakeBot) -> None:
    answer = desk.ask(UNKNOWN)
    refusal = answer.get_by_role("note")
    expect(refusal).to_contain_text("Not in these sources")
    expect(refusal).to_contain_text("The sources do not answer this question.")
    expect(answer.locator(".claims")).to_have_count(0)
    mark = refusal.locator("a.cite").first
    mark.click()
    expect(desk.page.locator("#panel mark.hit")).to_have_text(quote(desk, bot, mark))


def test_marks_of_earlier_answers_keep_working(desk: Visit, bot: FakeBot) -> None:
    first = desk.ask(OVERTIME)
    desk.ask(HORAS)
    desk.ask(UNKNOWN)
    mark = first.locator("a.cite").last
    mark.click()
    expect(desk.page.locator("#panel mark.hit")).to_have_text(quote(desk, bot, mark))
    ids = desk.page.locator("[id]").evaluate_all("all => all.map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_the_history_reaches_the_chatbot(desk: Visit, bot: FakeBot) -> None:
    desk.ask(OVERTIME)
    desk.ask("And on Sunday in Mexico?")
    question, history = bot.asked[-1]
    assert question == "And on Sunday in Mexico?"
    assert [turn.question for turn in history] == [OVERTIME]
    assert history[0].answer.endswith("]")


def test_two_visitors_do_not_see_each_other(browser: Browser, url: str, desk: Visit, bot: FakeBot) -> None:
    desk.ask(OVERTIME)
    with visit(browser, url) as other:
        other.ask(HORAS)
        assert bot.asked[-1] == (HORAS, ())
        expect(other.page.locator(".asked")).to_have_count(1)


def test_the_keyboard_alone_leads_from_question_to_mark_to_article_and_back(desk: Visit, bot: FakeBot) -> None:
    page = desk.page
    expect(page.get_by_test_id("textbox")).to_be_visible()
    page.locator("#top .theme").focus()
    page.keyboard.press("/")
    expect(page.get_by_test_id("textbox")).to_be_focused()
    page.keyboard.type(OVERTIME)
    page.keyboard.press("Enter")
    mark = page.locator(".answer.final a.cite").first
    expect(mark).to_be_visible()
    for _ in range(30):
        page.keyboard.press("Shift+Tab")
        if mark.evaluate("m => m === document.activeElement"):
            break
    expect(mark).to_be_focused()
    expect(page.locator("#card")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#panel mark.hit")).to_have_text(quote(desk, bot, mark))
    expect(page.locator("#panel article h2")).to_be_focused()
    page.keyboard.press("]")
    expect(page.locator("#panel .place")).to_have_text(re.compile(r"^2 /"))
    page.keyboard.press("[")
    expect(page.locator("#panel .place")).to_have_text(re.compile(r"^1 /"))
    page.keyboard.press("Escape")
    expect(mark).to_be_focused()
    expect(page.locator("#panel .card").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()


def test_the_hover_card_shows_publisher_date_and_the_words_in_context(desk: Visit, bot: FakeBot) -> None:
    answer = desk.ask("How many contact centers stood in Mexico City in 2012?")
    mark = answer.locator("a.cite").first
    mark.hover()
    card = desk.page.locator("#card")
    expect(card).to_be_visible()
    expect(card).to_contain_text("Instituto Mexicano de Teleservicios")
    expect(card).to_contain_text("association")
    expect(card.locator("time")).to_have_text("2012")
    expect(card.locator("mark")).to_have_text(quote(desk, bot, mark))
    words = card.locator(".context").text_content() or ""
    assert len(words) > len(quote(desk, bot, mark)) + 40
    desk.page.keyboard.press("Escape")
    expect(card).to_be_hidden()


def test_an_answer_is_announced_once(desk: Visit) -> None:
    desk.ask(OVERTIME)
    expect(desk.page.locator("#spoken")).to_have_text(
        re.compile(r"Answer ready: \d of \d sentences quoted, \d independent sources?\.")
    )
    expect(desk.page.get_by_role("log")).to_have_attribute("aria-live", "off")


def test_suggestions_and_examples_are_questions_to_press(desk: Visit) -> None:
    example = desk.page.locator(".welcome .ask:visible").first
    words = example.text_content() or ""
    example.click()
    expect(desk.page.locator(".asked")).to_contain_text(words)
    desk.page.locator(".followups .ask").nth(1).click()
    expect(desk.page.locator(".asked")).to_have_count(2)
    expect(desk.page.locator(".answer.final")).to_have_count(2)


def test_the_interface_follows_the_browser_and_can_be_switched(browser: Browser, url: str) -> None:
    with visit(browser, url, locale="es-MX") as there:
        page = there.page
        expect(page.locator("html")).to_have_attribute("lang", "es")
        expect(page.get_by_role("heading", name="Pregunte sobre")).to_be_visible()
        expect(page.get_by_test_id("textbox")).to_have_attribute("placeholder", "Escriba su pregunta")
        page.get_by_role("button", name="English").click()
        expect(page.get_by_role("heading", name="Ask about")).to_be_visible()
        expect(page.get_by_test_id("textbox")).to_have_attribute("placeholder", "Ask a question")
        expect(page.locator(".welcome .ask:visible").first).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="Ask about")).to_be_visible()
        expect(page.locator(".welcome .ask:visible").first).to_be_visible()


@pytest.mark.parametrize("width", [320, 360, 768, 1440, 3840])
def test_nothing_scrolls_sideways(browser: Browser, url: str, width: int) -> None:
    with visit(browser, url, viewport={"width": width, "height": 700}) as there:
        there.ask(PEOPLE).locator("a.cite").first.click()
        expect(there.page.locator("#panel mark.hit")).to_be_in_viewport()
        boxes = there.page.locator("html, [role=log], #panel .text, #panel .origin")
        assert boxes.evaluate_all("boxes => boxes.every(e => e.scrollWidth <= e.clientWidth + 1)")
        if width >= 1440:
            edges = there.page.locator("#side, #thread, #panel").evaluate_all(
                "zones => zones.map(z => z.getBoundingClientRect()).sort((a, b) => a.x - b.x).map(b => [b.left, b.right])"
            )
            assert [left for left, _ in edges] == [0, *(right for _, right in edges[:2])]


def test_on_a_phone_the_article_is_a_sheet_that_back_closes(browser: Browser, url: str, bot: FakeBot) -> None:
    with visit(browser, url, **PHONE) as there:
        answer = there.ask(OVERTIME)
        expect(there.page.locator("#panel")).to_be_hidden()
        mark = answer.locator("a.cite").first
        mark.tap()
        expect(there.page.locator("#panel mark.hit")).to_have_text(quote(there, bot, mark))
        expect(there.page.locator("#panel mark.hit")).to_be_in_viewport()
        expect(mark).to_be_in_viewport()
        there.page.go_back()
        expect(there.page.locator("#panel")).to_be_hidden()
        expect(answer).to_be_visible()
        answer.locator("button.show").tap()
        expect(there.page.locator("#panel .card").first).to_be_in_viewport()
        there.page.evaluate(  # twice at once: the sheet is closed, and the page stays
            "() => [1, 2].forEach(() => document.body.dispatchEvent("
            "new KeyboardEvent('keydown', { key: 'Escape', bubbles: true })))"
        )
        expect(there.page.locator("#panel")).to_be_hidden()
        there.page.wait_for_function("!history.state?.sheet")
        expect(answer).to_be_visible()


CONTRAST = """() => {
  const linear = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const bright = c => { const [r, g, b] = c.map(linear);
    return .2126 * r + .7152 * g + .0722 * b; };
  const rgba = s => s.match(/[\\d.]+/g).map(Number);
  const ground = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > .99) return c.slice(0, 3); } return [255, 255, 255]; };
  const poor = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility({ visibilityProperty: true }) || e.closest('.sr')) continue;
    const [a, b] = [rgba(getComputedStyle(e).color), ground(e)].map(c => bright(c.slice(0, 3)));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.push(`${e.tagName}.${e.className} ${ratio.toFixed(2)} ${e.textContent}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser: Browser, url: str, scheme: Any) -> None:
    with visit(browser, url, color_scheme=scheme, reduced_motion="reduce") as there:
        expect(there.page.locator(".welcome .ask:visible").first).to_be_visible()
        assert there.page.evaluate(CONTRAST) == []
        there.ask(PEOPLE)
        there.ask(UNKNOWN)
        assert there.page.evaluate(CONTRAST) == []
        there.page.locator("a.cite").first.click()
        expect(there.page.locator("#panel mark.hit")).to_be_visible()
        assert there.page.evaluate(CONTRAST) == []
        assert there.page.evaluate("document.getAnimations().length") == 0  # reduced motion


def test_tables_and_missing_parts_fit_a_phone(browser: Browser, tmp_path: Path) -> None:
    counted = {2019: 210, 2020: 230, 2022: 250}
    entries = [
        {"id": f"census-{year}", "title": f"Censo {year}", "language": "es", "publisher": "INEGI", "issued": f"{year}-06",
         "text": f"En {year}, México tenía {n} centros de contacto."}
        for year, n in counted.items()
    ]  # fmt: skip
    census = FakeBot(documents(tmp_path / "census.jsonl", entries))
    with served(lambda: census) as url, visit(browser, url, locale="es-MX", **PHONE) as there:
        answer = there.ask("Compara los centros de contacto de México y los de Mérida")
        table = answer.locator(".comparison")
        expect(table.locator("th[scope=row]")).to_have_text(["Tijuana", "Mérida"])
        expect(table.locator("td").last).to_have_text("No está en las fuentes")
        expect(answer.locator(".missing li")).to_have_text(["Mérida"])
        series = answer.locator(".series")
        expect(series.locator("tbody th")).to_have_text([str(year) for year in counted])
        drawn = [len(bar) for bar in series.locator("tbody .drawn").all_text_contents()]
        assert drawn == sorted(drawn)
        for mark in (table.locator("a.cite"), series.locator("a.cite").last):
            mark.tap()
            expect(there.page.locator("#panel mark.hit")).to_have_text(quote(there, census, mark))
            there.page.go_back()
            expect(there.page.locator("#panel")).to_be_hidden()
        boxes = there.page.locator("html, [role=log], .comparison, .series")
        assert boxes.evaluate_all("boxes => boxes.every(e => e.scrollWidth <= e.clientWidth + 1)")


def test_the_theme_can_be_switched_and_is_remembered(desk: Visit) -> None:
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    assert desk.page.evaluate(scheme) == "light"
    desk.page.get_by_role("button", name="Dark or light").click()
    assert desk.page.evaluate(scheme) == "dark"
    expect(desk.page.locator(".welcome .ask:visible").first).to_be_visible()
    desk.page.reload()
    expect(desk.page.locator(".welcome .ask:visible").first).to_be_visible()
    assert desk.page.evaluate(scheme) == "dark"


def test_a_mark_opens_within_150_ms(desk: Visit) -> None:
    desk.ask(PEOPLE)
    opened = """mark => new Promise(done => {
      const start = performance.now();
      new MutationObserver((_, me) => {
        if (document.querySelector('#panel mark.hit')) { me.disconnect(); done(performance.now() - start); }
      }).observe(document.querySelector('#panel'), { childList: true, subtree: true, attributes: true });
      mark.click();
    })"""
    assert desk.page.locator(".answer a.cite").nth(1).evaluate(opened) <= 150


def test_a_mark_whose_article_changed_says_so(desk: Visit, bot: FakeBot) -> None:
    answer = desk.ask(OVERTIME)
    kept = dict(bot.articles)
    bot.articles.clear()
    try:
        answer.locator("a.cite").first.click()
        expect(desk.page.locator("#panel .gone")).to_contain_text("no longer in the sources")
    finally:
        bot.articles.update(kept)
    assert [c for c in desk.complaints if "404" not in c] == []
    desk.complaints.clear()


# --- the product itself -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped(chatbot: Chatbot) -> Iterator[str]:
    with served(lambda: chatbot) as address:
        yield address


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("How many people work in contact centers in Mexico?", "en"),
        ("¿Cuánto gana un agente bilingüe?", "es"),
    ],
)
def test_the_shipped_corpus_answers_with_words_of_its_articles(
    browser: Browser, shipped: str, chatbot: Chatbot, question: str, language: str
) -> None:
    with visit(browser, shipped) as there:
        answer = there.ask(question)
        expect(answer).to_have_attribute("lang", language)
        marks = answer.locator(".claims a.cite")
        for n in range(marks.count()):
            marks.nth(n).click()
            expect(there.page.locator("#panel mark.hit")).to_have_text(quote(there, chatbot, marks.nth(n)))
            expect(there.page.locator("#panel mark.hit")).to_be_in_viewport()


def test_every_example_question_is_answered(browser: Browser, shipped: str) -> None:
    with visit(browser, shipped, locale="es-MX") as there:
        examples = there.page.locator(".welcome .ask:visible")
        expect(examples).to_have_count(6)
        for words in examples.all_text_contents():
            expect(there.ask(words).locator("a.cite").first).to_be_visible()


def test_the_shipped_corpus_refuses_what_it_does_not_say(browser: Browser, shipped: str) -> None:
    with visit(browser, shipped) as there:
        answer = there.ask("How many call centers are there in Buenos Aires?")
        expect(answer.get_by_role("note")).to_contain_text("Not in these sources")
        answer = there.ask("Who won the 2022 football world cup?")
        expect(answer).to_contain_text("The articles do not cover this")
        expect(answer.locator("a.cite")).to_have_count(0)


def test_greetings_are_answered_without_sources(browser: Browser, shipped: str) -> None:
    with visit(browser, shipped) as there:
        answer = there.ask("Hola")
        expect(answer.locator(".note")).to_be_visible()
        expect(answer.locator("a.cite")).to_have_count(0)


# --- before the chatbot stands, and without one ---------------------------------------------------


def test_a_question_asked_while_the_models_load_waits_for_them(browser: Browser, bot: FakeBot) -> None:
    ready = threading.Event()

    def slow() -> FakeBot:
        assert ready.wait(60)
        return bot

    with served(slow) as url, visit(browser, url) as there:
        expect(there.page.locator(".welcome")).to_contain_text("Loading models")
        there.page.get_by_test_id("textbox").fill(OVERTIME)
        there.page.keyboard.press("Enter")
        expect(there.page.locator(".answer.pending")).to_contain_text("Loading models")
        ready.set()
        expect(there.page.locator(".answer.final")).to_contain_text("overtime in Mexico is paid")


def test_a_chatbot_that_cannot_be_opened_says_why(browser: Browser) -> None:
    def fails() -> FakeBot:
        raise UserError("The index in /nowhere is empty: run `bpo ingest`.")

    with served(fails) as url, visit(browser, url) as there:
        expect(there.page.locator(".welcome")).to_contain_text("The index in /nowhere is empty")
        answer = there.ask(OVERTIME)
        expect(answer).to_contain_text("run `bpo ingest`")


def test_an_error_keeps_the_page_alive(browser: Browser, bot: FakeBot) -> None:
    class Broken(FakeBot):
        def ask(self, question: str, *args: Any, **options: Any) -> Any:
            if "boom" in question:
                raise RuntimeError("secret detail")
            return super().ask(question, *args, **options)

    with served(lambda: Broken(tuple(bot.articles.values()))) as url, visit(browser, url) as there:
        answer = there.ask("boom")
        expect(answer).to_contain_text("An error")
        expect(answer).not_to_contain_text("secret detail")
        expect(answer.get_by_role("button", name="boom")).to_be_visible()  # to be asked again
        expect(there.ask(OVERTIME)).to_contain_text("overtime in Mexico is paid")


def test_earlier_marks_work_while_the_next_question_runs(browser: Browser, bot: FakeBot) -> None:
    go = threading.Event()

    class Slow(FakeBot):
        def ask(self, question: str, *args: Any, **options: Any) -> Any:
            if question == HORAS:
                assert go.wait(60)
            return super().ask(question, *args, **options)

    with served(lambda: Slow(tuple(bot.articles.values()))) as url, visit(browser, url) as there:
        first = there.ask(OVERTIME)
        there.page.get_by_test_id("textbox").fill(HORAS)
        there.page.keyboard.press("Enter")
        expect(there.page.locator(".answer.pending")).to_contain_text("Buscando")
        mark = first.locator("a.cite").first
        mark.click()
        expect(there.page.locator("#panel mark.hit")).to_have_text(quote(there, bot, mark))
        go.set()
        expect(there.page.locator(".answer.final")).to_have_count(2)
        expect(there.page.locator("#panel mark.hit")).to_have_text(quote(there, bot, mark))


def test_a_question_typed_while_another_runs_is_answered_next(browser: Browser, bot: FakeBot) -> None:
    go = threading.Event()

    class Slow(FakeBot):
        def ask(self, question: str, *args: Any, **options: Any) -> Any:
            assert go.wait(60)
            return super().ask(question, *args, **options)

    with served(lambda: Slow(tuple(bot.articles.values()))) as url, visit(browser, url) as there:
        box = there.page.get_by_test_id("textbox")
        for question in (OVERTIME, HORAS):
            box.fill(question)
            there.page.keyboard.press("Enter")
            expect(there.page.locator(".answer.pending")).to_be_visible()
        expect(box).to_have_value(HORAS)
        go.set()
        expect(there.page.locator(".answer.final")).to_have_count(2)
        expect(there.page.locator(".answer.final").last).to_have_attribute("lang", "es")
        expect(box).to_have_value("")


def test_sentences_appear_one_by_one_until_stop_ends_the_answer(browser: Browser, bot: FakeBot) -> None:
    steps = threading.Semaphore(0)

    class Growing(FakeBot):
        def stream(self, question: str, *args: Any, **options: Any) -> Iterator[Answer]:
            (whole,) = super().stream(question, *args, **options)
            for n in range(len(whole.claims)):
                assert steps.acquire(timeout=60)
                yield replace(whole, claims=whole.claims[:n], suggestions=())
            assert steps.acquire(timeout=60)
            yield whole

    with served(lambda: Growing(tuple(bot.articles.values()))) as url, visit(browser, url) as there:
        page, pending = there.page, there.page.locator(".answer.pending")
        page.get_by_test_id("textbox").fill(OVERTIME)
        page.keyboard.press("Enter")
        expect(pending).to_contain_text("Searching 2 articles")
        shown: list[str] = []
        for n in range(4):
            steps.release()
            expect(pending.locator(".claim")).to_have_count(n)
            expect(pending.locator(".claim a.cite")).to_have_count(n)
            expect(pending.locator(".trace")).to_have_text(re.compile(r"^Read: \d passages of 1 article$"))
            grown = pending.locator(".claim").all_text_contents()
            assert grown[: len(shown)] == shown
            shown = grown
        steps.release()
        expect(page.locator(".answer.final .claim")).to_have_count(4)
        assert page.locator(".answer.final .claim").all_text_contents()[:3] == shown
        page.get_by_test_id("textbox").fill(HORAS)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Detener").click()
        stopped = page.locator(".answer.final").nth(1)
        expect(stopped).to_contain_text("Detenida.")
        steps.release(60)
        stopped.get_by_role("button", name=HORAS).click()
        expect(page.locator(".answer.final").nth(2).locator(".claim").first).to_contain_text("100% más")


# --- what is shown, without a browser ---------------------------------------------------------------


class Text(HTMLParser):
    """The text of HTML, and of its elements of one class."""

    def __init__(self, html: str, wanted: str) -> None:
        super().__init__()
        self.wanted, self.inside, self.whole, self.found, self.open = wanted, 0, "", "", []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.open.append(self.wanted in (dict(attributes).get("class") or "").split())

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.whole += data
        self.found += data if any(self.open) else ""


MARKDOWN = st.text(st.sampled_from("ab **__`[]()<>&\"'\r/.é#-"), min_size=1, max_size=60)


@given(MARKDOWN, MARKDOWN, MARKDOWN)
def test_the_reader_highlights_exactly_the_cited_characters(before: str, cited: str, after: str) -> None:
    text = f"x{before}x{cited}x{after}x"
    span = Span(len(before) + 1, len(before) + 3 + len(cited) - 1)
    article = Article("a", "T", "en", text, sentences=(Sentence(0, len(text), 0, ()),))
    assert Text(reader.reader(article, span, [], "en"), "hit").found == text[span.start : span.end]


def test_a_long_article_is_shown_around_the_cited_words() -> None:
    text = "\n\n".join(f"Sentence number {n} of a very long article." for n in range(40_000))
    cited = "Sentence number 30000 of a very long article."
    start = text.index(cited)
    article = Article("a", "T", "en", text)
    began = time.perf_counter()
    html = reader.reader(article, Span(start, start + len(cited)), [], "en")
    assert time.perf_counter() - began < 1
    assert len(html) < 2 * reader.READER_CHARACTERS
    assert Text(html, "hit").found == cited


@pytest.fixture(scope="module")
def citation(bot: FakeBot) -> Citation:
    return bot.ask(OVERTIME).citations[0]


def test_a_claim_that_is_partly_supported_says_so(citation: Citation) -> None:
    claims = (Claim("All.", (citation,)), Claim("Half.", (citation,), verdict="partly"))
    html = render.answer(Answer("q", "en", claims=claims, mode="model"), 1)
    assert html.count('class="mark part"') == 1
    assert "partly supported" in html
    assert "1 of 2 sentences checked" in html


def test_what_is_missing_is_listed(citation: Citation) -> None:
    given = Answer("q", "es", claims=(Claim(citation.quote, (citation,)),), missing=("Mérida <b>",))
    html = render.answer(given, 1)
    assert "Sin respuesta" in html
    assert "<li>Mérida &lt;b&gt;</li>" in html


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> FakeBot:
    """A vendor that speaks of itself, one that speaks of others, and a newspaper."""
    entries = [
        {"id": "acme", "title": "Acme", "text": "Acme said that its own attrition in Tijuana was 9% in 2021.",
         "publisher": "Acme", "issued": "2021-06"},
        {"id": "guide", "title": "Guide", "text": "Bilingual agents in Tijuana cost 9 dollars an hour in 2021.",
         "publisher": "Acme", "issued": "2021-07"},
        {"id": "daily", "title": "Daily", "text": "Agents in Monterrey earned 7 dollars an hour in 2020.",
         "publisher": "Daily", "issued": "2020-03-01"},
    ]  # fmt: skip
    articles = documents(
        tmp_path_factory.mktemp("vendors") / "vendors.jsonl", [{**e, "language": "en"} for e in entries]
    )
    kinds = {"Acme": "vendor", "Daily": "press"}
    return FakeBot(
        [replace(a, sources=tuple(replace(s, kind=kinds[s.publisher]) for s in a.sources)) for a in articles]
    )


def compared(bot: FakeBot) -> Answer:
    own, _, daily = (Citation.of(a, *a.sentences[0][:2]) for a in bot.articles.values())
    sides = (("Tijuana", own), ("Monterrey", daily), ("Mérida <i>", None))
    return Answer(
        "Compare", "en", claims=tuple(Claim(c.quote, (c,)) for c in (own, daily)), missing=("Mérida <i>",), sides=sides
    )


def test_a_comparison_stands_side_by_side(vendors: FakeBot) -> None:
    html = render.answer(compared(vendors), 1)
    assert html.count('<th scope="row">') == 3
    assert '<th scope="row">Mérida &lt;i&gt;</th><td class="none">Not in the sources</td>' in html
    thread = html[: html.index('class="cards"')]
    assert [thread.count(c.quote) for c in compared(vendors).citations] == [1, 1]
    assert thread.count("a vendor, about itself") == 1
    shown = Text(thread, "comparison").found
    assert all(c.quote in shown for c in compared(vendors).citations)


def test_a_kept_comparison_is_shown_as_before(vendors: FakeBot) -> None:
    given = compared(vendors)
    again = kept.answer_of(json.loads(kept.keep(given)), vendors)  # type: ignore[arg-type]
    assert render.answer(again, 1) == render.answer(given, 1)


def test_the_word_of_a_vendor_is_marked_wherever_it_is_cited(vendors: FakeBot) -> None:
    for name, said in (("acme", "a vendor, about itself"), ("guide", "only a vendor says so"), ("daily", "")):
        article = vendors.articles[name]
        span = Span(*article.sentences[0][:2])
        citation = Citation.of(article, *span)
        given = Answer("q", "en", claims=(Claim(citation.quote, (citation,)),))
        assert Text(render.answer(given, 1), "interest").found == 2 * said  # in the thread, and on its card
        assert Text(reader.reader(article, span, [], "en"), "interest").found == said
        assert Text(reader.hover_card(article, span, "en"), "interest").found == said


def test_a_refusal_does_not_show_its_nearest_quote_twice(citation: Citation) -> None:
    note = f"The articles do not answer this. The closest they say: “{citation.quote}”"
    html = render.refusal(Answer("q", "en", note=note, closest=(citation,)))
    assert html.count(citation.quote) == 1


def test_no_fragment_can_end_its_markdown_block(citation: Citation) -> None:
    for html in (
        render.question("a\n\n# b\r\n\r\n![x](http://foreign.test)", 1, "en"),
        render.answer(Answer("q", "en", note="a\n\n<b>"), 1),
        render.answer(Answer("q", "en", claims=(Claim("a\n\nb", (citation,)),)), 1),
        render.failure("a\n\nb", "en"),
    ):
        assert html.startswith("<")
        assert "\n" not in html


def test_every_word_is_there_in_both_languages() -> None:
    assert set(words.WORDS["en"]) == set(words.WORDS["es"])
    assert set(words.KINDS["en"]) == set(words.KINDS["es"]) == set(KINDS)
    fields = {x: {k: set(re.findall(r"{\w+}", v)) for k, v in words.WORDS[x].items()} for x in ("en", "es")}
    shared = {k for k in fields["en"] if not k.endswith("_1")}
    assert {k: fields["en"][k] for k in shared} == {k: fields["es"][k] for k in shared}


def test_script_and_style_stay_small() -> None:
    ours = re.findall(rb'(?:src|href)="\./([\w.]+)"', gate._HEAD)
    assert len(ours) == 3
    assert sum((Path(words.__file__).parent / name.decode()).stat().st_size for name in ours) < 60 * 1024


def test_a_note_on_a_publication_is_in_the_language_of_the_page() -> None:
    told = Source("s", "Daily", "T", "2020", note="date taken from the address", note_es="fecha tomada de la dirección")
    undated = Source("s", "Daily", "T", note="undated; by hearsay", note_es="sin fecha; de oídas")
    for source, language, note in (
        (told, "en", "date taken from the address"),
        (told, "es", "fecha tomada de la dirección"),
        (undated, "en", "by hearsay"),
        (undated, "es", "de oídas"),
        (replace(undated, note="undated", note_es="sin fecha"), "es", ""),  # that stands where the date would
    ):
        assert Text(render.origins([source], language, "2026-11-22"), "sourcenote").found == note


# --- text is data ---------------------------------------------------------------------------------

RUN = "window.pwned=(window.pwned||0)+1"
FOREIGN = "http://foreign.test"
TAGS = (
    "<script>{run}</script>",
    "<script src={foreign}/x.js></script>",
    "<img src={foreign}/x.png>",
    "<img src=x onerror={run}>",
    "<svg onload={run}>",
    "<svg><script>{run}</script></svg>",
    "<svg><image href={foreign}/x.svg></svg>",
    "<body onload={run}>",
    "<iframe src={foreign}/></iframe>",
    "<iframe srcdoc='&lt;script&gt;parent.{run}&lt;/script&gt;'></iframe>",
    "<object data={foreign}/o></object>",
    "<embed src={foreign}/e>",
    "<link rel=stylesheet href={foreign}/s.css>",
    "<style>@import '{foreign}/s.css'; *{{background:url({foreign}/b)}}</style>",
    "<video poster={foreign}/p><source onerror={run}></video>",
    "<audio src={foreign}/a onerror={run}></audio>",
    "<input autofocus onfocus={run}>",
    "<details open ontoggle={run}>x</details>",
    "<a href=javascript:{run}>x</a>",
    "<form action={foreign}><button formaction=javascript:{run}>x</button></form>",
    "<math><mtext><table><mglyph><style><img src=x onerror={run}></style></mglyph></table></mtext></math>",
    "<meta http-equiv=refresh content='0;url={foreign}'>",
    "<base href={foreign}/>",
    "<template><script>{run}</script></template>",
    "<noscript><p title='</noscript><img src=x onerror={run}>'></noscript>",
)
WRAPS = (
    "{0}",
    "\"'>{0}",
    "</p></div></template>{0}",
    "<!--{0}-->",
    "![x]({foreign}/m.png) [y](javascript:{run}) {0}",
    "$$ {0} $$ `{0}`",
    "</mark></textarea></title></style></script>{0}",
)
PAYLOADS = [
    wrap.format(tag, run=RUN, foreign=FOREIGN)
    for wrap in WRAPS
    for tag in (t.format(run=RUN, foreign=FOREIGN) for t in TAGS)
]


# Opens one mark after the other; asked from here whether each is open, the browser would answer ten times a second.
EVERY_MARK = """async (most) => {
  const place = document.querySelector('#panel .place');
  for (let n = 2; n <= most; n++) {
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: ']', bubbles: true }));
    for (let frames = 0; place.textContent !== `${n} / ${most}`; frames++) {
      if (frames > 600) throw new Error(`mark ${n} does not open`);
      await new Promise(requestAnimationFrame);
    }
  }
}"""


def test_no_text_becomes_markup(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    """With the policy of the page switched off, so that escaping alone is tested."""
    assert len(PAYLOADS) >= 150
    entries = [
        {
            "id": f"doc {n}/{payload}",
            "title": f"Zebra {payload}",
            "text": f"# Zebra {payload}\n\nThe zebra number {n} says {payload}\n\n- zebra {payload}",
            "publisher": payload,
            "url": ("javascript:" + RUN, "data:text/html," + payload, f"https://ok.test/{payload}")[n % 3],
            "issued": "2026-01-01",
            "language": "en",
        }
        for n, payload in enumerate(PAYLOADS)
    ]
    articles = documents(tmp_path_factory.mktemp("hostile") / "hostile.jsonl", entries)
    hostile = FakeBot(articles, claims=len(PAYLOADS))
    with served(lambda: hostile) as url, visit(browser, url, bypass_csp=True) as there:
        page = there.page
        for n in range(0, len(PAYLOADS), 25):
            there.ask("zebra " + " ".join(PAYLOADS[n : n + 25])[:3900])
        answer = there.ask("zebra number says")
        marks = answer.locator(".claims a.cite")
        assert marks.count() >= 150
        marks.first.click()
        expect(page.locator("#panel .place")).to_have_text(f"1 / {marks.count()}")
        page.evaluate(EVERY_MARK, marks.count())
        expect(page.locator("#panel .place")).to_have_text(f"{marks.count()} / {marks.count()}")
        for n in (3, 60, 100):
            marks.nth(n).hover()
            expect(page.locator("#card")).to_be_visible()
            page.keyboard.press("Escape")
        assert page.evaluate("window.pwned") is None
        assert page.locator("[href^='javascript:'], [href^='data:'], #thread img, #panel img").count() == 0


def test_the_policy_forbids_scripts_and_foreign_addresses(browser: Browser, url: str) -> None:
    there = Visit(browser, url)
    expect(there.page.get_by_test_id("textbox")).to_be_visible()
    there.page.evaluate(
        """() => { document.body.insertAdjacentHTML('beforeend',
             '<img src="http://foreign.test/" onerror="window.pwned = 1"><iframe src="http://foreign.test/">');
           const s = document.createElement('script'); s.textContent = 'window.pwned = 1';
           document.body.append(s); }"""
    )
    deadline = time.monotonic() + 10
    while len(there.complaints) < 3 and time.monotonic() < deadline:
        there.page.wait_for_timeout(20)
    assert there.page.evaluate("window.pwned") is None
    assert all("Content Security Policy" in c for c in there.complaints)
    there.context.close()


# --- with a language model ------------------------------------------------------------------------


def test_the_page_says_what_is_sent_where_and_what_an_answer_took() -> None:
    facts = {"articles": 2, "sources": 3, "oldest": "2020", "newest": "2026-02"}
    remote = frame.welcome({**facts, "model": "openai:<x>", "model_at": "models.example"}, {"en": [], "es": []})
    assert "To models.example go the question" in remote
    assert "A models.example van la pregunta" in remote
    assert "openai:&lt;x&gt; words the answers" in remote
    here = frame.welcome({**facts, "model": "transformers:m", "model_at": ""}, {"en": [], "es": []})
    assert "on this machine" in here
    assert "words the answers" not in frame.welcome(facts, {"en": [], "es": []})
    worded = {"model": "openai:x", "calls": 2, "input_tokens": 1200, "output_tokens": 34, "cost_usd": 0.0012}
    given = Answer("q", "en", claims=(), wording=worded)
    assert "openai:x: 2 calls, 1,234 tokens · US$0.0012" in render.verdict_line(given)
    assert "US$" not in render.verdict_line(replace(given, wording={**worded, "cost_usd": None}))
