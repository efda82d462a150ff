"""The page for everybody, and under load: run by `make test-long`."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_bot import FakeBot
from pages import Visit, chromium, documents, served, shelf, visit
from playwright.sync_api import Browser, Page, expect

from rag.settings import Settings

pytestmark = pytest.mark.long

# --- axe-core -------------------------------------------------------------------------------------

AXE = Path(os.environ.get("AXE", "node_modules/axe-core/axe.min.js"))
"""`npm install axe-core` where the tests run, or elsewhere with AXE=FILE."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("corpus")
    text = "Acme said that its own attrition in Tijuana was 9% in 2021."
    entries = [
        {"id": "acme", "title": "Acme", "text": text, "publisher": "Acme", "issued": "2021-06", "language": "en"}
    ]
    own = [
        replace(a, sources=tuple(replace(s, kind="vendor") for s in a.sources))
        for a in documents(folder / "acme.jsonl", entries)
    ]
    bot = FakeBot((*shelf(folder / "shelf"), *own))
    with served(lambda: bot, folder=folder / "kept") as address:
        yield address


def findings(page: Page) -> list[str]:
    """What axe-core calls serious or critical."""
    page.evaluate("document.getAnimations().forEach(a => a.finish())")
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{v['id']} ({v['impact']}): {[n['html'][:160] for n in v['nodes']][:3]}"
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]


def states(there: Visit) -> Iterator[str]:
    """Bring the page into every state, one after another."""
    page = there.page
    expect(page.locator(".welcome .ask:visible").first).to_be_visible()
    yield "empty"
    there.ask("How many people work in contact centers in Mexico, and do sources disagree?")
    there.ask("Quantum chromodynamics zebras?")
    there.ask("Compare attrition in Tijuana and Mérida")
    yield "answers"
    page.locator(".answer a.cite:visible").last.click()
    expect(page.locator("#panel mark.hit")).to_be_visible()
    yield "reader"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator("#filters summary").click()
    page.get_by_role("checkbox", name="press").check()
    page.get_by_label("Place").select_option("mexico")
    yield "filters"
    page.keyboard.press("Escape")
    page.locator("#thread .bad").last.click()
    expect(page.locator("#feedback")).to_be_visible()
    yield "feedback"
    page.keyboard.press("Escape")
    if page.locator("#side").is_hidden():
        page.locator("button.side").click()
    expect(page.locator(".kept-list li")).to_have_count(1)
    yield "conversations"
    for name in ("library", "library?show=publications", "library?show=coverage", "library?q=overtime", "evaluation"):
        page.evaluate("name => { location.hash = `#view/${name}` }", name)
        expect(page.locator("#view :is(.library, .evaluation)")).to_be_visible()
        expect(
            page.locator(f'#view [aria-current][href="#view/{name}"], #view .evaluation, #view .found')
        ).to_have_count(1 if name != "library" else 0)
        yield name


@pytest.mark.skipif(not AXE.is_file(), reason="npm install axe-core, or AXE=FILE")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 800, 1440])
def test_axe_finds_nothing_serious(browser: Browser, url: str, scheme: Any, width: int) -> None:
    size = {"width": width, "height": 900}
    with visit(browser, url, viewport=size, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True) as there:
        there.page.evaluate(AXE.read_text(encoding="utf-8"))
        assert [f"{state}: {f}" for state in states(there) for f in findings(there.page)] == []


# --- the product, in a process of its own -----------------------------------------------------------

SERVER = """
import sys
from pathlib import Path
from rag.app import open_chatbot
from rag.settings import read_settings
from ui.page import serve
settings = read_settings(index=Path(sys.argv[1]), corpus=Path(sys.argv[2]))
serve(lambda: open_chatbot(settings), host="127.0.0.1", port=int(sys.argv[3]), open_browser=False)
"""


@contextmanager
def product(settings: Settings, port: int) -> Iterator[tuple[str, int]]:
    """Serve the page in a process of its own, as a person does; its address and the number of the process."""
    place = [str(settings.index), str(settings.corpus), str(port)]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([sys.executable, "-c", SERVER, *place], stderr=subprocess.DEVNULL) as server:
        try:
            _until_ready(url)
            yield url, server.pid
        finally:
            server.terminate()


def _until_ready(url: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"{url}/healthz").json()["status"] == "ready":
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError("the server did not come up")


# --- how soon -------------------------------------------------------------------------------------

ASKED = 24
"""How many questions of each language are timed, six to a conversation."""
WATCHED = """() => {
  const known = document.querySelectorAll('.answer').length;
  window.times = {};
  const at = (name, start) => times[name] ??= requestAnimationFrame(() => { times[name] = performance.now() - start; });
  addEventListener('keydown', () => {
    const start = performance.now();
    new MutationObserver((_, me) => {
      const coming = [...document.querySelectorAll('.answer')].slice(known);
      if (coming.length) at('stage', start);
      if (coming.some((answer) => answer.querySelector('a.cite'))) at('sentence', start);
      if (coming.some((answer) => answer.matches('.final'))) me.disconnect();
    }).observe(document.querySelector('gradio-app'), { childList: true, subtree: true });
  }, { capture: true, once: true });
}"""
OPENED = """mark => new Promise((done) => {
  const start = performance.now(), panel = document.querySelector('#panel');
  const href = mark.getAttribute('href');
  new MutationObserver((_, me) => {
    if (!panel.querySelector('mark.hit') || mark.ariaCurrent !== 'true') return;
    me.disconnect();
    requestAnimationFrame(() => done(performance.now() - start));
  }).observe(document.body, { childList: true, subtree: true, attributes: true });
  mark.click();
})"""


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_stage_a_sentence_and_the_reader_come_soon(
    browser: Browser,
    shipped_settings: Settings,
    golden: list[dict[str, Any]],
    unused_port: int,
    capsys: pytest.CaptureFixture[str],
    language: str,
) -> None:
    """From Enter, and from the click on a mark, to what is painted. Tells the median and the longest, in ms."""
    spoken = [q for q in golden if q["language"] == language and q["answerable"] and not q.get("history")]
    asked = [str(q["question"]) for q in spoken if q["tags"]["split"] == "tune"]
    asked = asked[:: len(asked) // ASKED][:ASKED]
    times: dict[str, list[float]] = {"stage": [], "sentence": [], "reader": []}
    with product(shipped_settings, unused_port) as (url, _):
        for n in range(0, ASKED, 6):
            with visit(browser, url, viewport={"width": 1440, "height": 900}) as there:
                expect(there.page.locator(".welcome .ask:visible").first).to_be_visible()
                for question in asked[n : n + 6]:
                    there.page.get_by_test_id("textbox").focus()
                    there.page.evaluate(WATCHED)
                    answer = there.ask(question)
                    there.page.evaluate("() => new Promise(requestAnimationFrame)")
                    for name, taken in there.page.evaluate("times").items():
                        times[name].append(taken)
                    marks = answer.locator("a.cite:visible")
                    if marks.count():
                        times["reader"].append(marks.last.evaluate(OPENED))
    told = {name: [round(statistics.median(taken)), round(max(taken)), len(taken)] for name, taken in times.items()}
    with capsys.disabled():
        sys.stdout.write(f"\n{language}, ms (median, longest, of how many): {json.dumps(told)}\n")
    assert all(len(taken) >= 20 for taken in times.values())
    assert statistics.median(times["stage"]) <= 150
    assert statistics.median(times["sentence"]) <= 300
    assert statistics.median(times["reader"]) <= 150


# --- thirty people at once ------------------------------------------------------------------------

PEOPLE, EVERY = 30, 5.0
MINUTES = float(os.environ.get("LOAD_MINUTES", "5"))


def ask(client: httpx.Client, question: str) -> bool:
    """Ask as a program does, through the queue that the page uses; whether it was answered or refused well."""
    event = client.post("/gradio_api/call/ask", json={"data": [question]}).json()["event_id"]
    text = client.get(f"/gradio_api/call/ask/{event}").text
    return "event: complete" in text and '"claims"' in text


def memory(process: int) -> float:
    """Resident memory of a process, in MiB."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")
def test_thirty_people_ask_for_five_minutes(
    shipped_settings: Settings, golden: list[dict[str, Any]], unused_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """No error, and memory that does not grow; LOAD_MINUTES=1 for less. Tells the 95th percentile."""
    asked = [str(q["question"]) for q in golden if q["tags"]["split"] == "tune"]
    times: list[float] = []
    wrong: list[str] = []
    with product(shipped_settings, unused_port) as (url, process):
        with httpx.Client(base_url=url, timeout=60) as client:
            for question in asked[:20]:
                assert ask(client, question)
        over = time.monotonic() + 60 * MINUTES

        def person(number: int) -> None:
            with httpx.Client(base_url=url, timeout=60) as client:
                time.sleep(EVERY * number / PEOPLE)
                turn = 0
                while (began := time.monotonic()) < over:
                    question = asked[(number * 37 + turn) % len(asked)]
                    try:
                        if not ask(client, question):
                            wrong.append(question)
                    except (httpx.HTTPError, KeyError, ValueError) as error:
                        wrong.append(f"{question}: {error!r}")
                    times.append(time.monotonic() - began)
                    turn += 1
                    time.sleep(max(0.0, EVERY - (time.monotonic() - began)))

        people = [threading.Thread(target=person, args=(n,)) for n in range(PEOPLE)]
        for thread in people:
            thread.start()
        time.sleep(60 * MINUTES / 3)  # by then what is remembered of the index has been read
        early = memory(process)
        for thread in people:
            thread.join()
        late = memory(process)
    p95 = sorted(times)[int(0.95 * len(times))]
    told = {
        "answers": len(times),
        "errors": len(wrong),
        "p95_s": round(p95, 3),
        "memory_mib": [round(early), round(late)],
    }
    with capsys.disabled():
        sys.stdout.write(f"\n{json.dumps(told)}\n")
    assert not wrong
    assert len(times) >= 0.5 * PEOPLE * 60 * MINUTES / EVERY
    assert late <= 1.1 * early


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
