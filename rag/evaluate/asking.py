"""Put cases to a bot, in this process or in several."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from rag.evaluate.cases import Case
from rag.evaluate.scoring import Score, score

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    from rag.answer import Answer
    from rag.chat import Turn
    from rag.corpus import Article

_CHUNK = 8  # cases handed to a process at once
_Given = TypeVar("_Given")
_Found = TypeVar("_Found")


class Bot(Protocol):
    """What is evaluated: anything that answers and can say from which articles."""

    @property
    def version(self) -> str:
        """Name of the published index it answers from."""

    @property
    def articles(self) -> Mapping[str, Article]:
        """The articles it answers from, by id."""

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """Answer a question."""


def answer(bot: Bot, case: Case) -> dict[str, Any]:
    """Ask one case; whatever goes wrong is written down as its answer, so that the others are asked too."""
    from rag.chat import turns_of

    clock = time.perf_counter()
    try:
        given = bot.ask(case.question, turns_of([m._asdict() for m in case.history]))
        row = {"id": case.id, **given.to_json()}
    except Exception as error:  # noqa: BLE001 - any failure of the engine is a result of the evaluation
        return {"id": case.id, "question": case.question, "error": f"{type(error).__name__}: {error}"}
    took = (time.perf_counter() - clock) * 1000
    return {**row, "timings_ms": {"total": round(took, 1), **row["timings_ms"]}}


class Asker(Protocol):
    """One process or several behind the same three calls."""

    def __enter__(self) -> Asker: ...

    def __exit__(self, *error: object) -> None: ...

    def about(self) -> dict[str, Any]:
        """Say which index is asked."""
        ...

    def ask(self, cases: Sequence[Case]) -> Iterator[dict[str, Any]]:
        """Answer cases, each answer as soon as it is there."""
        ...

    def score(self, cases: Sequence[Case], rows: Sequence[dict[str, Any]]) -> Iterable[Score]:
        """Score answers, in the order of the cases."""
        ...


def asker_of(open_bot: Callable[[], Bot], jobs: int, parallel: int = 1) -> Asker:
    """Open one bot here and ask it so many questions at once, or one in each of several processes."""
    return _Here(open_bot, parallel) if jobs <= 1 else _Processes(open_bot, jobs)


def together(ask: Callable[[_Given], _Found], given: Sequence[_Given], parallel: int) -> Iterator[_Found]:
    """Ask in threads, never more than `parallel` at once; what was found comes as it is ready.

    For what waits on a server: the next is begun only when one is done, so that a reader who stops reading stops it.
    """
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

    waiting = iter(given)
    with ThreadPoolExecutor(parallel) as pool:
        running = {pool.submit(ask, one) for one in islice(waiting, parallel)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(ask, one) for one in islice(waiting, len(done))}
            yield from (one.result() for one in done)


class _Here:
    """Ask in this process."""

    def __init__(self, open_bot: Callable[[], Bot], parallel: int) -> None:
        self._bot = open_bot()
        self._parallel = parallel

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *error: object) -> None:
        close = getattr(self._bot, "close", None)
        if close:
            close()

    def about(self) -> dict[str, Any]:
        return _about(self._bot)

    def ask(self, cases: Sequence[Case]) -> Iterator[dict[str, Any]]:
        if self._parallel == 1:
            return (answer(self._bot, case) for case in cases)
        return together(lambda case: answer(self._bot, case), cases, self._parallel)

    def score(self, cases: Sequence[Case], rows: Sequence[dict[str, Any]]) -> Iterable[Score]:
        return [score(case, row, self._bot.articles) for case, row in zip(cases, rows, strict=True)]


class _Processes:
    """Ask in several processes, each with a bot of its own; answers come as they are ready."""

    def __init__(self, open_bot: Callable[[], Bot], jobs: int) -> None:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        threads = max(1, (os.cpu_count() or 1) // jobs)
        self._pool: ProcessPoolExecutor = ProcessPoolExecutor(
            jobs, get_context("spawn"), _open_in_process, (open_bot, threads)
        )

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def about(self) -> dict[str, Any]:
        return self._pool.submit(_about_in_process).result()

    def ask(self, cases: Sequence[Case]) -> Iterator[dict[str, Any]]:
        from concurrent.futures import as_completed

        chunks = [cases[i : i + _CHUNK] for i in range(0, len(cases), _CHUNK)]
        for done in as_completed([self._pool.submit(_ask_in_process, chunk) for chunk in chunks]):
            yield from done.result()

    def score(self, cases: Sequence[Case], rows: Sequence[dict[str, Any]]) -> Iterable[Score]:
        return self._pool.map(_score_in_process, cases, rows, chunksize=_CHUNK)


_BOTS: list[Bot] = []  # in a worker process: its bot


def _open_in_process(open_bot: Callable[[], Bot], threads: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)  # read by torch and BLAS when they are loaded
    _BOTS.append(open_bot())


def _about_in_process() -> dict[str, Any]:
    return _about(_BOTS[0])


def _ask_in_process(cases: Sequence[Case]) -> list[dict[str, Any]]:
    return [answer(_BOTS[0], case) for case in cases]


def _score_in_process(case: Case, row: dict[str, Any]) -> Score:
    return score(case, row, _BOTS[0].articles)


def _about(bot: Bot) -> dict[str, Any]:
    return {"index_version": bot.version, "articles": len(bot.articles)}
