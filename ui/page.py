"""The page, its API and its MCP tool: one server, in front of `Chatbot` and nothing below it.

Gradio carries the thread, the composer, the queue, the API and MCP. What stands around the thread (header,
panel of sources, hover card) is ours: `page.js` and `page.css`, which `gate.py` puts into the page.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import gradio as gr
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from gradio.events import api as publish
from mcp.types import TextContent

from rag.chat import MAX_CHARACTERS, Chatbot, Turn, turns_of
from rag.errors import UserError
from rag.text import LANGUAGES, Language, Span, detect
from ui import frame, reader, render
from ui.gate import Gate
from ui.render import Exchange
from ui.words import say

LONGEST_THREAD = 50
CITED_AT_ONCE = 100
HERE = Path(__file__).parent

log = logging.getLogger("bpo.page")


class Opening:
    """A chatbot that is opened in the background, so that the page can be reached before it stands."""

    def __init__(self, open_bot: Callable[[], Chatbot]) -> None:
        self._open_bot = open_bot
        self._bot: Future[Chatbot] = Future()
        self._bot.set_running_or_notify_cancel()

    def start(self) -> None:
        """Begin to open the chatbot."""
        threading.Thread(target=self._open, name="open-bot", daemon=True).start()

    def _open(self) -> None:
        try:
            self._bot.set_result(self._open_bot())
        except BaseException as error:  # kept for whoever waits for the chatbot
            if not isinstance(error, UserError):
                log.error("the chatbot could not be opened", exc_info=error)
            self._bot.set_exception(error)

    @property
    def over(self) -> bool:
        """Whether the opening has ended, well or badly."""
        return self._bot.done()

    def problem(self, language: Language = "en") -> str:
        """Why there is no chatbot, in one sentence; "" while it is opened and when it stands."""
        error = self._bot.exception() if self._bot.done() else None
        return _sentence(error, "not_opened", language) if error else ""

    def settle(self) -> None:
        """Wait until the opening has ended."""
        wait([self._bot])

    async def end(self) -> None:
        """Wait until the opening has ended, without holding a thread."""
        await asyncio.wait([asyncio.wrap_future(self._bot)])

    def bot(self) -> Chatbot:
        """Give the chatbot; to be asked when the opening has ended well."""
        return self._bot.result()


def _sentence(error: BaseException, otherwise: str, language: Language) -> str:
    return str(error) if isinstance(error, UserError) else say(otherwise, language)


# --- what Gradio carries --------------------------------------------------------------------------


class _Blocks(gr.Blocks):
    """Gradio's blocks, in which a program's call may leave out the arguments that have a default."""

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:
        """Put the defaults where `{"data": [question]}` has nothing; Gradio itself refuses such calls."""
        if inputs and block_fn.api_name in ("ask", "search"):
            inputs.extend(given.value for given in block_fn.inputs[len(inputs) :])
        super().validate_inputs(block_fn, inputs)


def blocks(opening: Opening) -> gr.Blocks:
    """Lay out the thread and the composer, and publish the two functions `ask` and `search`."""
    with _Blocks(title="bpo", analytics_enabled=False, fill_height=True, fill_width=True) as page:
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
        publish(_public_ask(opening), api_name="ask", concurrency_id="ask")
        publish(_public_search(opening), api_name="search", concurrency_id="ask")
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
        question = _clean(question)
        if not question:
            yield gr.skip(), gr.skip(), gr.skip()
            return
        language = detect(question)
        turn = before[-1].turn + 1 if before else 1

        def show(body: str, text: str = "", typed: Any = None) -> tuple[Any, ...]:
            exchanges = (*before, Exchange(turn, question, text, body))[-LONGEST_THREAD:]
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
            yield show(render.failure(_sentence(error, "failed", language), language))

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


def _clean(question: str) -> str:
    """Take half characters (lone surrogates) out of a question, and what is longer than the engine takes."""
    return question.encode("utf-8", "replace").decode().strip()[:MAX_CHARACTERS]


# --- what programs call ---------------------------------------------------------------------------


def _public_ask(opening: Opening) -> Callable[..., dict[str, Any]]:
    def ask(question: str, history: list[dict[str, Any]] | None = None, language: str = "") -> dict[str, Any]:
        """Answer a question about Mexico's BPO and contact-center sector, in English or Spanish.

        Every sentence of the answer is a quote from the sources, with its article, characters, original
        publications and dates. A question that the sources do not answer gets "answered": false and the
        closest quotes. Nothing is remembered between calls.

        Args:
            question: The question, in English or Spanish, up to 4,000 characters.
            history: Earlier messages, oldest first, each {"role": "user" or "assistant", "content": text}.
            language: "en" or "es" to choose the language of the answer; empty for that of the question.

        Returns:
            The answer: text, claims, citations, conflicts, what is missing, suggestions, passages, timings.
        """
        if language and language not in LANGUAGES:
            raise gr.Error(f"language {language!r}: expected en, es or nothing", print_exception=False)
        chosen = next((x for x in LANGUAGES if x == language), None)
        answer = _bot(opening).ask(_clean(question), _turns(history or ()), language=chosen)
        return answer.to_json()

    return ask


def _public_search(opening: Opening) -> Callable[..., list[dict[str, Any]]]:
    def search(question: str, k: int = 10) -> list[dict[str, Any]]:
        """Find the passages of the sources nearest to a question, best first, without answering it.

        Args:
            question: The question, in English or Spanish, up to 4,000 characters.
            k: How many passages to return, 1 to 100.

        Returns:
            Passages, each with article, title, heading, language, start, end, score and text.
        """
        bot = _bot(opening)
        hits = bot.search(_clean(question), max(1, min(int(k), 100)))
        return [_passage(bot, hit.passage.metadata, hit.passage.page_content, hit.score) for hit in hits]

    return search


def _passage(bot: Chatbot, metadata: Mapping[str, Any], text: str, score: float) -> dict[str, Any]:
    article = bot.article(metadata["article"])
    return {
        "article": metadata["article"],
        "title": article.title if article else "",
        **{name: metadata[name] for name in ("heading", "language", "start", "end")},
        "score": round(float(score), 4),
        "text": text,
    }


def _bot(opening: Opening) -> Chatbot:
    """Wait for the chatbot on behalf of a program. Raises gr.Error with one sentence when there is none."""
    opening.settle()
    if opening.problem():
        raise gr.Error(opening.problem(), print_exception=False)
    return opening.bot()


def _turns(messages: Sequence[Mapping[str, Any]]) -> list[Turn]:
    try:
        return turns_of(messages)
    except (AttributeError, KeyError, TypeError, ValueError):
        expected = 'history: expected objects {"role": "user" or "assistant", "content": text}'
        raise gr.Error(expected, print_exception=False) from None


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
    def open_reader(
        request: Request, article: str, start: int, end: int, check: str, language: str = "en"
    ) -> Response:
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
    # Gradio hands MCP clients Python's repr of a result: gradio/mcp.py, postprocess_output_data
    page.mcp_server_obj.postprocess_output_data = _as_json  # type: ignore[union-attr, method-assign]
    app.add_middleware(Gate, frame=frame.frame())
    return app


def _as_json(outputs: Sequence[Any], _root: str) -> list[Any]:
    return [TextContent(type="text", text=json.dumps(output, ensure_ascii=False)) for output in outputs]


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
    near = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}.get(
        host, f"[{host}]" if ":" in host else host
    )
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
