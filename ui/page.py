"""The page, its API and its MCP tool: one server, in front of `Chatbot` and nothing below it.

Gradio carries the thread, the composer, the queue, the API and MCP. What stands around the thread (header,
panel of sources, hover card) is ours: `page.js` and `page.css`, which `gate.py` puts into the page.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import gradio as gr
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from gradio.events import api as publish

from rag.chat import MAX_CHARACTERS, Chatbot, Turn
from rag.text import LANGUAGES, Language, Span, detect
from ui import frame, reader, render
from ui.api import Published, as_json, asking, searching, whole
from ui.gate import Gate
from ui.opening import Opening, sentence
from ui.render import Exchange

LONGEST_THREAD = 50
CITED_AT_ONCE = 100
HERE = Path(__file__).parent

log = logging.getLogger("bpo.page")


# --- what Gradio carries --------------------------------------------------------------------------


def blocks(opening: Opening) -> gr.Blocks:
    """Lay out the thread and the composer, and publish the two functions `ask` and `search`."""
    with Published(title="bpo", analytics_enabled=False, fill_height=True, fill_width=True) as page:
        exchanges = gr.State(())
        thread = gr.Chatbot(
            elem_id="thread",
            label="bpo",
            show_label=False,
            container=False,
            layout="panel",
            height="100%",
            autoscroll=False,
            buttons=[],
            feedback_options=None,
            latex_delimiters=[],
            line_breaks=False,
            allow_tags=False,
            allow_file_downloads=False,
            group_consecutive_messages=False,
            placeholder=frame.waiting(),
        )
        composer = gr.Textbox(
            elem_id="composer",
            label="Question",
            show_label=False,
            container=False,
            max_lines=6,
            max_length=MAX_CHARACTERS,
            autofocus=True,
            submit_btn=True,
            placeholder=" ",
        )
        composer.submit(
            _converse(opening),
            [composer, exchanges],
            [composer, thread, exchanges],
            api_visibility="private",
            show_progress="hidden",
            trigger_mode="always_last",
            concurrency_id="ask",
        )
        page.load(
            _greet(opening),
            None,
            thread,
            api_visibility="private",
            show_progress="hidden",
            concurrency_limit=None,
        )
        publish(asking(opening), api_name="ask", concurrency_id="ask")
        publish(searching(opening), api_name="search", concurrency_id="ask")
    page.queue(max_size=64, default_concurrency_limit=4)
    return cast(gr.Blocks, page)


def _greet(opening: Opening) -> Callable[[], AsyncIterator[Any]]:
    async def greet() -> AsyncIterator[Any]:
        if not opening.over:
            yield gr.Chatbot(placeholder=frame.waiting())
            await opening.end()
        if opening.problem():
            yield gr.Chatbot(placeholder=frame.broken(opening.problem()))
        else:
            bot = opening.bot()
            examples = {language: bot.examples(language) for language in LANGUAGES}
            yield gr.Chatbot(placeholder=frame.welcome(bot.describe(), examples))

    return greet


def _converse(opening: Opening) -> Callable[..., AsyncIterator[tuple[Any, ...]]]:
    async def converse(question: str, before: tuple[Exchange, ...]) -> AsyncIterator[tuple[Any, ...]]:
        """One exchange: the question at once, what is being done, then the answer."""
        question = whole(question)
        if not question:
            yield gr.skip(), gr.skip(), gr.skip()
            return
        language = detect(question)
        turn = before[-1].turn + 1 if before else 1

        def show(body: str, text: str = "", typed: Any = None) -> tuple[Any, ...]:
            exchanges = (*before, Exchange(turn, question[:MAX_CHARACTERS], text, body))[-LONGEST_THREAD:]
            return gr.skip() if typed is None else typed, _messages(exchanges), exchanges

        yield show(render.stage("searching" if opening.over else "loading", language), typed="")
        await opening.end()
        if opening.problem(language):
            yield show(render.failure(opening.problem(language), language))
            return
        yield show(render.stage("searching", language))
        history = [Turn(e.question, e.text) for e in before]
        asking = asyncio.get_running_loop().run_in_executor(None, opening.bot().ask, question, history)
        await asyncio.wait([asking])
        error = asking.exception()
        if error is None:
            answer = asking.result()
            yield show(render.answer(answer, turn), answer.text)
        else:
            log.error("a question could not be answered", exc_info=error)
            yield show(render.failure(sentence(error, "failed", language), language))

    return converse


def _messages(exchanges: Sequence[Exchange]) -> list[dict[str, str]]:
    return [
        message
        for e in exchanges
        for message in (
            {"role": "user", "content": render.question(e.question, e.turn, detect(e.question))},
            {"role": "assistant", "content": e.body},
        )
    ]


# --- the server -----------------------------------------------------------------------------------


def application(opening: Opening) -> FastAPI:
    """Build the whole server: Gradio's page behind the gate, and what the page's own script asks for."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield

    app = FastAPI(title="bpo", lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    def health() -> JSONResponse:
        problem = opening.problem()
        state = {"status": "failed" if problem else "ready" if opening.over else "loading"}
        return JSONResponse({**state, **({"problem": problem} if problem else {})}, 503 if problem else 200)

    @app.get("/page.js")
    def script() -> Response:
        return FileResponse(HERE / "page.js", media_type="text/javascript; charset=utf-8")

    @app.get("/page.css")
    def style() -> Response:
        return FileResponse(HERE / "page.css", media_type="text/css; charset=utf-8")

    @app.get("/reader")
    def open_reader(request: Request, article: str, start: int, end: int, check: str, language: str = "en") -> Response:
        found = opening.bot().article(article) if opening.over and not opening.problem() else None
        if found is None or not 0 <= start < end or render.check(found.text[start:end]) != check:
            return HTMLResponse("", 404)
        cited = [_span(part) for part in request.query_params.getlist("also")[:CITED_AT_ONCE]]
        words = _interface(language)
        if "brief" in request.query_params:
            return HTMLResponse(reader.hover_card(found, Span(start, end), words))
        return HTMLResponse(reader.reader(found, Span(start, end), [s for s in cited if s], words))

    page = blocks(opening)
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=True,
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        max_file_size=1,
    )
    page.mcp_server_obj.postprocess_output_data = as_json  # type: ignore[union-attr, method-assign]
    app.add_middleware(Gate, frame=frame.frame())
    return app


def _span(text: str) -> Span | None:
    start, _, end = text.partition("-")
    return Span(int(start), int(end)) if start.isdecimal() and end.isdecimal() else None


def _interface(language: str) -> Language:
    return next((x for x in LANGUAGES if x == language), "en")


class _Server(uvicorn.Server):
    """A server that says where it can be reached as soon as it can."""

    def __init__(self, config: uvicorn.Config, reached: Callable[[], None]) -> None:
        super().__init__(config)
        self._reached = reached

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started:
            self._reached()


def serve(open_bot: Callable[[], Chatbot], *, host: str, port: int, open_browser: bool) -> None:
    """Serve the page until the process is told to end. Raises OSError when the port cannot be had."""
    opening = Opening(open_bot)
    listening = socket.create_server((host, port), family=_family(host), backlog=128)
    near = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    url = f"http://{near}:{listening.getsockname()[1]}"

    def reached() -> None:
        opening.start()  # not before: importing torch holds up whatever else the process does
        print(f"Page: {url}", file=sys.stderr, flush=True)  # noqa: T201 - where to look is for the person at the terminal
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    config = uvicorn.Config(
        application(opening),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    if threading.current_thread() is threading.main_thread():
        for name in (signal.SIGTERM, signal.SIGINT):  # uvicorn ends by itself, then raises the signal again
            signal.signal(name, lambda *_: None)
    with listening:
        _Server(config, reached).run(sockets=[listening])


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
