"""What the page's own script asks the server for, beside Gradio: articles, views, exports, conversations, feedback."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

from rag.errors import UserError
from rag.export import FORMATS, export
from rag.text import Span
from ui import filters, library, reader, render
from ui.conversations import Conversation, Conversations, FullError, title_of
from ui.journal import keep_feedback
from ui.kept import language_of, read_kept
from ui.opening import Opening
from ui.views import View

CITED_AT_ONCE = 100
HERE = Path(__file__).parent

log = logging.getLogger("bpo.page")


def add_routes(
    app: FastAPI, opening: Opening, views: Sequence[View], folder: Path | None, conversations: Conversations | None
) -> None:
    """Add them all; feedback is written into `folder`, and refused without one, as `conversations` are."""
    _add_files(app)
    _add_health(app, opening)
    _add_reader(app, opening)
    _add_views(app, opening, views)
    _add_filters(app, opening)
    _add_export(app, opening)
    _add_conversations(app, conversations)
    _add_feedback(app, folder)


def _add_files(app: FastAPI) -> None:
    @app.get("/page.js")
    @app.get("/conversations.js")
    def script(request: Request) -> Response:
        return FileResponse(HERE / request.url.path.strip("/"), media_type="text/javascript; charset=utf-8")

    @app.get("/page.css")
    @app.get("/more.css")
    def style(request: Request) -> Response:
        return FileResponse(HERE / request.url.path.strip("/"), media_type="text/css; charset=utf-8")


def _add_health(app: FastAPI, opening: Opening) -> None:
    @app.get("/healthz")
    def health() -> JSONResponse:
        problem = opening.problem()
        state = {"status": "failed" if problem else "ready" if opening.over else "loading"}
        return JSONResponse({**state, **({"problem": problem} if problem else {})}, 503 if problem else 200)

    @app.get("/health")
    def health_in_full() -> JSONResponse:
        status = health()
        if status.status_code != 200 or not opening.over:
            return status
        bot = opening.bot()
        return JSONResponse({"status": "ready", "index_version": bot.version, **bot.describe()})


def _add_reader(app: FastAPI, opening: Opening) -> None:
    @app.get("/reader")
    def open_reader(
        request: Request, article: str, start: int = 0, end: int = 0, check: str = "", language: str = "en"
    ) -> Response:
        found = opening.bot().article(article) if opening.over and not opening.problem() else None
        words = language_of(language)
        if found is not None and "start" not in request.query_params:
            return HTMLResponse(reader.whole_article(found, library.questions(opening.bot(), found), words))
        if found is None or not 0 <= start < end or render.check(found.text[start:end]) != check:
            return HTMLResponse("", 404)
        cited = [_span(part) for part in request.query_params.getlist("also")[:CITED_AT_ONCE]]
        if "brief" in request.query_params:
            return HTMLResponse(reader.hover_card(found, Span(start, end), words))
        return HTMLResponse(reader.reader(found, Span(start, end), [s for s in cited if s], words))


def _span(text: str) -> Span | None:
    start, _, end = text.partition("-")
    return Span(int(start), int(end)) if start.isdecimal() and end.isdecimal() else None


def _add_views(app: FastAPI, opening: Opening, views: Sequence[View]) -> None:
    @app.get("/view/{name}")
    def open_view(request: Request, name: str, language: str = "en") -> Response:
        view = next((v for v in views if v.name == name), None)
        if view is None or not opening.over or opening.problem():
            return HTMLResponse("", 404 if view is None else 503)
        asked = {key: value for key, value in request.query_params.items() if key != "language"}
        return HTMLResponse(view.show(opening.bot(), asked, language_of(language)))


def _add_filters(app: FastAPI, opening: Opening) -> None:
    @app.get("/filters")
    def offer_filters(language: str = "en") -> Response:
        if not opening.over or opening.problem():
            return HTMLResponse("", 503)
        return HTMLResponse(filters.choices(opening.bot(), language_of(language)))


def _add_export(app: FastAPI, opening: Opening) -> None:
    @app.post("/export/{form}")
    async def write_export(request: Request, form: str, language: str = "en") -> Response:
        text = (await request.body()).decode("utf-8", "replace")
        if form not in FORMATS or not opening.over or opening.problem():
            return Response(status_code=404 if form not in FORMATS else 503)
        answers = [answer.to_json() for _, answer in read_kept(text, opening.bot())]
        content = export(answers, form, language=language_of(language))
        return Response(content, media_type=f"{FORMATS[form]}; charset=utf-8")


def _add_conversations(app: FastAPI, conversations: Conversations | None) -> None:
    """Add what reads and writes conversations; the gate has put the name of whose they are into the request's state."""

    @app.get("/conversations/")
    async def find_conversations(request: Request, find: str = "") -> Response:
        return await _with(
            conversations, lambda kept: [found._asdict() for found in kept.find(request.state.owner, find)]
        )

    @app.get("/conversations/{identity}")
    async def load_conversation(request: Request, identity: str) -> Response:
        return await _with(conversations, lambda kept: _sendable(kept.load(request.state.owner, identity)))

    @app.put("/conversations/{identity}")
    async def save_conversation(request: Request, identity: str) -> Response:
        body = await request.body()
        return await _with(
            conversations, lambda kept: kept.save(request.state.owner, Conversation.read(identity, json.loads(body)))
        )

    @app.patch("/conversations/{identity}")
    async def rename_conversation(request: Request, identity: str) -> Response:
        body = await request.body()
        return await _with(
            conversations, lambda kept: kept.rename(request.state.owner, identity, title_of(json.loads(body)))
        )

    @app.delete("/conversations/{identity}")
    async def delete_conversation(request: Request, identity: str) -> Response:
        return await _with(conversations, lambda kept: kept.delete(request.state.owner, identity))


async def _with(conversations: Conversations | None, does: Callable[[Conversations], Any]) -> Response:
    """Do something with the conversations and send what it gives; None and False are "not found"."""
    if conversations is None:
        return Response(status_code=404)
    try:
        found = await asyncio.to_thread(does, conversations)
    except FullError:
        return Response(status_code=413)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Response(status_code=400)
    except UserError as error:
        log.error("%s", error)
        return Response(status_code=507)
    if found is None or found is False:
        return Response(status_code=404)
    return JSONResponse(found, headers={"cache-control": "no-store"})


def _sendable(conversation: Conversation | None) -> dict[str, Any] | None:
    """Give a conversation as the page's script has it, which is told how many of the answers need not be sent again."""
    return {**conversation._asdict(), "sent": len(conversation.answers)} if conversation else None


def _add_feedback(app: FastAPI, folder: Path | None) -> None:
    @app.post("/feedback")
    async def take_feedback(request: Request) -> Response:
        if folder is None:
            return Response(status_code=404)
        try:
            given = json.loads(await request.body())
            await asyncio.to_thread(keep_feedback, folder, given)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return Response(status_code=400)
        except OSError as error:
            log.error("feedback could not be kept: %s", error)
            return Response(status_code=507)
        return Response(status_code=204)
