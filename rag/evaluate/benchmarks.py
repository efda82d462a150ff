"""Public benchmarks by path: ours beside the plain pipeline, same documents, same questions, same run.

A benchmark is a folder with `docs.jsonl` and `questions.jsonl` in the layout of the cases; a folder with
`claims.jsonl` that carries human ratings of faithfulness measures the evaluator itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from langchain_core.documents import Document

from rag.answer import Answer
from rag.corpus import Article, read_corpus
from rag.errors import UserError
from rag.evaluate.asking import Bot
from rag.evaluate.cases import Case, read_cases
from rag.evaluate.comparison import Difference, compare
from rag.evaluate.run import Progress, read_lines, run
from rag.evaluate.support import answer_support
from rag.evidence import Citation, Claim
from rag.retrieve import Hit
from rag.settings import Settings
from rag.text import detect

SHOWN = ("article.ndcg@10", "sentence.recall@5", "cited.recall", "answer.recall", "right", "utility")
_PASSAGES = 10


class Row(NamedTuple):
    """A benchmark and a figure: plain is `before`, ours is `after`."""

    benchmark: str
    difference: Difference


class Agreement(NamedTuple):
    """How well scores of faithfulness agree with people: Spearman's rank correlation, over `n` answers."""

    benchmark: str
    n: int
    ours: float
    others: Mapping[str, float]


def benchmarks_in(folder: Path, only: Sequence[str] = ()) -> list[Path]:
    """List the benchmarks of a folder by name. Raises UserError for one asked for that is not there."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder.")
    found = [f for f in sorted(folder.iterdir()) if _is_questions(f) or _is_ratings(f)]
    names = [f.name for f in found]
    for name in only:
        if name not in names:
            raise UserError(f"{folder} has no benchmark {name!r}: there are {', '.join(names)}.")
    return [f for f in found if not only or f.name in only]


def measure(
    benchmark: Path,
    out: Path,
    settings: Settings,
    *,
    limit: int,
    progress: Progress = lambda done, total, failed: None,  # noqa: ARG005
) -> list[Row]:
    """Ask both pipelines the same questions (at most `limit`, evenly spread); compare them case by case."""
    cases = _spread(read_cases(benchmark / "questions.jsonl"), limit)
    documents = benchmark / "docs.jsonl"
    ours = settings.model_copy(update={"corpus": documents.resolve(), "index": (out / "index").resolve()})
    runs = []
    openers: Mapping[str, Callable[[], Bot]] = {
        "plain": partial(open_plain, documents, out / "plain-index"),
        "bpo": partial(_open_ours, ours),
    }
    for name, opener in openers.items():
        runs.append(run(cases, out / name, opener, resume=True, progress=progress))
    plain, own = runs
    return [Row(benchmark.name, d) for d in compare(plain.scores, own.scores, SHOWN).differences]


def agreement(benchmark: Path) -> Agreement:
    """Correlate our support score, and those that come with the data, with human faithfulness.

    Over answers with evidence, human ratings and a judge's score: all on the same rows.
    """
    rows = read_lines(benchmark / "claims.jsonl")
    judged = [r for r in rows if r["evidence"] and _people(r) is not None and _judge(r) is not None]
    people = [_people(r) or 0.0 for r in judged]
    ours = [answer_support(r["claim"], [r["evidence"]]) for r in judged]
    others = {
        title: spearman([r["auto"][key] for r in judged], people)
        for key, title in (("rl_f", "RAGAS faithfulness (GPT-4o mini)"), ("rb_llm", "RAD-Bench judge"))
        if all(isinstance(r["auto"].get(key), (int, float)) for r in judged)
    }
    return Agreement(benchmark.name, len(judged), spearman(ours, people), others)


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Give the correlation of ranks, ties at their mean rank (Spearman 1904).

    >>> spearman([1, 2, 3], [10, 30, 20])
    0.5
    """
    import numpy as np

    return round(float(np.corrcoef(_ranks(one), _ranks(other))[0, 1]), 12)


def to_markdown(rows: Sequence[Row], agreements: Sequence[Agreement]) -> str:
    """Lay out the table of the README."""
    lines = [
        "| benchmark | figure | n | bpo | plain | difference, 95% interval | |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    for benchmark, d in rows:
        ends = f" [{d.interval.low:+.3f}, {d.interval.high:+.3f}]" if d.interval else ""
        numbers = f"{d.n} | {d.after:.3f} | {d.before:.3f} | {d.change:+.3f}{ends}"
        lines.append(f"| {benchmark} | {d.name} | {numbers} | {d.verdict} |")
    for a in agreements:
        beside = "; ".join(f"{name} {value:.3f}" for name, value in a.others.items())
        lines += [
            "",
            f"{a.benchmark}: Spearman with human faithfulness, n = {a.n}: ours {a.ours:.3f}; {beside}.",
        ]
    return "\n".join(lines) + "\n"


class PlainBot:
    """The plain pipeline as a bot: it quotes one sentence of its first passage and never refuses."""

    version = "plain"

    def __init__(self, pipeline: Any, articles: Mapping[str, Article]) -> None:
        self._pipeline = pipeline
        self.articles = articles

    def ask(self, question: str, history: Sequence[Any] = ()) -> Answer:  # noqa: ARG002
        """Answer with the sentence that the pipeline finds; it does not know of conversations."""
        places = [self._place(d) for d in self._pipeline.search(question, _PASSAGES)]
        said = self._pipeline.answer(question)
        hits = tuple(
            Hit(Document("", metadata={"article": a, "start": start, "end": end}), 1 / rank)
            for rank, (a, start, end) in enumerate(places, 1)
        )
        language = detect(question)
        if not said or not places:
            return Answer(question, language, passages=hits)
        article = self.articles[places[0][0]]
        at = article.text.find(said, places[0][1])
        start, end = (at, at + len(said)) if at >= 0 else places[0][1:]
        claim = Claim(said, (Citation.of(article, start, end),))
        return Answer(question, language, claims=(claim,), passages=hits, confidence=0.5, mode="plain")

    def _place(self, document: Document) -> tuple[str, int, int]:
        """Find the characters of a passage, which the plain splitter does not keep."""
        name = str(document.metadata["article"])
        at = max(0, self.articles[name].text.find(document.page_content))
        return name, at, at + len(document.page_content)


def open_plain(documents: Path, folder: Path) -> PlainBot:
    """Build the plain pipeline over documents, anew: it would add them to what is in the folder."""
    import shutil

    from rag.bench import PlainPipeline

    shutil.rmtree(folder, ignore_errors=True)
    articles = read_corpus([documents]).articles
    return PlainBot(PlainPipeline(articles, folder), {a.id: a for a in articles})


def _open_ours(settings: Settings) -> Bot:
    from rag.app import open_chatbot

    return open_chatbot(settings)


def _is_questions(folder: Path) -> bool:
    return (folder / "docs.jsonl").is_file() and (folder / "questions.jsonl").is_file()


def _is_ratings(folder: Path) -> bool:
    file = folder / "claims.jsonl"
    if not file.is_file():
        return False
    with file.open(encoding="utf-8") as lines:
        return '"faithfulness"' in lines.readline()


def _spread(cases: Sequence[Case], limit: int) -> Sequence[Case]:
    """Take every k-th case, so that a part has something of everything."""
    step = max(1, -(-len(cases) // limit))
    return cases[::step]


def _people(row: Mapping[str, Any]) -> float | None:
    ratings = (row.get("human") or {}).get("faithfulness")
    return sum(ratings) / len(ratings) if ratings else None


def _judge(row: Mapping[str, Any]) -> float | None:
    score = (row.get("auto") or {}).get("rl_f")
    return score if isinstance(score, (int, float)) else None


def _ranks(values: Sequence[float]) -> Any:
    import numpy as np

    _, index, counts = np.unique(np.asarray(values, dtype=float), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[index]
