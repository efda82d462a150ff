"""The view "Evaluation": put cases to the chatbot, watch, read the report, compare runs, take the files away.

Runs lie in a folder beside the index, as `bpo eval run --out` writes them: a run begun here can be gated or
continued there, and one of there, put into this folder, is shown here. Only one run is made at a time.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse
from starlette.concurrency import run_in_threadpool

from rag.answer import Answer
from rag.chat import Chatbot, Turn
from rag.corpus import Article
from rag.errors import UserError
from rag.evaluate import run as run_
from rag.evaluate.cases import Case, read_cases
from rag.evaluate.report import to_html, write_reports
from rag.evaluate.run import Run, read_run
from rag.settings import shipped_corpus
from rag.text import Language
from ui import scorecard
from ui.opening import Opening, sentence
from ui.render import safe
from ui.views import View
from ui.words import say

MOST_CASES = 5000
SHOWN_RUNS = 30
HERE = Path(__file__).parent
# Of these and JSON no form of another site can send any.
UPLOADS = {"application/x-ndjson": ".jsonl", "text/csv": ".csv"}
_JSON = "application/json"
_REPORT = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; sandbox allow-scripts allow-popups"
)
_NAME = re.compile(r"[\w-]{1,80}")

log = logging.getLogger("bpo.page")


class Progress(NamedTuple):
    """How far the run under way is, or how the last one ended; `state` is idle, running, stopped or failed."""

    state: str = "idle"
    run: str = ""
    done: int = 0
    total: int = 0
    failed: int = 0
    since: float = 0.0
    first: int = 0
    problem: str = ""

    def rate(self, now: float) -> float:
        """Give the answers a second so far."""
        return (self.done - self.first) / max(now - self.since, 1e-9) if self.since else 0.0


class _Stopped(Exception):  # noqa: N818 - somebody wanted it
    """The run was stopped by its reader; what was answered is kept."""


class _Shared:
    """The page's own chatbot, which a run asks and leaves open."""

    def __init__(self, bot: Chatbot) -> None:
        self._bot = bot
        self.version = bot.version
        self.articles: Mapping[str, Article] = bot.articles

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """Answer a question."""
        return self._bot.ask(question, history)


class Evaluations:
    """The runs in a folder, and the one under way."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.progress = Progress()

    # --- runs ------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """List the runs, newest first."""
        if self._folder is None or not self._folder.is_dir():
            return []
        found = [f for f in self._folder.iterdir() if (f / "answers.jsonl").is_file() and _NAME.fullmatch(f.name)]
        return [f.name for f in sorted(found, key=lambda f: (f / "answers.jsonl").stat().st_mtime, reverse=True)]

    def read(self, name: str) -> Run | None:
        """Read a finished run; None when there is none of that name."""
        folder = self.folder_of(name)
        try:
            return _read(folder, (folder / "run.json").stat().st_mtime_ns) if folder else None
        except (UserError, OSError):
            return None

    def folder_of(self, name: str) -> Path | None:
        """Find the folder of a run; a name cannot lead out of the folder of all runs."""
        if self._folder is None or not _NAME.fullmatch(name) or not (self._folder / name).is_dir():
            return None
        return self._folder / name

    def sources(self, bot: Chatbot) -> dict[str, Path]:
        """List the files of cases to choose from: the golden questions of what is served, those from feedback."""
        known = {"golden": shipped_corpus() / "questions.jsonl"}
        if self._folder is not None:
            known["feedback"] = self._folder.parent / "cases.jsonl"
        fits = {name: file for name, file in known.items() if file.is_file()}
        if "golden" in fits and not _is_about(fits["golden"], frozenset(bot.articles)):
            del fits["golden"]
        return fits

    def start(self, bot: Chatbot, cases: Sequence[Case], title: str, sample: int | None) -> str:
        """Begin a run and give its name. Raises UserError while there is another."""
        if self._folder is None:
            raise UserError("Runs have no place to be kept.")
        name = f"{re.sub(r'[^A-Za-z0-9_-]+', '-', title)[:40].strip('-') or 'cases'}-{datetime.now():%Y%m%d-%H%M%S}"
        self._begin(bot, cases, name, sample)
        return name

    def resume(self, bot: Chatbot, name: str) -> None:
        """Continue a run that was stopped. Raises UserError when it cannot be."""
        folder = self.folder_of(name)
        if folder is None:
            raise UserError(f"There is no run {name!r}.")
        self._begin(bot, read_cases(folder / "cases.jsonl"), name, None)

    def stop(self) -> None:
        """Stop the run under way; it can be continued."""
        self._stop.set()

    def settle(self) -> None:
        """Wait until the run under way has ended."""
        if self._thread is not None:
            self._thread.join()

    def _begin(self, bot: Chatbot, cases: Sequence[Case], name: str, sample: int | None) -> None:
        with self._lock:
            if self.progress.state == "running":
                raise UserError(f"The run {self.progress.run!r} is under way.")
            self.progress = Progress("running", name)
            self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(bot, cases, name, sample), daemon=True)
        self._thread.start()

    def _run(self, bot: Chatbot, cases: Sequence[Case], name: str, sample: int | None) -> None:
        def tick(done: int, total: int, failed: int) -> None:
            before = self.progress
            since, first = (before.since, before.first) if before.since else (time.monotonic(), done)
            self.progress = Progress("running", name, done, total, failed, since, first)
            if self._stop.is_set() and done < total:
                raise _Stopped

        assert self._folder is not None
        folder = self._folder / name
        try:
            done = run_.run(cases, folder, lambda: _Shared(bot), sample=sample, resume=True, progress=tick)
            write_reports(done)
            self.progress = self.progress._replace(state="idle")
        except _Stopped:
            self.progress = self.progress._replace(state="stopped")
        except Exception as error:  # kept for the reader of the view, who cannot see this thread
            if not isinstance(error, UserError):
                log.error("a run could not be finished", exc_info=error)
            self.progress = self.progress._replace(state="failed", problem=sentence(error, "eval_failed", "en"))

    # --- the view ------------------------------------------------------------------------------------

    def show(self, bot: Chatbot, query: Mapping[str, str], language: Language) -> str:
        """Show the form, the run under way, and the run that is chosen, beside another if one is."""
        parts = [f'<h2 tabindex="-1">{say("view_evaluation", language)}</h2>']
        if self._folder is None:
            return f'<div class="evaluation">{parts[0]}<p>{say("eval_nowhere", language)}</p></div>'
        parts += [
            f'<p class="lead">{say("eval_lead", language)}</p>',
            scorecard.form(tuple(self.sources(bot)), language),
        ]
        parts.append(self._state(language))
        names = self.names()
        finished = [name for name in names[:SHOWN_RUNS] if self.read(name) is not None]
        chosen = query.get("run", "") or next(iter(finished), "")
        run = self.read(chosen) if chosen else None
        if run is not None:
            against = query.get("against", "")
            parts += scorecard.one(run, self.read(against) if against else None, finished, language)
        waiting = [n for n in names[:SHOWN_RUNS] if n not in finished and n != self._under_way()]
        parts.append(scorecard.unfinished(waiting, language))
        return f'<div class="evaluation">{"".join(parts)}</div>'

    def _under_way(self) -> str:
        return self.progress.run if self.progress.state == "running" else ""

    def _state(self, language: Language) -> str:
        at = self.progress
        if at.state == "failed":
            return f'<p class="failure" role="alert">{safe(at.problem)}</p>'
        hidden = "" if at.state == "running" else " hidden"
        return (
            f'<div class="eval-progress" role="status"{hidden}><progress max="{at.total or 1}" value="{at.done}">'
            f'</progress><span class="told">{safe(self.told(language))}</span>'
            f'<button type="button" class="eval-stop">{say("eval_stop", language)}</button></div>'
        )

    def told(self, language: Language) -> str:
        """Say how far the run is, its rate and the time left."""
        at = self.progress
        rate = at.rate(time.monotonic())
        left = int((at.total - at.done) / rate) if rate else 0
        facts = {"done": f"{at.done:,}", "total": f"{at.total:,}", "failed": at.failed}
        return say("eval_told", language, **facts, rate=f"{rate:.1f}", left=f"{left // 60}:{left % 60:02d}")


@lru_cache(maxsize=8)
def _read(folder: Path, changed: int) -> Run:  # noqa: ARG001 - part of the key
    return read_run(folder)


@lru_cache(maxsize=4)
def _is_about(file: Path, articles: frozenset[str]) -> bool:
    return any(g.doc in articles for case in read_cases(file) for g in case.gold)


# --- what the script asks for ----------------------------------------------------------------------


class Routes:
    """What `evaluation.js` calls: start, stop, continue, progress; and the files of a run."""

    def __init__(self, evaluations: Evaluations, opening: Opening) -> None:
        self._evaluations = evaluations
        self._opening = opening

    def add_to(self, app: FastAPI) -> None:
        """Put the routes into the server."""
        app.add_api_route("/evaluation.js", _script, methods=["GET"])
        app.add_api_route("/evaluation/start", self.start, methods=["POST"])
        app.add_api_route("/evaluation/stop", self.stop, methods=["POST"])
        app.add_api_route("/evaluation/continue", self.resume, methods=["POST"])
        app.add_api_route("/evaluation/progress", self.progress, methods=["GET"])
        app.add_api_route("/evaluation/{run}/{file}", self.files, methods=["GET"])

    async def start(self, request: Request, cases: str = "upload", title: str = "cases", sample: int = 0) -> Response:
        """Begin a run of the cases named or sent."""
        kind = _kind(request)
        if kind not in UPLOADS and kind != _JSON:
            return PlainTextResponse("Expected JSONL, CSV or JSON", 415)
        body = await request.body()
        try:
            bot = self._bot()
            chosen = await run_in_threadpool(_cases_of, self._evaluations.sources(bot).get(cases), body, kind)
            run = self._evaluations.start(bot, chosen, Path(title).stem, sample or None)
        except UserError as error:
            return PlainTextResponse(str(error), 400)
        return JSONResponse({"run": run}, 202)

    async def stop(self, request: Request) -> Response:
        """Stop the run under way."""
        if _kind(request) != _JSON:
            return Response(status_code=415)
        self._evaluations.stop()
        return Response(status_code=204)

    async def resume(self, request: Request, run: str) -> Response:
        """Continue a run that was cut off."""
        if _kind(request) != _JSON:
            return Response(status_code=415)
        try:
            await run_in_threadpool(self._evaluations.resume, self._bot(), run)
        except UserError as error:
            return PlainTextResponse(str(error), 400)
        return JSONResponse({"run": run}, 202)

    def progress(self, language: str = "en") -> Response:
        """Say how far the run under way is."""
        at = self._evaluations.progress
        told = self._evaluations.told("es" if language == "es" else "en")
        return JSONResponse({"state": at.state, "done": at.done, "total": at.total, "told": told, "run": at.run})

    def files(self, run: str, file: str, against: str = "") -> Response:
        """Give a file of a run; its report also beside another run."""
        folder = self._evaluations.folder_of(run)
        if folder is None or file not in scorecard.FILES or not (folder / file).is_file():
            return HTMLResponse("", 404)
        headers = {"content-security-policy": _REPORT} if file == "report.html" else {}
        before = self._evaluations.read(against) if against and headers else None
        after = self._evaluations.read(run) if before else None
        if after is not None:
            return HTMLResponse(to_html(after, before), headers=headers)
        return FileResponse(folder / file, headers=headers)

    def _bot(self) -> Chatbot:
        if not self._opening.over or self._opening.problem():
            raise UserError(self._opening.problem() or say("loading", "en"))
        return self._opening.bot()


def add_evaluation(app: FastAPI, opening: Opening, folder: Path | None) -> View:
    """Put the routes of the view into the server, and give the view; runs are kept in `folder`."""
    evaluations = Evaluations(folder / "runs" if folder is not None else None)
    Routes(evaluations, opening).add_to(app)
    return View("evaluation", evaluations.show)


def _script() -> Response:
    return FileResponse(HERE / "evaluation.js", media_type="text/javascript; charset=utf-8")


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0]


def _cases_of(known: Path | None, body: bytes, kind: str) -> Sequence[Case]:
    """Read the cases of a file here, or those that were sent. Raises UserError naming each line that is wrong."""
    if known is not None:
        return read_cases(known)[:MOST_CASES]
    if kind not in UPLOADS or not body.strip():
        raise UserError("Choose a file of cases: JSONL or CSV.")
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"cases{UPLOADS[kind]}"
        file.write_bytes(body)
        try:
            return read_cases(file)[:MOST_CASES]
        except UserError as error:
            raise UserError(str(error).replace(str(file), "line").replace("line:", "line ")) from None
