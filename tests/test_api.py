"""What programs call: gradio_client, plain HTTP, MCP; and what the server keeps closed."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_bot import FakeBot
from gradio_client import Client
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from pages import OVERTIME, served

from rag.errors import UserError
from ui.gate import Login
from ui.page import serve

HERE = Path(__file__).parent


def fetch(url: str, body: object = None, method: str | None = None) -> tuple[int, Any, str]:
    """Status, headers and text of one plain request."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.headers, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def call(url: str, name: str, *arguments: object, **named: object) -> tuple[str, Any]:
    """What curl does in two steps: post the arguments, then read the event stream to its end."""
    _, _, text = fetch(f"{url}/gradio_api/call/{name}", named or {"data": arguments})
    _, _, stream = fetch(f"{url}/gradio_api/call/{name}/{json.loads(text)['event_id']}")
    event, data = stream.strip().split("\n\n")[-1].split("\n")
    return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def same(answer: dict[str, Any], other: dict[str, Any]) -> bool:
    return {**answer, "timings_ms": {}} == {**other, "timings_ms": {}}


def test_ask_by_gradio_client(url: str, bot: FakeBot) -> None:
    client = Client(url, verbose=False)
    assert same(client.predict(OVERTIME, api_name="/ask"), bot.ask(OVERTIME).to_json())
    assert client.predict("¿Cómo se pagan las horas extra?", api_name="/ask")["language"] == "es"
    hits = client.predict(OVERTIME, 2, api_name="/search")
    assert [set(h) for h in hits] == [{"article", "title", "heading", "language", "start", "end", "score", "text"}] * 2
    assert hits[0]["text"] == bot.articles[hits[0]["article"]].text[hits[0]["start"] : hits[0]["end"]]


def test_an_answer_can_be_read_as_it_grows(url: str, bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chat model's sentences, each when it was checked; the last answer is the whole one."""
    whole = bot.ask(OVERTIME)
    parts = [replace(whole, claims=whole.claims[:n], conflicts=()) for n in range(1, len(whole.claims))]
    monkeypatch.setattr(bot, "stream", lambda *_, **__: iter([*parts, whole]))
    assert parts
    job = Client(url, verbose=False).submit(OVERTIME, api_name="/ask")
    assert same(job.result(60), whole.to_json())
    grown = [len(answer["claims"]) for answer in job.outputs()]
    assert grown == sorted(grown)
    assert grown[-1] == len(whole.claims)
    _, _, text = fetch(f"{url}/gradio_api/call/ask", {"data": [OVERTIME]})
    _, _, stream = fetch(f"{url}/gradio_api/call/ask/{json.loads(text)['event_id']}")
    events = [event.split("\n")[0] for event in stream.strip().split("\n\n")]
    assert "event: generating" in events
    assert events[-1] == "event: complete"


def test_ask_by_plain_http(url: str, bot: FakeBot) -> None:
    event, (answer,) = call(url, "ask", OVERTIME)
    assert event == "complete"
    assert same(answer, bot.ask(OVERTIME).to_json())
    event, (named,) = call(url, "v2/ask", question=OVERTIME)
    assert same(named, answer)
    event, (hits,) = call(url, "search", OVERTIME, 1)
    assert (event, len(hits)) == ("complete", 1)


def test_ask_by_mcp(url: str, bot: FakeBot) -> None:
    async def session() -> tuple[dict[str, Any], Any]:
        async with (
            streamable_http_client(f"{url}/gradio_api/mcp/") as (read, write, *_),
            ClientSession(read, write) as client,
        ):
            await client.initialize()
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            return tools, await client.call_tool("ask", {"question": OVERTIME})

    tools, result = asyncio.run(session())
    assert set(tools) == {"ask", "search"}
    assert "Every sentence of the answer is a quote" in tools["ask"].description
    assert "English or Spanish" in tools["ask"].inputSchema["properties"]["question"]["description"]
    assert not result.isError
    assert same(json.loads(result.content[0].text), bot.ask(OVERTIME).to_json())


def test_history_and_language_reach_the_chatbot(url: str, bot: FakeBot) -> None:
    history = [
        {"role": "user", "content": "How many centers?"},
        {"role": "assistant", "content": [{"type": "text", "text": "247."}]},
    ]
    event, (answer,) = call(url, "ask", "¿Y las horas extra en México?", history, "en")
    assert (event, answer["language"]) == ("complete", "en")
    _, turns = bot.asked[-1]
    assert turns == (("How many centers?", "247."),)


@pytest.mark.parametrize("arguments", [(OVERTIME, None, "fr"), (OVERTIME, [{"role": "user"}], "")])
def test_wrong_arguments_are_named(url: str, arguments: tuple[object, ...]) -> None:
    event, data = call(url, "ask", *arguments)
    assert event == "error"
    assert "expected" in json.dumps(data)


def test_half_characters_are_replaced(url: str, bot: FakeBot) -> None:
    event, _ = call(url, "ask", "overtime \ud800 in Mexico")
    assert event == "complete"
    assert bot.asked[-1][0] == "overtime ? in Mexico"


def test_only_ask_and_search_are_public(url: str) -> None:
    _, _, text = fetch(f"{url}/gradio_api/info")
    assert set(json.loads(text)["named_endpoints"]) == {"/ask", "/search"}
    status, _, _ = fetch(f"{url}/gradio_api/call/converse", {"data": ["x"]})
    assert status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://127.0.0.1:9/x",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file/etc/passwd",
        "/file=/etc/passwd",
        "/gradio_api/proxy=http://127.0.0.1:9/x",
        "/gradio_api/deep_link?session_hash=x",
        "/monitoring",
        "/monitoring/summary",
        "/gradio_api/vibe-code/",
        "/gradio_api/vibe-edit",
        "/gradio_api/run-history/records",
        "/gradio_api/runs",
        "/gradio_api/upload",
        "/gradio_api/upload_progress",
        "/gradio_api/component_server",
        "/gradio_api/stream/x",
        "/gradio_api/dev/reload",
        "/gradio_api/profiling/traces",
        "/gradio_api/custom_component/x/client/component/index.js",
        "/login",
        "/logout",
        "/token",
        "/docs",
        "/openapi.json",
        "/svelte/x.js",
        "/page.py",
        "/../ui/page.py",
        "/assets/../../../routes.py",
        "/static/%2e%2e/%2e%2e/%2e%2e/routes.py",
    ],
)
def test_what_the_page_does_not_need_is_closed(url: str, path: str) -> None:
    host = url.removeprefix("http://")
    for method in ("GET", "POST"):
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.request(method, path, b"" if method == "POST" else None, {"content-length": "0"})
        response = connection.getresponse()
        assert response.status in (403, 404, 405), f"{method} {path}: {response.status}"
        assert b"def " not in response.read()
        connection.close()


def test_every_answer_has_safe_headers(url: str) -> None:
    for path in ("/", "/healthz", "/page.js", "/config", "/nowhere"):
        _, headers, _ = fetch(url + path)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe-eval" not in policy
        assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]


def test_large_bodies_are_refused_at_once(url: str) -> None:
    large = json.dumps({"data": ["x" * (1 << 20)]}).encode()
    refused = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    with contextlib.suppress(BrokenPipeError):  # the answer may be there before a slow client has sent it all
        refused.request("POST", "/gradio_api/call/ask", large)
    assert refused.getresponse().status == 413
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.request("POST", "/gradio_api/call/ask", iter([b"{}"]), encode_chunked=True)
    assert connection.getresponse().status == 411


def test_the_reader_gives_only_what_a_mark_cites(url: str, bot: FakeBot) -> None:
    citation = bot.ask(OVERTIME).citations[0]
    query = {"article": citation.article, "start": citation.start, "end": citation.end}
    good = urllib.parse.urlencode({**query, "check": "00000000"})
    assert fetch(f"{url}/reader?{good}")[0] == 404
    for wrong in ({"start": -5}, {"end": 10**9}, {"article": "../../etc/passwd"}):
        assert fetch(f"{url}/reader?{urllib.parse.urlencode({**query, 'check': '0', **wrong})}")[0] == 404


def test_health_tells_whether_the_chatbot_stands(url: str) -> None:
    status, _, text = fetch(f"{url}/healthz")
    assert (status, json.loads(text)) == (200, {"status": "ready"})

    def fails() -> FakeBot:
        raise UserError("No index.")

    with served(fails) as broken:
        status, _, text = fetch(f"{broken}/healthz")
        assert (status, json.loads(text)["problem"]) == (503, "No index.")
        event, data = call(broken, "ask", OVERTIME)
        assert event == "error"
        assert "No index." in json.dumps(data)


def test_health_in_full_says_what_is_served(url: str) -> None:
    status, _, text = fetch(f"{url}/health")
    assert (status, json.loads(text)["index_version"], json.loads(text)["articles"]) == (200, "fake", 2)


# --- who may come in --------------------------------------------------------------------------------


def logged_in(url: str, path: str, **headers: str) -> int:
    request = urllib.request.Request(url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


def test_who_has_not_logged_in_sees_nothing(bot: FakeBot) -> None:
    with served(lambda: bot, login=Login.read("ana:contraseña eva:x:y")) as url:
        for path in ("/", "/reader?article=en/size", "/view/library", "/gradio_api/info", "/page.js", "/health"):
            assert logged_in(url, path) == 401
            assert logged_in(url, path, Authorization=basic("ana:wrong")) == 401
            assert logged_in(url, path, Authorization="Basic ***") == 401
            assert logged_in(url, path, Authorization=basic("ana:contraseña")) == 200
        assert logged_in(url, "/health", Authorization=basic("eva:x:y")) == 200
        assert logged_in(url, "/healthz") == 200


def test_a_proxy_names_who_comes_in(bot: FakeBot) -> None:
    with served(lambda: bot, login=Login.read("header:X-Remote-User")) as url:
        assert logged_in(url, "/health") == 401
        assert logged_in(url, "/health", **{"X-Remote-User": "ana"}) == 200


@pytest.mark.parametrize("auth", ["ana", "ana:", ":x", "header:", "ana:x eva"])
def test_a_login_that_is_none_is_refused(auth: str) -> None:
    with pytest.raises(UserError, match="BPO_AUTH"):
        Login.read(auth)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", ""])
def test_nobody_else_is_let_in_by_mistake(bot: FakeBot, host: str) -> None:
    with pytest.raises(UserError, match="BPO_AUTH"):
        serve(lambda: bot, host=host, port=0, open_browser=False)


# --- what the page's script sends -------------------------------------------------------------------


def test_another_site_cannot_send_feedback(bot: FakeBot, tmp_path: Path) -> None:
    given = {"answer": {"question": "q"}, "good": True}
    with served(lambda: bot, folder=tmp_path) as url:
        assert fetch(f"{url}/feedback", given)[0] == 204
        assert fetch(f"{url}/feedback", {"good": 1})[0] == 400
        form = urllib.request.Request(f"{url}/feedback", b"{}", {"content-type": "text/plain"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(form, timeout=20)
        assert refused.value.code == 415
        refused.value.close()
    assert len((tmp_path / "feedback.jsonl").read_text(encoding="utf-8").splitlines()) == 1


def test_feedback_needs_a_folder_and_exports_a_form(url: str) -> None:
    assert fetch(f"{url}/feedback", {"answer": {"question": "q"}, "good": True})[0] == 404
    assert fetch(f"{url}/export/exe", [])[0] == 404
    assert fetch(f"{url}/view/nothing")[0] == 404
    status, headers, text = fetch(f"{url}/export/csv", [])
    assert (status, headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert text.startswith("question,language,")


# --- the process ----------------------------------------------------------------------------------

SCRIPT = """
import sys, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from pages import fake
from ui.gate import Login
from ui.page import serve
def open_bot():
    time.sleep({delay})
    return fake(Path({folder!r}))
serve(open_bot, host="127.0.0.1", port=0, open_browser=False)
"""


@pytest.mark.parametrize(
    ("number", "delay"),
    [
        pytest.param(signal.SIGTERM, 60, id="SIGTERM-loading"),
        pytest.param(signal.SIGINT, 0, id="SIGINT-ready"),
        pytest.param(signal.SIGTERM, 0, id="SIGTERM-ready", marks=pytest.mark.long),
        pytest.param(signal.SIGINT, 60, id="SIGINT-loading", marks=pytest.mark.long),
    ],
)
def test_a_signal_ends_the_server_cleanly(tmp_path: Path, number: int, delay: int) -> None:
    code = SCRIPT.format(tests=str(HERE), delay=delay, folder=str(tmp_path))
    paths = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert process.stderr is not None
    try:
        line = next(text for text in process.stderr if text.startswith("Page: "))
        address = line.removeprefix("Page: ").strip()
        assert fetch(f"{address}/")[0] == 200
        process.send_signal(number)
        _, rest = process.communicate(timeout=10)
        assert (process.returncode, "Traceback" in rest) == (0, False), rest
    finally:
        process.kill()


def test_a_taken_port_is_an_oserror(url: str, bot: FakeBot) -> None:
    with pytest.raises(OSError):
        serve(lambda: bot, host="127.0.0.1", port=int(url.rsplit(":", 1)[1]), open_browser=False)
