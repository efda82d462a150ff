"""Make the index equal to the corpus: read, cut, embed what is new, build beside, audit, publish."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from langchain_core.documents import Document

from rag import index as index_
from rag import snapshot
from rag.corpus import Article, Corpus, Problem, Sentence, read_corpus
from rag.errors import UserError, WorkError
from rag.index import Contents, Fingerprint, Index
from rag.models import Contextual, Embedder, Vectors
from rag.passages import context, place, split
from rag.text import Span

# Called with (texts read so far, texts to read): passages, their sentences by themselves, anticipated questions.
Progress = Callable[[int, int], None]
_GROUP = 1024  # texts read from one call of progress to the next: like lengths are read together


@dataclass(frozen=True)
class Changes:
    """What an ingestion did. `kept` passages kept their vectors; `retained` articles could not be read this
    time and stay as they were; `published` is False when the index was equal to the corpus already.
    """

    version: str
    articles: int
    added: int
    removed: int
    kept: int
    characters: int
    problems: tuple[Problem, ...]
    retained: tuple[str, ...]
    published: bool


def ingest(
    paths: Sequence[Path],
    root: Path,
    embedder: Embedder,
    *,
    server: str = "",
    progress: Progress = lambda done, total: None,  # noqa: ARG005
) -> Changes:
    """Make the index in `root` equal to what lies in `paths`.

    Files that cannot be read are named in `problems`; an article of theirs that is being served stays. Raises
    WorkError when nothing at all could be read, when another process is building, or when the disk is full;
    what was published before is served on.
    """
    seen = snapshot.take(paths)
    corpus = read_corpus(paths)
    mark = index_.fingerprint(embedder)
    with index_.writer(root):
        served = _served(root, mark, server)
        articles, retained = with_retained(corpus, served)
        if not articles:
            raise WorkError(_nothing_read(paths, corpus.problems))
        if served is not None and served.manifest.corpus == index_.digest(articles):
            _finish(root, served, paths)
            return Changes(
                served.version,
                len(articles),
                0,
                0,
                len(served.passages),
                0,
                corpus.problems,
                retained,
                published=False,
            )
        contents, kept = _embed(articles, served, embedder, progress)
        _require_space(root, contents)
        version = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{index_.digest(articles)[:8]}"
        folder = index_.build(root, version, contents, paths=[str(p) for p in paths], embedder=mark, server=server)
        index_.publish(root, folder)
        if not corpus.problems:
            index_.remember(root, version, seen)
        gone = 0
        if served is not None:
            gone = len(set(served.row) - {str(p.id) for p in contents.passages})
            served.close()
        index_.remove_old_versions(root)
    return Changes(
        version,
        len(articles),
        len(contents.passages) - kept,
        gone,
        kept,
        sum(len(a.text) for a in articles),
        corpus.problems,
        retained,
        published=True,
    )


def _served(root: Path, mark: Fingerprint, server: str) -> Index | None:
    """The published version, if its vectors can be used again."""
    try:
        served = index_.open_index(root)
    except UserError:
        return None
    usable = index_.same_embedder(served.manifest.embedder, mark) and served.manifest.server == server
    return served if usable and _is_whole(served) else None


def _is_whole(served: Index) -> bool:
    """Whether its database still answers: a version whose Chroma folder was lost is built anew."""
    try:
        return len(served.nearest(served.passage_vectors[0], 1)) == 1
    except Exception:  # noqa: BLE001  (Chroma raises its own InternalError, sqlite3 errors and KeyError alike)
        return False


def with_retained(corpus: Corpus, served: Index | None) -> tuple[list[Article], tuple[str, ...]]:
    """The articles read, and those that are served from a file that has a problem now."""
    read = {a.id for a in corpus.articles}
    troubled = {p.file for p in corpus.problems if p.file and Path(p.file).exists()}
    stay = [a for a in served.articles.values() if a.file in troubled and a.id not in read] if served else []
    return [*corpus.articles, *stay], tuple(a.id for a in stay)


def _finish(root: Path, served: Index, paths: Sequence[Path]) -> None:
    """The corpus is the same; where it was read from may have changed, and a killed run may have left its half."""
    if served.manifest.paths != [str(p) for p in paths]:
        index_.rewrite_paths(root, served.manifest, [str(p) for p in paths])
    served.close()
    index_.remove_old_versions(root)


def _embed(
    articles: Sequence[Article], served: Index | None, embedder: Embedder, progress: Progress
) -> tuple[Contents, int]:
    """Vectors for every passage: reused where title, heading and words are unchanged, computed elsewhere."""
    known = _known(served) if served is not None else {}
    by_id = {article.id: article for article in articles}
    passages: list[Document] = []
    texts: list[str] = []
    spans: list[list[Span]] = []
    for article in articles:
        for passage in split(article):
            at = place(passage)
            text = context(article, passage)
            shift = len(text) - len(passage.page_content) - at.start
            passages.append(passage)
            texts.append(text)
            spans.append([Span(s.start + shift, s.end + shift) for s in article.sentences[at.first : at.last + 1]])
    keys = [(text, tuple(cuts)) for text, cuts in zip(texts, spans, strict=True)]
    new = [row for row, key in enumerate(keys) if key not in known]
    vectors: dict[int, Contextual] = {row: known[key] for row, key in enumerate(keys) if key in known}
    sentences = [a.quote(s) for p in passages for a, s in _sentences_of(p, by_id)]
    questions = list(index_.anticipated(articles))
    alone = _known_alone(served) if served is not None else {}
    asked = dict(zip(served.anticipated, served.question_vectors, strict=True)) if served is not None else {}
    new_alone = [text for text in dict.fromkeys(sentences) if text not in alone]
    new_asked = [text for text in questions if text not in asked]
    total, done = len(new) + len(new_alone) + len(new_asked), 0
    progress(done, total)
    for row, found in zip(
        new, embedder.encode_in_context([texts[r] for r in new], [spans[r] for r in new]), strict=True
    ):
        vectors[row] = found
        done += 1
        progress(done, total)
    readings = ((alone, new_alone, embedder.encode), (asked, new_asked, embedder.encode_questions))
    for by_text, left, encode in readings:
        for first in range(0, len(left), _GROUP):
            group = left[first : first + _GROUP]
            by_text.update(zip(group, encode(group), strict=True))
            done += len(group)
            progress(done, total)
    ordered = [vectors[row] for row in range(len(passages))]
    return (
        Contents(
            articles,
            passages,
            np.stack([v.passage for v in ordered]).astype(np.float32),
            np.concatenate([v.sentences for v in ordered]).astype(np.float16),
            _rows(alone, sentences, embedder.dimension),
            _rows(asked, questions, embedder.dimension),
        ),
        len(passages) - len(new),
    )


def _rows(known: Mapping[str, Vectors], texts: Sequence[str], dimension: int) -> npt.NDArray[np.float16]:
    return np.array([known[text] for text in texts], np.float16).reshape(len(texts), dimension)


def _sentences_of(passage: Document, articles: Mapping[str, Article]) -> Iterator[tuple[Article, Sentence]]:
    at = place(passage)
    for sentence in articles[at.article].sentences[at.first : at.last + 1]:
        yield articles[at.article], sentence


def _known_alone(served: Index) -> dict[str, Vectors]:
    """Vectors of the served version's sentences read by themselves, by their words."""
    texts = (a.quote(s) for p in served.passages for a, s in _sentences_of(p, served.articles))
    return dict(zip(texts, np.asarray(served.alone_vectors, np.float32), strict=True))


def _known(served: Index) -> dict[tuple[str, tuple[Span, ...]], Contextual]:
    found = {}
    for row, passage in enumerate(served.passages):
        article = served.articles[passage.metadata["article"]]
        at = place(passage)
        text = context(article, passage)
        shift = len(text) - len(passage.page_content) - at.start
        cuts = tuple(Span(s.start + shift, s.end + shift) for s in article.sentences[at.first : at.last + 1])
        found[text, cuts] = Contextual(np.array(served.passage_vectors[row]), served.sentences_of(row))
    return found


def _require_space(root: Path, contents: Contents) -> None:
    """Refuse before writing when the disk cannot hold three times what is about to be written."""
    text = sum(len(a.text) for a in contents.articles)
    needed = 3 * (
        2 * contents.passage_vectors.nbytes
        + contents.sentence_vectors.nbytes
        + contents.alone_vectors.nbytes
        + contents.question_vectors.nbytes
        + 4 * text
    )
    free = shutil.disk_usage(root).free
    if free < needed:
        raise WorkError(
            f"The disk of {root} has {free >> 20} MiB free, the new index may need {needed >> 20} MiB: "
            "make room or choose another --index. The index before is still served."
        )


def _nothing_read(paths: Sequence[Path], problems: Sequence[Problem]) -> str:
    first = f" ({problems[0]})" if problems else ""
    return f"No article could be read from {', '.join(map(str, paths))}{first}; nothing was changed."
