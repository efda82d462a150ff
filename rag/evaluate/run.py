"""Ask every case, keep every answer at once, score them all: a folder that holds all of a run.

    cases.jsonl     the cases, as asked
    answers.jsonl   the answers in the contract's JSON, with the case's `id`; a case that failed has `error`
    scores.jsonl    what each answer is worth, metric by metric, with reasons for what does not apply
    metrics.json    each metric: value, interval, n
    run.json        what is needed to repeat it: hashes, versions, settings, machine

`answers.jsonl` grows by whole lines while the run lasts; a process killed at any moment leaves at most one
torn line, which `resume` drops. Everything else is computed from it, so a resumed run has the figures of an
undisturbed one (the latencies are those measured).
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from rag.errors import UserError
from rag.evaluate import cases as cases_
from rag.evaluate import kept
from rag.evaluate.asking import Asker, Bot, asker_of
from rag.evaluate.cases import Case
from rag.evaluate.scoring import Score
from rag.evaluate.summary import Figure, summarise
from rag.wording import totals

_SYNC_SECONDS = 2.0
_PACKAGES = ("bpo", "chromadb", "langchain-core", "numpy", "sentence-transformers", "torch", "transformers")


# Called after each answer with (answers so far, cases in all, failures so far).
Progress = Callable[[int, int, int], None]


class Run(NamedTuple):
    """A finished run: where it lies, what it was, its scores and figures."""

    folder: Path
    record: Mapping[str, Any]
    scores: tuple[Score, ...]
    figures: Mapping[str, Figure]


def run(
    cases: Sequence[Case],
    out: Path,
    open_bot: Callable[[], Bot],
    *,
    jobs: int = 1,
    parallel: int = 1,
    limit: int | None = None,
    sample: int | None = None,
    resume: bool = False,
    settings: Mapping[str, Any] | None = None,
    progress: Progress = lambda done, total, failed: None,  # noqa: ARG005
) -> Run:
    """Ask the cases and write the folder `out`. With `resume`, answers that are there already are kept.

    `parallel` questions are asked at once of the bot of this process: for answers that wait on a chat model.
    `limit` takes the first so many, `sample` about so many of every kind (see `cases.sample`). `open_bot` is
    called once in each of `jobs` processes (so it must be picklable for more than one). Raises UserError when
    `out` holds a run and `resume` was not asked, or holds a run of something else.
    """
    chosen = tuple(cases_.sample(cases, sample) if sample is not None else cases)[:limit]
    began, clock = datetime.now(UTC), time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    if (out / "answers.jsonl").exists() and not resume:
        raise UserError(f"{out} holds a run already: continue it with --resume, or choose another folder.")
    with _locked(out), asker_of(open_bot, jobs, parallel) as asker:
        identity = _identity(chosen, asker, settings or {})
        opened = time.perf_counter()
        _same_run(out, identity)
        record = {"identity": identity, "machine": _machine(), "jobs": jobs, "parallel": parallel, "of": len(cases)}
        cases_.write_cases(chosen, out / "cases.jsonl")
        write_json(out / "run.json", {**record, "status": "running", "started": began.isoformat()})
        asking = _ask_missing(chosen, out / "answers.jsonl", asker, progress)
        kept = read_lines(out / "answers.jsonl")
        answers = {row["id"]: row for row in kept}
        rows = [answers[c.id] for c in chosen]
        if [row["id"] for row in kept] != [c.id for c in chosen]:
            write_lines(out / "answers.jsonl", rows)
        scores = tuple(asker.score(chosen, rows))
    figures = summarise(scores)
    write_lines(out / "scores.jsonl", (s.to_json() for s in scores))
    write_json(out / "metrics.json", {name: f.to_json() for name, f in figures.items()})
    total = time.perf_counter() - clock
    spent = {"total": total, "opening": opened - clock, "asking": asking.seconds}
    spent["scoring"] = total - spent["opening"] - asking.seconds
    spent["engine"] = asking.engine
    done = {**record, "status": "complete", "started": began.isoformat(), "peak_memory_mb": _peak_memory()}
    done |= {"failed": sum("error" in r for r in rows), "seconds": {k: round(v, 3) for k, v in spent.items()}}
    done |= {"asked": asking.asked, "own_share": _own_share(spent, jobs * parallel)}
    if worded := [row["wording"] for row in rows if row.get("wording")]:
        done |= {"wording": totals(worded)}
    write_json(out / "run.json", done)
    return Run(out, done, scores, figures)


def read_run(folder: Path) -> Run:
    """Read a finished run. Raises UserError when the folder holds none."""
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(f"{folder}: no run in it: expected run.json, as `bpo eval run --out` writes.") from None
    if record.get("status") != "complete":
        raise UserError(f"{folder}: the run was not finished: continue it with `bpo eval run ... --resume`.")
    name = "scores.csv" if record.get("kept") else "scores.jsonl"
    try:
        if record.get("kept"):
            scores = kept.read_scores(folder / name)
        else:
            scores = tuple(Score.from_json(row) for row in read_lines(folder / name))
    except (OSError, TypeError, KeyError, ValueError):
        raise UserError(f"{folder}: {name} is missing or not what this version writes.") from None
    return Run(folder, record, scores, summarise(scores))


def keep(run: Run, folder: Path) -> None:
    """Write of a run what a comparison needs, small enough for a repository; `read_run` reads it."""
    identity = dict(run.record["identity"])
    identity["settings"] = {n: v for n, v in identity["settings"].items() if not _is_place(v)}
    folder.mkdir(parents=True, exist_ok=True)
    kept.write_scores(run.scores, folder / "scores.csv")
    write_json(folder / "run.json", {"status": "complete", "kept": True, "identity": identity})


def _is_place(value: object) -> bool:
    """Whether a setting names a place of one machine or network."""
    return isinstance(value, str) and ("://" in value or Path(value).is_absolute())


def read_lines(file: Path) -> list[dict[str, Any]]:
    """Read the whole lines of a JSONL file; a line torn by a killed process ends the reading."""
    rows: list[dict[str, Any]] = []
    if not file.exists():
        return rows
    for line in file.read_bytes().split(b"\n")[:-1]:
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


# --- asking -------------------------------------------------------------------------------------


class _Asking(NamedTuple):
    asked: int
    seconds: float
    engine: float  # seconds in which answers were being made, over all processes


def _own_share(spent: Mapping[str, float], at_once: int) -> float | None:
    """Give the share of the time after opening that the evaluator took for itself; unknown for several at once."""
    own = spent["total"] - spent["opening"] - spent["engine"]
    return round(own / (own + spent["engine"]), 4) if at_once == 1 and own > 0 else None


def _ask_missing(cases: Sequence[Case], file: Path, asker: Asker, progress: Progress) -> _Asking:
    kept = read_lines(file)
    whole = b"".join(_line(row) for row in kept)
    if file.exists() and file.read_bytes() != whole:
        _replace(file, whole)
    have = {row["id"] for row in kept}
    missing = [c for c in cases if c.id not in have]
    failed = sum("error" in row for row in kept)
    done = len(cases) - len(missing)
    clock = synced = time.perf_counter()
    engine = 0.0
    with file.open("ab") as out:
        for row in asker.ask(missing):
            out.write(_line(row))
            out.flush()
            done, failed = done + 1, failed + ("error" in row)
            engine += row.get("timings_ms", {}).get("total", 0.0) / 1000
            if time.perf_counter() - synced > _SYNC_SECONDS:
                os.fsync(out.fileno())
                synced = time.perf_counter()
            progress(done, len(cases), failed)
        os.fsync(out.fileno())
    return _Asking(len(missing), time.perf_counter() - clock, engine)


# --- what a run was -----------------------------------------------------------------------------


def _identity(cases: Sequence[Case], asker: Asker, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Write down what makes two runs the same: cases, index, code, settings, versions."""
    about = asker.about()
    if not about["articles"]:
        raise UserError("The index holds no article: ingest documents before evaluating answers from them.")
    plain = {name: value if isinstance(value, (bool, int, float)) else str(value) for name, value in settings.items()}
    return {
        "cases": cases_.digest(cases),
        "n": len(cases),
        **about,
        "code": _code_digest(),
        "settings": plain,
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _same_run(out: Path, identity: Mapping[str, Any]) -> None:
    """Refuse to continue a run of something else, naming what differs."""
    if not (out / "run.json").exists():
        return
    before = json.loads((out / "run.json").read_text(encoding="utf-8")).get("identity", {})
    differing = sorted(name for name in identity if before.get(name) != identity[name])
    if differing and (out / "answers.jsonl").exists():
        name = differing[0]
        raise UserError(
            f"{out} holds a run with other {', '.join(differing)} ({name}: {before.get(name)} there,"
            f" {identity[name]} now): choose another folder."
        )


def _code_digest() -> str:
    """Hash the engine's own files: the same name means the same code."""
    package = Path(__file__).resolve().parent.parent
    whole = hashlib.sha256()
    for file in sorted(package.glob("*.py")):
        whole.update(file.name.encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()[:16]


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found


def _machine() -> dict[str, Any]:
    return {"system": platform.platform(), "processor": platform.machine(), "cpus": os.cpu_count()}


def _peak_memory() -> float | None:
    """Give the most memory that this process, or one of its workers, held at once, in MB."""
    if sys.platform == "win32":
        return None
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    usage = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(max(usage) / unit, 1)


# --- files --------------------------------------------------------------------------------------


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    try:
        with FileLock(out / ".lock", timeout=0):
            yield
    except Timeout:
        raise UserError(f"{out} is in use by another run.") from None


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def write_lines(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a JSONL file whole."""
    _replace(file, b"".join(_line(row) for row in rows))


def write_json(file: Path, data: Mapping[str, Any]) -> None:
    """Write a JSON file whole."""
    _replace(file, json.dumps(data, indent=1, ensure_ascii=False).encode() + b"\n")


def _replace(file: Path, content: bytes) -> None:
    """Write beside and rename, so that a reader sees the old file or the new one, never half of either."""
    beside = file.with_name(file.name + ".new")
    with beside.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)
