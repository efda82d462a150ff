"""The command line: `bpo`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rag import loading
from rag.errors import UserError, WorkError
from rag.evaluate.cli import app as evaluation
from rag.settings import Settings, read_settings

app = typer.Typer(
    name="bpo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Questions and answers on Mexico's BPO and contact-center sector: every sentence quoted and cited.\n\n"
    'Start with `bpo chat` (the page) or `bpo ask "How many call centers are there in Mexico?"`. '
    "Answer from your own documents with `bpo ingest FOLDER`. Every option can be a `BPO_*` variable too.",
)
app.add_typer(evaluation, name="eval")
_err = Console(stderr=True)

IndexOption = Annotated[Path | None, typer.Option("--index", help="Folder of the index.", show_default=False)]
CorpusOption = Annotated[
    Path | None, typer.Option("--corpus", help="Folder or file to answer from.", show_default=False)
]


def main() -> None:
    """Run the command line; a user's mistake is one sentence on stderr, never a traceback."""
    loading.collect_rarely()
    try:
        app()
    except WorkError as error:
        _say(str(error))
        sys.exit(1)
    except UserError as error:
        _say(str(error))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


@app.command()
def chat(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on [default: 127.0.0.1].", show_default=False)
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one [default: 7860].", show_default=False)
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    index: IndexOption = None,
    corpus: CorpusOption = None,
) -> None:
    """Open the page: ask, read, check."""
    settings = read_settings(host=host, port=port, index=index, corpus=corpus)
    # Gradio's type stubs for an editor, written anew at every import: half of the time that it takes.
    with loading.without("gradio.component_meta", "create_or_modify_pyi"):
        from ui.page import serve

    def open_bot() -> Any:
        bot = _open(settings)
        bot.ask("warm up")  # the first pass through every library costs ten times a later one
        return bot

    try:
        serve(
            open_bot,
            host=settings.host,
            port=settings.port,
            open_browser=browser,
            folder=settings.index,
            auth=settings.auth,
            record_answers=settings.log,
            conversations=settings.conversations,
        )
    except OSError as error:
        raise UserError(
            f"The page cannot listen on {settings.host}:{settings.port} ({error.strerror or error}): "
            "choose another --port."
        ) from None


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What to ask, in English or Spanish.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    history: Annotated[
        Path | None,
        typer.Option(help="JSON file with the turns before: a list of {role, content}.", show_default=False),
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="en or es [default: the question's].", show_default=False)
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show the candidates and their scores on stderr.")] = False,
    index: IndexOption = None,
    corpus: CorpusOption = None,
) -> None:
    """Ask one question."""
    if language not in (None, "en", "es"):
        raise UserError(f"--language {language!r}: expected en or es.")
    turns = _read_history(history) if history else []
    bot = _open(read_settings(index=index, corpus=corpus))
    answer, shown = None, 0
    for answer in bot.stream(question, turns, language=language):
        if not as_json:
            shown = _print_claims(answer, shown)
    assert answer is not None
    if explain:
        _explain({**bot.explain(question, turns, language=language), "wording": dict(answer.wording)})
    if as_json:
        _print_json(answer.to_json())
    else:
        _print_rest(answer)


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="What to look for.")],
    k: Annotated[int, typer.Option("--k", min=1, max=1000, help="How many passages.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print the passages as JSON.")] = False,
    index: IndexOption = None,
    corpus: CorpusOption = None,
) -> None:
    """Find passages, with their scores; nothing is answered."""
    bot = _open(read_settings(index=index, corpus=corpus))
    rows = [
        {
            "article": m["article"], "title": bot.articles[m["article"]].title, "heading": m["heading"],
            "language": m["language"], "start": m["start"], "end": m["end"], "score": round(hit.score, 4),
            "text": hit.passage.page_content,
        }
        for hit in bot.search(question, k)
        for m in [hit.passage.metadata]
    ]  # fmt: skip
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        _out(f"{row['score']:.3f}  {row['article']}  [{row['start']}:{row['end']}]  {row['heading']}")
        _out("       " + " ".join(str(row["text"]).split())[:160])


@app.command()
def ingest(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders or files (.md, .txt, .jsonl) [default: the shipped corpus]."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check a corpus folder: nothing is written.")] = False,
    originals: Annotated[
        Path | None,
        typer.Option(help="With --check: folder of original texts that no article may repeat.", show_default=False),
    ] = None,
    index: IndexOption = None,
    corpus: CorpusOption = None,
) -> None:
    """Make the index equal to these folders and files."""
    settings = read_settings(index=index, corpus=corpus)
    if check:
        _check(paths or [], settings, originals)
        return
    from rag.app import make_index

    with _progress("Reading") as progress:
        changes = make_index(settings, paths or None, progress=progress)
    for problem in changes.problems:
        _say(str(problem))
    for article in changes.retained:
        _say(f"{article}: could not be read this time; it stays as it was.")
    done = "Nothing to do: the index is equal to the corpus." if not changes.published else (
        f"{changes.articles} articles: {changes.added} passages added, {changes.removed} removed, {changes.kept} kept."
    )  # fmt: skip
    _say(f"{done} Version {changes.version}.")
    if changes.problems:
        raise typer.Exit(1)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="An export of the page: .md, .html or .csv.")],
    index: IndexOption = None,
    corpus: CorpusOption = None,
) -> None:
    """Check an exported answer against the articles: every quote, its place, its publications.

    Names the line of what is not as the file says, and ends with 1.
    """
    from rag.corpus import read_corpus
    from rag.export import verify as check_export
    from rag.index import published
    from rag.settings import shipped_corpus

    settings = read_settings(index=index, corpus=corpus)
    manifest = published(settings.index) if settings.corpus is None else None
    there = [path for path in map(Path, manifest.paths if manifest else ()) if path.exists()]
    read = read_corpus([settings.corpus] if settings.corpus else there or [shipped_corpus()])
    checked, problems = check_export(file, {article.id: article for article in read.articles})
    for problem in problems:
        _out(str(problem))
    _say(f"{checked} citations checked, {len(problems)} problems.")
    if problems:
        raise typer.Exit(1)


@app.command()
def coverage(
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    corpus: CorpusOption = None,
) -> None:
    """Show what the corpus knows: topics, places, years, newest sources, and what is thin or missing."""
    from rag.coverage import coverage as coverage_of
    from rag.coverage import to_json, to_markdown
    from rag.settings import shipped_corpus

    found = coverage_of(read_settings(corpus=corpus).corpus or shipped_corpus())
    if as_json:
        _print_json(to_json(found))
    else:
        _out(to_markdown(found))


@app.command()
def bench(
    documents: Annotated[
        Path | None,
        typer.Option(help="Documents to ingest [default: the shipped corpus].", show_default=False),
    ] = None,
    questions: Annotated[Path | None, typer.Option(help="Questions to ask (JSONL).", show_default=False)] = None,
    start: Annotated[
        bool, typer.Option("--start", help="Measure how soon `bpo chat` and `bpo ask` answer, and nothing else.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Measure speed and memory beside the plain pipeline, in one run."""
    from rag import bench

    if start:
        result, text = bench.start(read_settings(), say=_say), bench.start_to_text
    else:
        result, text = bench.run(read_settings(), documents=documents, questions=questions, say=_say), bench.to_text
    if as_json:
        _print_json(result)
    else:
        _out(text(result))


def _open(settings: Settings) -> Any:
    from rag.app import open_chatbot

    with _progress("Building the index") as progress:
        bot = open_chatbot(settings, progress=progress)
    loading.keep_for_good()
    return bot


def _check(paths: list[Path], settings: Settings, originals: Path | None) -> None:
    from rag.check import check as check_corpus
    from rag.check import copied_runs
    from rag.settings import shipped_corpus

    folders = paths or [settings.corpus or shipped_corpus()]
    problems = [problem for folder in folders for problem in check_corpus(folder)]
    if originals is not None:
        problems += [problem for folder in folders for problem in copied_runs(folder, originals)]
    for problem in problems:
        _out(str(problem))
    _say(f"{len(problems)} problems." if problems else "The corpus is clean.")
    if problems:
        raise typer.Exit(1)


def _read_history(file: Path) -> list[Any]:
    from rag.chat import turns_of

    try:
        return turns_of(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise UserError(f"--history {file}: {error.strerror}.") from None
    except (ValueError, TypeError, KeyError):
        raise UserError(
            f'--history {file}: expected a JSON list such as [{{"role": "user", "content": "…"}}, '
            '{"role": "assistant", "content": "…"}].'
        ) from None


@contextmanager
def _progress(label: str) -> Iterator[Any]:
    """A bar on stderr that appears with the first passage; nothing when there is nothing to do."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=_err, transient=True,
    )  # fmt: skip
    task = None

    def advance(done: int, total: int) -> None:
        nonlocal task
        if total == 0:
            return
        if task is None:
            bar.start()
            task = bar.add_task(label, total=total)
        bar.update(task, completed=done)

    try:
        yield advance
    finally:
        bar.stop()


def _print_claims(answer: Any, shown: int) -> int:
    """Print the sentences of a growing answer that were not printed yet; how many there are now."""
    for claim in answer.claims[shown:]:
        _out(claim.text + "".join(f" [{answer.number(c)}]" for c in claim.citations))
        sys.stdout.flush()
    return len(answer.claims)


def _print_rest(answer: Any) -> None:
    """Print what stands below the sentences of a whole answer."""
    if not answer.answered:
        _out(answer.note)
        for number, citation in enumerate(answer.closest, 1):
            _out(f"\n  ({number}) {citation.quote}\n      {_credit(citation)}")
        return
    if answer.note:
        _out(f"\n{answer.note}")
    for conflict in answer.conflicts:
        _out(f"\n{conflict.about}: {conflict.reason}")
        for statement in conflict.statements:
            _out(f"  - {statement.text} [{answer.number(statement.citation)}]")
    _out("")
    for number, citation in enumerate(answer.citations, 1):
        _out(f"[{number}] {_credit(citation)}")


def _credit(citation: Any) -> str:
    behind = "; ".join(
        ", ".join(part for part in (s.publisher, s.title, s.issued or "undated", s.kind, s.url) if part)
        for s in citation.sources
    )
    return f"{citation.article} [{citation.start}:{citation.end}]: {behind or citation.title}"


def _explain(trace: dict[str, Any]) -> None:
    _say(json.dumps(trace, ensure_ascii=False, indent=1))


def _print_json(data: Any) -> None:
    _out(json.dumps(data, ensure_ascii=False))


def _out(text: str) -> None:
    sys.stdout.write(text.encode("utf-8", "replace").decode() + "\n")


def _say(text: str) -> None:
    sys.stderr.write(text.encode("utf-8", "replace").decode() + "\n")


if __name__ == "__main__":
    main()
