"""`bpo eval`: run, compare, gate, keep, report, judge, lint, draft, benchmarks."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from rag.errors import UserError
from rag.evaluate.run import Progress, Run, read_run
from rag.settings import Settings, read_settings

app = typer.Typer(
    name="eval",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="How good the answers are, what changed, and whether to ship.\n\n"
    "`bpo eval run questions.jsonl --out runs/today`, then `bpo eval gate runs/today --policy gate.toml`.",
)

IndexOption = Annotated[Path | None, typer.Option("--index", help="Folder of the index.", show_default=False)]
CorpusOption = Annotated[
    Path | None, typer.Option("--corpus", help="Folder or file to answer from.", show_default=False)
]
Cases = Annotated[Path, typer.Argument(help="Questions: JSONL, or CSV with the same columns.")]
Asked = Annotated[Path, typer.Argument(help="Questions: JSONL or CSV; with --benchmark the folder of benchmarks.")]
Folder = Annotated[Path, typer.Argument(help="Folder of a run.")]
Baseline = Annotated[Path | None, typer.Option(help="Folder of the run to compare with.", show_default=False)]
_HEADLINE = ("utility", "right", "sentence.recall@10", "quotes_exact", "refusal.precision", "refusal.recall")
_TICK_SECONDS = 10.0


@app.command()
def run(
    cases: Asked,
    *,
    benchmark: Annotated[str | None, typer.Option(help="Ask this public benchmark, about its own documents.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write [default: runs/NAME-TIME].")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a run that was cut off.")] = False,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Processes, each with its own model.")] = 1,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only the first so many.")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Ask only about so many, of every kind its share.")] = None,
    baseline: Baseline = None,
    index: IndexOption = None,
    corpus: CorpusOption = None,
) -> None:
    """Ask every question, score the answers, write answers.jsonl, metrics.json and report.html."""
    from rag.evaluate import run as run_
    from rag.evaluate.cases import inspect_cases, read_cases
    from rag.evaluate.report import to_markdown, write_reports

    name = benchmark or cases.stem
    if benchmark:
        cases, corpus = _benchmark(cases, benchmark)
    chosen = read_cases(cases)
    for field in inspect_cases(cases).unknown:
        _say(f"{cases}: nothing reads the field {field!r}.")
    before = read_run(baseline) if baseline else None
    folder = out or _default_folder(name, resume=resume)
    settings = read_settings(index=index or (folder / "index" if benchmark else None), corpus=corpus)
    try:
        done = run_.run(
            chosen,
            folder,
            _opener(settings),
            jobs=jobs,
            limit=limit,
            sample=sample,
            resume=resume,
            parallel=settings.chat_parallel if settings.chat_model else 1,
            settings=settings.model_dump(exclude={"index", "host", "port", "chat_cache", "chat_parallel"}),
            progress=_ticker(),
        )
    except KeyboardInterrupt:
        _say(f"Cut off. What was answered is kept: continue with --resume --out {folder}.")
        raise
    write_reports(done, before)
    _say(to_markdown(done, before))
    _out(json.dumps(_brief(done)))


@app.command()
def compare(
    before: Folder,
    after: Folder,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the report of AFTER beside BEFORE here.")] = None,
) -> None:
    """Set two runs side by side, case by case: what got better, what got worse, what is chance."""
    from rag.evaluate.comparison import compare as compare_runs
    from rag.evaluate.report import comparison_table, to_html, worse_table

    old, new = read_run(before), read_run(after)
    found = compare_runs(old.scores, new.scores)
    if out is not None:
        _write(out, to_html(new, old))
    if not as_json:
        _out("\n".join([*comparison_table(found.differences), "", *worse_table(found)]))
        return
    rows = {
        "differences": [d.to_json() for d in found.differences],
        "worse": [{"id": a.id, "before": b.label, "after": a.label} for b, a in found.worse],
        "better": [{"id": a.id, "before": b.label, "after": a.label} for b, a in found.better],
        "only_before": found.only_before,
        "only_after": found.only_after,
    }
    _out(json.dumps(rows, ensure_ascii=False))


@app.command()
def gate(
    folder: Folder,
    *,
    policy: Annotated[Path, typer.Option(help="Floors and allowed losses (TOML).")] = Path("gate.toml"),
    baseline: Baseline = None,
    reports: Annotated[
        bool, typer.Option("--report", help="Write the reports of the run again, with the gate.")
    ] = False,
) -> None:
    """Pass (0), close (1), or say that the run is incomplete (3) or, under `strict`, undecided (4)."""
    from rag.evaluate.gate import hold, read_policy
    from rag.evaluate.report import gate_table, write_reports

    found, before = read_run(folder), read_run(baseline) if baseline else None
    result = hold(found, read_policy(policy), before)
    if reports:
        write_reports(found, before, result)
    _out("\n".join([*gate_table(result), "", f"Gate {result.word}."]))
    raise typer.Exit(result.code)


@app.command()
def keep(
    folder: Folder,
    out: Annotated[Path, typer.Argument(help="Folder to write, for a repository.")],
) -> None:
    """Keep of a run what a comparison needs, small enough to commit: the baseline of a gate."""
    from rag.evaluate import run as run_

    run_.keep(read_run(folder), out)
    _say(f"Wrote {out}: use it as --baseline.")


@app.command()
def report(
    folder: Folder,
    out: Annotated[
        Path | None, typer.Option(help="File to write, .html, .md or .xml [default: all three, in FOLDER].")
    ] = None,
    baseline: Baseline = None,
    policy: Annotated[Path | None, typer.Option(help="Show what this gate says.")] = None,
) -> None:
    """Write the report of a run again: HTML, Markdown or JUnit XML."""
    from rag.evaluate.gate import hold, read_policy
    from rag.evaluate.report import to_html, to_junit, to_markdown, write_reports

    found, before = read_run(folder), read_run(baseline) if baseline else None
    result = hold(found, read_policy(policy), before) if policy else None
    if out is None:
        write_reports(found, before, result)
        _say(f"Wrote report.html, summary.md and junit.xml in {folder}.")
    elif out.suffix == ".html":
        _write(out, to_html(found, before, result))
    elif out.suffix == ".md":
        _write(out, to_markdown(found, before, result))
    elif out.suffix == ".xml":
        _write(out, to_junit(found))
    else:
        raise UserError(f"--out {out}: expected a name ending in .html, .md or .xml.")


@app.command()
def judge(
    folder: Folder,
    model: Annotated[str, typer.Option(help="Chat model, as for BPO_CHAT_MODEL: provider:model.")],
    url: Annotated[str, typer.Option(help="Address of its server; default: the provider's.")] = "",
    timeout: Annotated[float, typer.Option(min=1, max=600, help="Seconds for a whole reply.")] = 60.0,
) -> None:
    """Ask a chat model for its opinion of a run's answers, kept apart, with its agreement with our figures.

    It is sent each question that was answered, what was expected, the answer and its quotes. Run again to continue.
    """
    from rag.chat_model import ChatModel
    from rag.evaluate import judge as judge_
    from rag.evaluate.report import to_markdown, write_reports

    found = read_run(folder)
    opened = ChatModel.load(model, url=url, timeout=timeout, tokens=judge_.REPLY_TOKENS)
    parallel = read_settings().chat_parallel
    figures = judge_.judge(found, opened, timeout=timeout, parallel=parallel, progress=_ticker())
    write_reports(found)
    _say(to_markdown(found))
    _out(json.dumps({name: figure.to_json() for name, figure in figures.items()}))


@app.command()
def lint(cases: Cases, corpus: CorpusOption = None) -> None:
    """Find cases that are malformed, doubled, or expect what no longer stands in the corpus."""
    from rag.evaluate.lint import lint as lint_cases

    problems = lint_cases(cases, _corpus_of(read_settings(corpus=corpus)))
    for problem in problems:
        _out(str(problem))
    _say(f"{len(problems)} problems." if problems else "The cases are sound.")
    if problems:
        raise typer.Exit(1)


@app.command()
def draft(
    out: Annotated[Path, typer.Argument(help="File to write (JSONL).")],
    number: Annotated[int, typer.Option("--n", min=1, help="How many questions at most.")] = 100,
    corpus: CorpusOption = None,
) -> None:
    """Draft questions from the corpus for a person to edit; each is tagged `draft`."""
    from rag.evaluate.cases import write_cases
    from rag.evaluate.draft import draft as draft_cases

    if out.exists():
        raise UserError(f"{out} is there already: choose another name.")
    drafts = draft_cases(_corpus_of(read_settings(corpus=corpus)).articles, number)
    write_cases(drafts, out)
    _say(f"Wrote {len(drafts)} drafts to {out}: reword each, then remove its tag `draft`.")


@app.command()
def benchmarks(
    folder: Annotated[Path, typer.Argument(help="Folder of benchmarks, each with docs.jsonl and questions.jsonl.")],
    *,
    only: Annotated[list[str] | None, typer.Option(help="Name of a benchmark; can be given again.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Questions of each, evenly spread.")] = 300,
    retrieval: Annotated[
        bool, typer.Option("--retrieval", help="Compare ways of retrieving: meaning, words, RRF, ours.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for indexes and runs.")] = Path("runs/benchmarks"),
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Measure public benchmarks, ours beside the plain pipeline, and print the table of the README."""
    from rag.evaluate import benchmarks as benchmarks_

    settings, rows, agreements, rankings = read_settings(), [], [], []
    for benchmark in benchmarks_.benchmarks_in(folder, only or ()):
        _say(f"{benchmark.name} ...")
        there = out / benchmark.name
        if not benchmarks_.is_questions(benchmark):
            agreements.append(benchmarks_.agreement(benchmark))
        elif retrieval:
            rankings += benchmarks_.rank(benchmark, there, settings, limit=limit, progress=_ticker())
        else:
            rows += benchmarks_.measure(benchmark, there, settings, limit=limit, progress=_ticker())
    if as_json:
        table = [{"benchmark": r.benchmark, **r.difference.to_json()} for r in rows]
        ranked = [{**r._asdict(), "values": dict(zip(benchmarks_.RANKED, r.values, strict=True))} for r in rankings]
        found = {"benchmarks": table, "retrieval": ranked, "agreement": [a._asdict() for a in agreements]}
        _out(json.dumps(found))
    else:
        _out(benchmarks_.to_markdown(rows, agreements, rankings))


def _opener(settings: Settings) -> Callable[[], Any]:
    from rag.app import open_chatbot

    return partial(open_chatbot, settings)


def _corpus_of(settings: Settings) -> Any:
    from rag.corpus import read_corpus
    from rag.settings import shipped_corpus

    return read_corpus([settings.corpus or shipped_corpus()])


def _benchmark(folder: Path, name: str) -> tuple[Path, Path]:
    """Find the questions and documents of a benchmark. Raises UserError when it has none."""
    from rag.evaluate.benchmarks import benchmarks_in, is_questions

    (found,) = benchmarks_in(folder, [name])
    if not is_questions(found):
        raise UserError(f"{found} holds no questions: it measures the evaluator, see `bpo eval benchmarks`.")
    return found / "questions.jsonl", found / "docs.jsonl"


def _default_folder(name: str, *, resume: bool) -> Path:
    runs = Path("runs")
    if resume:
        known = sorted(runs.glob(f"{name}-*/answers.jsonl"))
        if not known:
            raise UserError(f"No run of {name} in {runs}: say which with --out.")
        return known[-1].parent
    return runs / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"


def _brief(done: Run) -> dict[str, Any]:
    """Sum up a run in one line for a program to read."""
    figures = {name: done.figures[name].to_json()["value"] for name in _HEADLINE}
    cost = {name: done.record[name] for name in ("failed", "own_share", "peak_memory_mb")}
    cost["seconds"] = done.record["seconds"]["total"]
    return {"out": str(done.folder), "cases": len(done.scores), **cost, **figures}


def _ticker() -> Progress:
    """Show on stderr how far a run is, its rate and the time left; without a terminal a line every 10 s."""
    start: tuple[float, int] | None = None
    shown = 0.0

    def tick(done: int, total: int, failed: int) -> None:
        nonlocal shown, start
        now = time.monotonic()
        start = start or (now, done)  # opening the index is no part of the rate
        terminal = sys.stderr.isatty()
        if done < total and now - shown < (0.2 if terminal else _TICK_SECONDS):
            return
        shown = now
        rate = (done - start[1]) / max(now - start[0], 1e-9)
        text = f"{done}/{total} {done / total:.0%}"
        if rate:
            left = int((total - done) / rate)
            text += f" · {rate:.1f}/s · {left // 60}:{left % 60:02d} left"
        text += f" · {failed} failed" if failed else ""
        sys.stderr.write(f"\r{text}\x1b[K" if terminal else f"{text}\n")
        if terminal and done == total:
            sys.stderr.write("\n")
        sys.stderr.flush()

    return tick


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file}: cannot be written: {error.strerror}.") from None
    _say(f"Wrote {file}.")


def _out(text: str) -> None:
    sys.stdout.write(text.encode("utf-8", "replace").decode() + "\n")


def _say(text: str) -> None:
    sys.stderr.write(text.encode("utf-8", "replace").decode() + "\n")
