"""Settings -> Chatbot: the only place that chooses implementations."""

from __future__ import annotations

from pathlib import Path

from rag import index as index_
from rag.answer import Quoter
from rag.chat import Chatbot
from rag.corpus import read_corpus
from rag.errors import UserError
from rag.evidence import Evidence
from rag.index import Index
from rag.ingest import Changes, Progress, ingest, with_retained
from rag.models import Embedder
from rag.retrieve import HybridRetriever, LexicalRetriever
from rag.settings import Settings, shipped_corpus


def open_chatbot(settings: Settings, *, progress: Progress = lambda done, total: None) -> Chatbot:  # noqa: ARG005
    """A chatbot over an index that is there, whole, and equal to its corpus: what is not is built first.

    Raises UserError or WorkError with one sentence.
    """
    embedder = Embedder.load(settings.embedder)
    index = _ready_index(settings, embedder, progress)
    lexical = LexicalRetriever(index=index)
    retriever = HybridRetriever(index=index, embedder=embedder, lexical=lexical)
    evidence = Evidence(index, lexical, embedder)
    chatbot = Chatbot(index, retriever, evidence, Quoter(evidence))
    chatbot.ask("warm up")  # the first pass through every library costs ten times a later one
    return chatbot


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
        if index.manifest.server == settings.server and _is_current(index, paths):
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


def _is_current(index: Index, paths: list[Path]) -> bool:
    """Whether what lies in these paths is what is served. Where nothing can be read, what is served stays."""
    corpus = read_corpus(paths)
    return not corpus.articles or index_.digest(with_retained(corpus, index)[0]) == index.manifest.corpus
