"""What the tests of the page share: a small corpus, a server on a free port, a browser."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fake_bot import FakeBot
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from rag.corpus import Article, read_corpus
from ui.opening import Opening
from ui.page import application

OVERTIME = "How is overtime paid in Mexico?"
HORAS = "¿Cómo se pagan las horas extra en México?"
PEOPLE = "How many people work in contact centers in Mexico, and do sources disagree?"
UNKNOWN = "Quantum chromodynamics zebras?"
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

REFERENCES = """
references:
  - {id: lft, publisher: Cámara de Diputados, title: Ley Federal del Trabajo, issued: 2026-05-01,
     URL: "https://www.diputados.gob.mx/lft.pdf", kind: government, language: es}
  - {id: imt, publisher: Instituto Mexicano de Teleservicios, title: Radiografía, issued: 2012,
     URL: "https://imt.com.mx/estudio", kind: association, language: es}
  - {id: economista, publisher: El Economista, title: Call centers generan 95 mil empleos, issued: 2012-07-08,
     URL: "https://eleconomista.com.mx/call", kind: press, language: es}
  - {id: frost, publisher: Frost & Sullivan, title: Contact center outlook <2020>, URL: "https://frost.com/x?a=1&b=2",
     kind: analyst, language: en}
"""
ENGLISH = """---
title: "Contact centers in Mexico: size & hours"
language: en
summary: How many centers, how many people, which hours.
topic: size
places: [mexico]
updated: 2026-11-22
---

In 2012, Mexico had 247 contact centers with 95,636 people, according to El Economista [@economista; @imt].

## How many people work in contact centers?

Frost & Sullivan expected over 110,000 people in Mexico's contact centers by 2020 (**undated**) [@frost].
In 2012, 32% of Mexico's outsourced contact centers stood in Mexico City [@imt].

## How are hours and overtime paid?

In 2026, overtime in Mexico is paid with 100% more than the ordinary hour, according to the LFT [@lft].

- In 2026, Sunday work in Mexico carries a premium of 25% over the ordinary day [@lft].

## Related articles

- [Working hours](hours.md)
"""
SPANISH = """---
title: "Centros de contacto en México: tamaño y jornada"
language: es
summary: Cuántos centros, cuántas personas, qué jornada.
topic: size
places: [mexico]
updated: 2026-11-22
---

En 2012, México tenía 247 centros de contacto con 95,636 personas, según El Economista [@economista; @imt].

## ¿Cómo se pagan las horas extra?

En 2026, las horas extra en México se pagan con 100% más que la hora ordinaria, según la LFT [@lft].
"""


def shelf(folder: Path) -> tuple[Article, ...]:
    """Two articles with their original publications, as the corpus has them."""
    for name, content in (("en", ENGLISH), ("es", SPANISH)):
        file = folder / "articles" / name / "size.md"
        file.parent.mkdir(parents=True)
        file.write_text(content, encoding="utf-8")
    (folder / "references.yaml").write_text(REFERENCES, encoding="utf-8")
    corpus = read_corpus([folder])
    assert not corpus.problems
    return corpus.articles


def documents(file: Path, entries: Sequence[dict[str, Any]]) -> tuple[Article, ...]:
    """Anybody's documents, read as the product reads them."""
    file.write_text("".join(json.dumps(e) + "\n" for e in entries), encoding="utf-8")
    corpus = read_corpus([file])
    assert not corpus.problems
    return corpus.articles


@contextmanager
def served(open_bot: Callable[[], Any], folder: Path | None = None, **options: Any) -> Iterator[str]:
    """The whole server on a free port, as `serve` runs it."""
    listening = socket.create_server(("127.0.0.1", 0))
    opening = Opening(open_bot)
    opening.start()
    app = application(opening, folder=folder, **options)
    config = uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium; without one the tests are skipped, and fail in CI."""
    if not Path(CHROMIUM).exists() and not os.environ.get("CI"):
        pytest.skip("the tests of the page need Chromium: apt-get install chromium")
    expect.set_options(timeout=60_000)  # how long a loaded machine may take is not what is tested
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


CUT_OFF = ("AbortError", "Connection errored out")
"""What Gradio complains of when a reload cuts off a request of its own."""


class Visit:
    """A page that remembers what it complained about and what it asked other servers for."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.context: BrowserContext = browser.new_context(**{"locale": "en-US", **options})
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)
        self.page.goto(url)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning") and not any(known in message.text for known in CUT_OFF):
            self.complaints.append(message.text)

    def _dialog(self, dialog: Any) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.url, f"blob:{self.url}", "data:")):
            self.foreign.append(request.url)

    def ask(self, question: str) -> Any:
        """Ask by keyboard and wait for the answer."""
        answers = self.page.locator(".answer.final")
        before = answers.count()
        self.page.get_by_test_id("textbox").fill(question)
        self.page.keyboard.press("Enter")
        answers.nth(before).wait_for()
        return answers.nth(before)


@contextmanager
def visit(browser: Browser, url: str, **options: Any) -> Iterator[Visit]:
    """Visit the page; at the end nothing may have been complained about or asked of another server."""
    visiting = Visit(browser, url, **options)
    try:
        yield visiting
        assert not visiting.complaints, visiting.complaints
        assert not visiting.foreign, visiting.foreign
    finally:
        visiting.context.close()


def fake(folder: Path, **options: Any) -> FakeBot:
    """The chatbot of most tests of the page: two articles, no models."""
    return FakeBot(shelf(folder), **options)
