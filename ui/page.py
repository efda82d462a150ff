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
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, nullcontext
from pathlib import Path
from typing import Any, cast

import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio.events import api as publish

from rag.chat import MAX_CHARACTERS, Chatbot, Turn
from rag.errors import UserError
from rag.language import detect
from rag.text import LANGUAGES, Language
from ui import frame, library, render
from ui.api import Published, as_json, asking, searching, whole
from ui.conversations import Conversations
from ui.evaluation import add_evaluation
from ui.filters import read_filter
from ui.gate import Gate, Login, is_near
from ui.journal import record, start_record
from ui.kept import LONGEST_THREAD, read_kept
from ui.opening import Opening, sentence
from ui.render import Exchange, Thread
from ui.routes import add_routes
from ui.views import View
from ui.words import count, say

VIEWS: tuple[View, ...] = (View("library", library.show),)
"""What can be looked at beside the chat, in the order of the header."""

_AT_ONCE = 0.02
"""Seconds in which a whole answer that follows a part of it makes it needless to show the part."""


log = logging.getLogger("bpo.page")


# --- what Gradio carries --------------------------------------------------------------------------


def blocks(opening: Opening) -> gr.Blocks:
    """Lay out the thread and the composer, and publish the two functions `ask` and `search`."""
    with Published(title="bpo", analytics_enabled=False, fill_height=True, fill_width=True) as page:
        kept = gr.State(Thread())
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
        narrow = gr.Textbox(elem_id="narrow", label="filters", show_label=False, container=False, type="password")
        asking_once = composer.submit(
            _converse(opening),
            [composer, kept, narrow],
            [composer, thread, kept],
            api_visibility="private",
            show_progress="hidden",
            trigger_mode="always_last",
            concurrency_id="ask",
        )
        # Nobody sees these: the page's script brings back through them what the browser kept, and stops an answer.
        memory = gr.Textbox(elem_id="memory", label="memory", show_label=False, container=False, type="password")
        memory.change(
            _restore(opening),
            [memory],
            [thread, kept],
            cancels=[asking_once],
            api_visibility="private",
            show_progress="hidden",
            trigger_mode="always_last",
            concurrency_limit=None,
        )
        gr.Button("halt", elem_id="halt").click(
            _halt,
            [kept],
            [thread, kept],
            cancels=[asking_once],
            api_visibility="private",
            show_progress="hidden",
            concurrency_limit=None,
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
    async def converse(question: str, before: Thread, chosen: str = "") -> AsyncIterator[tuple[Any, ...]]:
        """One exchange: the question at once, what is being done, then the answer."""
        question = whole(question)
        if not question:
            yield gr.skip(), gr.skip(), gr.skip()
            return
        language = detect(question)
        turn = before.exchanges[-1].turn + 1 if before.exchanges else 1

        def show(body: str, text: str = "", typed: Any = None) -> tuple[Any, ...]:
            exchange = Exchange(turn, question[:MAX_CHARACTERS], text, body)
            thread = Thread(before.name, (*before.exchanges, exchange)[-LONGEST_THREAD:])
            return gr.skip() if typed is None else typed, _messages(thread), thread

        yield show(_beginning(opening, language), typed="")
        await opening.end()
        if opening.problem(language):
            yield show(render.failure(opening.problem(language), language, question))
            return
        yield show(_beginning(opening, language))
        history = [Turn(e.question, e.text) for e in before.exchanges]
        answers = opening.bot().stream(question, history, within=read_filter(chosen))
        answer = None
        while True:
            coming = asyncio.get_running_loop().run_in_executor(None, next, answers, None)
            done, _ = await asyncio.wait([coming], timeout=_AT_ONCE)
            if answer is not None and not done:
                yield show(render.growing(answer))
            await asyncio.wait([coming])
            error = coming.exception()
            if error is not None:
                log.error("a question could not be answered", exc_info=error)
                yield show(render.failure(sentence(error, "failed", language), language, question))
                return
            if coming.result() is None:
                break
            answer = coming.result()
        if answer is not None:
            record(answer)
            yield show(render.answer(answer, turn, before.name), answer.text)

    return converse


def _beginning(opening: Opening, language: Language) -> str:
    """Show what an answer begins with: the articles are searched, once they are there."""
    if not opening.over or opening.problem():
        return render.stage("loading", language)
    articles = count("article_count", len(opening.bot().articles), language)
    return render.stage("searching", language, articles=articles)


def _restore(opening: Opening) -> Callable[[str], Any]:
    async def restore(text: str) -> tuple[Any, ...]:
        """Show a conversation that the browser kept, or an empty one: `NAME [ANSWER, …]`."""
        await opening.end()
        if opening.problem():
            return gr.skip(), gr.skip()
        name, _, answers = text.partition(" ")
        if not name:
            return gr.skip(), gr.skip()
        exchanges = [
            Exchange(turn, answer.question, answer.text, render.answer(answer, turn, name))
            for turn, answer in read_kept(answers, opening.bot())
        ]
        thread = Thread(name, tuple(exchanges))
        return _messages(thread), thread

    return restore


def _halt(before: Thread) -> tuple[Any, ...]:
    """End the exchange that was waited for."""
    if not before.exchanges or before.exchanges[-1].text:
        return gr.skip(), gr.skip()
    *rest, last = before.exchanges
    language = detect(last.question)
    stopped = last._replace(body=render.failure(say("halted", language), language, last.question))
    thread = before._replace(exchanges=(*rest, stopped))
    return _messages(thread), thread


def _messages(thread: Thread) -> list[dict[str, str]]:
    return [
        message
        for e in thread.exchanges
        for message in (
            {"role": "user", "content": render.question(e.question, e.turn, detect(e.question))},
            {"role": "assistant", "content": e.body},
        )
    ]


# --- the server -----------------------------------------------------------------------------------


def application(
    opening: Opening,
    *,
    folder: Path | None = None,
    login: Login | None = None,
    conversations: Conversations | None = None,
) -> FastAPI:
    """Build the whole server: Gradio's page behind the gate, and what the page's own script asks for.

    What readers say of answers is written into `folder`; without one it is refused. Without `conversations` the
    browser keeps them.
    """

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield

    app = FastAPI(title="bpo", lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)

    views = (*VIEWS, add_evaluation(app, opening, folder))
    add_routes(app, opening, views, folder, conversations)
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
    around = frame.frame([view.name for view in views], shared=conversations is not None)
    app.add_middleware(Gate, frame=around, login=login)
    return app


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


def serve(
    open_bot: Callable[[], Chatbot],
    *,
    host: str,
    port: int,
    open_browser: bool,
    folder: Path | None = None,
    auth: str = "",
    record_answers: str = "",
    conversations: Path | None = None,
) -> None:
    """Serve the page until the process is told to end.

    `auth` is what `ui.gate.Login` reads; `record_answers` logs a JSON line for each answer on stderr, "figures" without
    the question, "questions" with it; conversations are kept in the file `conversations`, without one in the browser.
    Raises OSError when the port cannot be had, UserError for a host beyond this machine without a login, for
    conversations that would be everybody's, and for a file of them that cannot be used.
    """
    login = Login.read(auth)
    if not login and auth != "none" and not is_near(host):
        raise UserError(
            f"The page would listen on {host}, which others can reach, without a login: set BPO_AUTH=NAME:PASSWORD, "
            "BPO_AUTH=header:NAME behind a proxy that logs people in, or BPO_AUTH=none to let everybody in."
        )
    if conversations and auth == "none":
        raise UserError(
            "BPO_CONVERSATIONS keeps conversations for each person, and BPO_AUTH=none lets everybody in unnamed: set "
            "BPO_AUTH=NAME:PASSWORD, or BPO_AUTH=header:NAME behind a proxy that logs people in."
        )
    start_record(record_answers)
    kept = Conversations.open(conversations) if conversations else None
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
        application(opening, folder=folder, login=login, conversations=kept),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    if threading.current_thread() is threading.main_thread():
        for name in (signal.SIGTERM, signal.SIGINT):  # uvicorn ends by itself, then raises the signal again
            signal.signal(name, lambda *_: None)
    with listening, closing(kept) if kept else nullcontext():
        _Server(config, reached).run(sockets=[listening])


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
