"""Settings -> Chatbot: the only place that chooses implementations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rag import index as index_
from rag import snapshot
from rag.answer import Quoter
from rag.chat import Chatbot
from rag.chat_model import ChatModel
from rag.corpus import read_corpus
from rag.errors import UserError
from rag.evidence import Evidence
from rag.facts import Figures
from rag.index import Index
from rag.ingest import Changes, Progress, ingest, with_retained
from rag.likeness import Likeness
from rag.models import Embedder, Scorer
from rag.retrieve import HybridRetriever, LexicalRetriever
from rag.settings import Settings, shipped_corpus
from rag.wording import REPLY_TOKENS, Asked, Writer


class Engine(NamedTuple):
    """What finds the sentences of an answer in one index."""

    lexical: LexicalRetriever
    retriever: HybridRetriever
    evidence: Evidence


def assemble(index: Index, embedder: Embedder, scorer: Scorer | None = None) -> Engine:
    """The engine over an open index."""
    lexical = LexicalRetriever(index=index)
    likeness = Likeness(index)
    retriever = HybridRetriever(index=index, embedder=embedder, lexical=lexical, likeness=likeness)
    return Engine(lexical, retriever, Evidence(index, lexical, likeness, scorer))


def quoting(engine: Engine, index: Index, paths: Sequence[Path]) -> Quoter:
    """What answers by quoting, with the table of figures that lies in the paths of the corpus."""
    return Quoter(engine.evidence, Figures.read(paths, index.articles))


def open_chatbot(settings: Settings, *, progress: Progress = lambda done, total: None) -> Chatbot:  # noqa: ARG005
    """A chatbot over an index that is there, whole, and equal to its corpus: what is not is built first.

    Raises UserError or WorkError with one sentence.
    """
    embedder = Embedder.load(settings.embedder)
    index = _ready_index(settings, embedder, progress)
    engine = assemble(index, embedder, Scorer.load(settings.scorer))
    quoter = quoting(engine, index, _paths(settings))
    bot = Chatbot(index, engine.retriever, engine.evidence, quoter)
    if not settings.chat_model:
        return bot
    model = ChatModel.load(
        settings.chat_model,
        url=settings.chat_url,
        timeout=settings.chat_timeout,
        tokens=REPLY_TOKENS,
        price=settings.price,
    )
    writer = Writer(
        model,
        bot.in_parts,  # what stands if the model fails is what is shown without one
        engine.evidence,
        lambda question, language, within: Asked(*bot.look(question, language, within)),
        version=index.version,
        timeout=settings.chat_timeout,
        calls=settings.chat_calls,
        tokens=settings.chat_tokens,
        cache=settings.chat_cache,
    )
    return Chatbot(index, engine.retriever, engine.evidence, writer)


def make_index(
    settings: Settings,
    paths: list[Path] | None = None,
    *,
    progress: Progress = lambda done, total: None,  # noqa: ARG005
) -> Changes:
    """Make the index equal to some paths, to the corpus that is set, or to the shipped one."""
    chosen = paths or [settings.corpus or shipped_corpus()]
    return ingest(chosen, settings.index, Embedder.load(settings.embedder), server=settings.server, progress=progress)


def _ready_index(settings: Settings, embedder: Embedder, progress: Progress) -> Index:
    paths = _paths(settings)
    mark = index_.fingerprint(embedder)
    try:
        index = index_.open_index(settings.index, embedder=mark)
        if index.manifest.server == settings.server and _is_current(settings.index, index, paths):
            return index
    except UserError:
        pass
    ingest(paths, settings.index, embedder, server=settings.server, progress=progress)
    return index_.open_index(settings.index, embedder=mark)


def _paths(settings: Settings) -> list[Path]:
    """What to answer from: the corpus that is set, else what was ingested last, else the shipped one."""
    if settings.corpus is not None:
        return [settings.corpus]
    try:
        manifest = index_.published(settings.index)
    except UserError:
        manifest = None
    there = [Path(p) for p in manifest.paths if Path(p).exists()] if manifest else []
    return there or [shipped_corpus()]


def _is_current(root: Path, index: Index, paths: list[Path]) -> bool:
    """Whether what lies in these paths is what is served. Where nothing can be read, what is served stays.

    Files whose sizes and times are those of the last time are not read again.
    """
    now = snapshot.take(paths)
    if index_.is_remembered(root, index.version, now):
        return True
    corpus = read_corpus(paths)
    if not corpus.articles:
        return True
    current = index_.digest(with_retained(corpus, index)[0]) == index.manifest.corpus
    if current and not corpus.problems:
        index_.remember(root, index.version, now)
    return current
