"""Public benchmarks by path: ours beside the plain pipeline, same documents, same questions, same run.

A benchmark is a folder with `docs.jsonl` and `questions.jsonl` in the layout of the cases. Two more layouts
measure the evaluator itself: `claims.jsonl` with human ratings of faithfulness (MTRAG), `pairs.jsonl` with
human preferences between two answers (RAGChecker).
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
from rag.evaluate.definitions import METRICS
from rag.evaluate.expected import token_f1
from rag.evaluate.run import Progress, read_lines, run
from rag.evaluate.support import answer_support
from rag.evidence import Citation, Claim
from rag.language import detect
from rag.retrieve import Hit
from rag.settings import Settings
from rag.text import Language

SHOWN = ("article.ndcg@10", "sentence.recall@5", "cited.recall", "answer.recall", "right", "utility")
_PASSAGES = 10
RANKED = ("article.recall@1", "article.recall@5", "article.ndcg@10", "sentence.recall@5", "sentence.mrr")
_FUSED = 100  # ranks of each retriever that plain fusion adds up
_DAMPING = 60
# Against the same human preferences (overall), from table 2 of the RAGChecker paper (Ru et al. 2024).
_PUBLISHED = {
    "RAGChecker with Llama 3 70B (published)": 0.609,
    "RAGAS answer similarity (published)": 0.572,
    "ROUGE-L (published)": 0.432,
    "people with each other (published)": 0.689,
}


class Row(NamedTuple):
    """A benchmark and a figure: plain is `before`, ours is `after`."""

    benchmark: str
    difference: Difference


class Agreement(NamedTuple):
    """How well a metric of ours agrees with people: Spearman's rank correlation, over `n` judgements."""

    benchmark: str
    what: str
    n: int
    ours: float
    others: Mapping[str, float]


class Ranking(NamedTuple):
    """How one way of retrieving did on a benchmark: a value for each of RANKED, over `n` questions."""

    benchmark: str
    way: str
    n: int
    values: tuple[float | None, ...]


def benchmarks_in(folder: Path, only: Sequence[str] = ()) -> list[Path]:
    """List the benchmarks of a folder by name. Raises UserError for one asked for that is not there."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder.")
    found = [f for f in sorted(folder.iterdir()) if is_questions(f) or _is_ratings(f) or _is_preferences(f)]
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
    ours = _over(documents, out, settings)
    runs = []
    openers: Mapping[str, Callable[[], Bot]] = {
        "plain": partial(open_plain, documents, out / "plain-index"),
        "bpo": partial(_open_ours, ours),
    }
    for name, opener in openers.items():
        runs.append(run(cases, out / name, opener, resume=True, progress=progress))
    plain, own = runs
    return [Row(benchmark.name, d) for d in compare(plain.scores, own.scores, SHOWN).differences]


def rank(
    benchmark: Path,
    out: Path,
    settings: Settings,
    *,
    limit: int,
    progress: Progress = lambda done, total, failed: None,  # noqa: ARG005
) -> list[Ranking]:
    """Compare ways of retrieving from our index: meaning alone, words alone, the two fused by rank, and ours.

    All rank the same passages; `RRF` is reciprocal rank fusion (Cormack et al. 2009) of equal weights, k = 60.
    """
    cases = [c for c in _spread(read_cases(benchmark / "questions.jsonl"), limit) if c.gold]
    if not cases:
        return []
    ways = _ways(_over(benchmark / "docs.jsonl", out, settings))
    found = []
    for way, bot in ways.items():
        done = run(cases, out / f"ranked-{way}", lambda bot=bot: bot, resume=True, progress=progress)  # type: ignore[misc]
        values = tuple(done.figures[name].value for name in RANKED)
        found.append(Ranking(benchmark.name, way, done.figures[RANKED[0]].n, values))
    return found


def agreement(benchmark: Path) -> Agreement:
    """Correlate a metric of ours with what people say, beside the figures of others.

    Ratings of faithfulness: our support score and the judges' scores that come with the data, all over the
    answers that have evidence, ratings and a judge's score. Preferences between two answers: the difference
    of token F1 with the reference answer.
    """
    return _with_preferences(benchmark) if _is_preferences(benchmark) else _with_ratings(benchmark)


def _with_preferences(benchmark: Path) -> Agreement:
    rows = read_lines(benchmark / "pairs.jsonl")
    gains = [
        token_f1(r["model2"]["response"], [r["gt_answer"]]) - token_f1(r["model1"]["response"], [r["gt_answer"]])
        for r in rows
    ]
    ours = spearman(gains, [r["overall_label"] for r in rows])
    return Agreement(benchmark.name, "token F1 and which answer people prefer", len(rows), ours, _PUBLISHED)


def _with_ratings(benchmark: Path) -> Agreement:
    rows = read_lines(benchmark / "claims.jsonl")
    judged = [r for r in rows if r["evidence"] and _people(r) is not None and _judge(r) is not None]
    people = [_people(r) or 0.0 for r in judged]
    ours = [answer_support(r["claim"], [r["evidence"]]) for r in judged]
    others = {
        title: spearman([r["auto"][key] for r in judged], people)
        for key, title in (("rl_f", "RAGAS faithfulness (GPT-4o mini)"), ("rb_llm", "RAD-Bench judge"))
        if all(isinstance(r["auto"].get(key), (int, float)) for r in judged)
    }
    return Agreement(benchmark.name, "support and human faithfulness", len(judged), spearman(ours, people), others)


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Give the correlation of ranks, ties at their mean rank (Spearman 1904).

    >>> spearman([1, 2, 3], [10, 30, 20])
    0.5
    """
    import numpy as np

    return round(float(np.corrcoef(_ranks(one), _ranks(other))[0, 1]), 12)


def to_markdown(rows: Sequence[Row], agreements: Sequence[Agreement], rankings: Sequence[Ranking] = ()) -> str:
    """Lay out the tables of the README."""
    lines = [
        "| benchmark | figure | n | bpo | plain | difference, 95% interval | |",
        "|---|---|--:|--:|--:|--:|---|",
    ][: 2 * bool(rows)]
    for benchmark, d in rows:
        ends = f" [{d.interval.low:+.3f}, {d.interval.high:+.3f}]" if d.interval else ""
        numbers = f"{d.n} | {d.after:.3f} | {d.before:.3f} | {d.change:+.3f}{ends}"
        lines.append(f"| {benchmark} | {d.name} | {numbers} | {d.verdict} |")
    for a in agreements:
        beside = "; ".join(f"{name} {value:.3f}" for name, value in a.others.items())
        lines += [
            "",
            f"{a.benchmark}: Spearman of {a.what}, n = {a.n}: ours {a.ours:.3f}; {beside}.",
        ]
    if rankings:
        titles = " | ".join(METRICS[name].title for name in RANKED)
        lines += ["", f"| benchmark | retrieved by | n | {titles} |", "|---|---|--:|" + "--:|" * len(RANKED)]
    for r in rankings:
        figures = " | ".join("" if v is None else f"{v:.3f}" for v in r.values)
        lines.append(f"| {r.benchmark} | {r.way} | {r.n} | {figures} |")
    return "\n".join(lines).lstrip() + "\n"


class RankingBot:
    """A way of retrieving as a bot: it answers nothing, and its passages are scored like any."""

    def __init__(self, bot: Bot, rank_by: Callable[[Question], Sequence[Hit]]) -> None:
        self.version = bot.version
        self.articles = bot.articles
        self._rank = rank_by

    def ask(self, question: str, history: Sequence[Any] = ()) -> Answer:  # noqa: ARG002
        """Retrieve; the answer is a refusal with the passages found."""
        language = detect(question)
        return Answer(question, language, note="", passages=tuple(self._rank(Question(question, language))))


class Question(NamedTuple):
    """A question and its language."""

    text: str
    language: Language


def _ways(settings: Settings) -> dict[str, RankingBot]:
    """Build the four ways over one index."""
    import numpy as np

    from rag.app import open_chatbot
    from rag.index import fingerprint, open_index
    from rag.likeness import Likeness
    from rag.models import Embedder
    from rag.retrieve import HybridRetriever, LexicalRetriever, top

    bot = open_chatbot(settings)  # makes the index
    embedder = Embedder.load(settings.embedder)
    index = open_index(settings.index, embedder=fingerprint(embedder))
    lexical = LexicalRetriever(index=index)
    hybrid = HybridRetriever(index=index, embedder=embedder, lexical=lexical, likeness=Likeness(index))

    def meaning(asked: Question) -> Any:
        return np.asarray(index.passage_vectors, np.float32) @ hybrid.question_vector(asked.text)

    def words(asked: Question) -> Any:
        return lexical.scores(asked.text)

    def fused(asked: Question) -> Any:
        total = np.zeros(len(index.passages), np.float32)
        for scores in (meaning(asked), words(asked)):
            for place, row in enumerate(top(scores, _FUSED), 1):
                total[row] += 1 / (_DAMPING + place) if scores[row] > 0 else 0.0
        return total

    def hits(scores: Callable[[Question], Any]) -> Callable[[Question], list[Hit]]:
        def rank_by(asked: Question) -> list[Hit]:
            values = scores(asked)
            return [Hit(index.passages[row], float(values[row])) for row in top(values, _PASSAGES)]

        return rank_by

    ways = {"meaning": hits(meaning), "words": hits(words), "RRF": hits(fused)}
    ways["bpo"] = lambda asked: bot.search(asked.text, _PASSAGES)
    return {name: RankingBot(bot, rank_by) for name, rank_by in ways.items()}


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


def _over(documents: Path, out: Path, settings: Settings) -> Settings:
    return settings.model_copy(update={"corpus": documents.resolve(), "index": (out / "index").resolve()})


def _open_ours(settings: Settings) -> Bot:
    from rag.app import open_chatbot

    return open_chatbot(settings)


def is_questions(folder: Path) -> bool:
    """Whether a folder holds documents and questions about them, so that a chatbot can be asked."""
    return (folder / "docs.jsonl").is_file() and (folder / "questions.jsonl").is_file()


def _is_preferences(folder: Path) -> bool:
    return (folder / "pairs.jsonl").is_file()


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
