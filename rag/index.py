"""Chroma, embedded or server: immutable versions of an index, built beside the one that is served.

    INDEX/CURRENT                     one line: the id of the published version
    INDEX/seen.json                   the files that it was last found equal to: sizes and times (`rag.snapshot`)
    INDEX/.writer.lock                held by the one process that builds
    INDEX/versions/ID/manifest.json   what it was made of, counts, embedder, hashes of the other files
    INDEX/versions/ID/articles.jsonl  the articles, as read
    INDEX/versions/ID/passages.npy    vectors of the passages, float32, in order
    INDEX/versions/ID/sentences.npy   vectors of their sentences, read inside them, float16, in order
    INDEX/versions/ID/alone.npy       vectors of the same sentences, each read by itself, float16, in order
    INDEX/versions/ID/questions.npy   vectors of the questions that are anticipated, float16, in order, each once
    INDEX/versions/ID/chroma/         the embedded Chroma database (a server holds collection bpo-ID instead)

A version is never written after it is published, so a process killed at any moment leaves the published one
whole. Publishing is one rename of CURRENT.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout
from langchain_core.documents import Document

from rag import passages as passages_
from rag.corpus import Article
from rag.errors import UserError, WorkError
from rag.models import Embedder, Vectors
from rag.snapshot import Snapshot, is_same, is_settled

if TYPE_CHECKING:
    from langchain_chroma import Chroma

# Raised with every change of what a version holds or of how passages are cut: older versions are rebuilt.
SCHEMA = 3
# Exact-search recall for vectors of this size (the defaults, 100/16/100, lose records).
HNSW = {"space": "cosine", "ef_construction": 400, "max_neighbors": 64, "ef_search": 400}
_BATCH = 250
_UNFINISHED = ".building"  # the end of the name of a version that is not published yet
_KEPT_VERSIONS = 2


class Fingerprint(NamedTuple):
    """Which embedder made the vectors of an index."""

    name: str
    weights: str
    dimension: int
    dtype: str
    probes: list[list[float]]


@dataclass(frozen=True)
class Manifest:
    """What a version is made of."""

    version: str
    schema: int
    paths: list[str]
    corpus: str
    articles: int
    passages: int
    sentences: int
    questions: int
    embedder: Fingerprint
    server: str
    libraries: dict[str, str]
    files: dict[str, str]


def digest(articles: Sequence[Article]) -> str:
    """The hash of a corpus: equal for equal articles, whatever their order or the folder they lie in."""
    lines = sorted(json.dumps({**a.to_json(), "file": ""}, sort_keys=True) for a in articles)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "replace")).hexdigest()


def anticipated(articles: Iterable[Article]) -> dict[str, list[tuple[str, int]]]:
    """Every anticipated question once, with the sentences that answer it as (article, number)."""
    found: dict[str, list[tuple[str, int]]] = {}
    for article in articles:
        for sentence, questions in article.anticipated:
            for question in questions:
                found.setdefault(question, []).append((article.id, sentence))
    return found


class Index:
    """One published version, opened for reading."""

    def __init__(self, folder: Path, manifest: Manifest, articles: Mapping[str, Article]) -> None:
        self.folder = folder
        self.manifest = manifest
        self.articles = articles
        self.passages: list[Document] = [p for a in articles.values() for p in passages_.split(a)]
        self.row = {str(p.id): row for row, p in enumerate(self.passages)}
        self.anticipated = anticipated(articles.values())

    @property
    def version(self) -> str:
        """The id of the version."""
        return self.manifest.version

    @cached_property
    def passage_vectors(self) -> Vectors:
        """Vectors of `passages`, row by row (memory-mapped)."""
        shape = (self.manifest.passages, self.manifest.embedder.dimension)
        vectors: Vectors = _load(self.folder / "passages.npy", shape)
        return vectors

    @cached_property
    def sentence_vectors(self) -> npt.NDArray[np.float16]:
        """Vectors of the sentences of `passages`, in order (memory-mapped)."""
        shape = (self.manifest.sentences, self.manifest.embedder.dimension)
        vectors: npt.NDArray[np.float16] = _load(self.folder / "sentences.npy", shape)
        return vectors

    @cached_property
    def alone_vectors(self) -> npt.NDArray[np.float16]:
        """Vectors of the same sentences, each read by itself (memory-mapped)."""
        shape = (self.manifest.sentences, self.manifest.embedder.dimension)
        vectors: npt.NDArray[np.float16] = _load(self.folder / "alone.npy", shape)
        return vectors

    @cached_property
    def question_vectors(self) -> Vectors:
        """Vectors of the anticipated questions, in the order of `anticipated`."""
        shape = (self.manifest.questions, self.manifest.embedder.dimension)
        return np.asarray(_load(self.folder / "questions.npy", shape), np.float32)

    @cached_property
    def _first_sentence(self) -> npt.NDArray[np.int64]:
        counts = [p.metadata["last"] - p.metadata["first"] + 1 for p in self.passages]
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def sentences_of(self, row: int) -> npt.NDArray[np.float32]:
        """Vectors of the sentences of one passage."""
        a, b = self._first_sentence[row], self._first_sentence[row + 1]
        return np.asarray(self.sentence_vectors[a:b], dtype=np.float32)

    def alone(self, article: str, number: int) -> Vectors:
        """The vector of one sentence of an article, read by itself."""
        return np.asarray(self.alone_vectors[self._sentence_row[article, number]], dtype=np.float32)

    @cached_property
    def _sentence_row(self) -> dict[tuple[str, int], int]:
        places = (passages_.place(p) for p in self.passages)
        every = ((at.article, number) for at in places for number in range(at.first, at.last + 1))
        return {sentence: row for row, sentence in enumerate(every)}

    @cached_property
    def store(self) -> Chroma:
        """The LangChain vector store over this version. Vectors are always ours, so it has no embedder."""
        from langchain_chroma import Chroma

        return Chroma(
            client=_client(self.manifest.server, self.folder),
            collection_name=_collection_name(self.version),
            embedding_function=None,
            create_collection_if_not_exists=False,
        )

    def nearest(self, vector: Vectors, k: int, *, language: str | None = None) -> list[tuple[int, float]]:
        """The k passages nearest to a vector, as (row, cosine), best first, ties by row."""
        if k <= 0 or not self.passages:
            return []
        where = {"language": language} if language else None
        collection: Any = self.store._collection  # LangChain's own search returns no ids
        found = collection.query(
            query_embeddings=[vector.tolist()],
            n_results=min(k, len(self.passages)),
            where=where,
            include=["distances"],
        )
        rows = [(self.row[i], 1.0 - float(d)) for i, d in zip(found["ids"][0], found["distances"][0], strict=True)]
        return sorted(rows, key=lambda pair: (-pair[1], pair[0]))

    def close(self) -> None:
        """Release the database."""
        if "store" in self.__dict__:
            client: Any = self.store._client
            client.close()
            del self.__dict__["store"]


# --- opening -------------------------------------------------------------------------------------


def published(root: Path) -> Manifest | None:
    """The manifest of the published version; None when nothing was published. Raises UserError if damaged."""
    pointer = root / "CURRENT"
    if not pointer.is_file():
        return None
    version = pointer.read_text(encoding="utf-8").strip()
    return _read_manifest(root / "versions" / version)


def open_index(root: Path, *, embedder: Fingerprint | None = None) -> Index:
    """Open the published version.

    Raises UserError, with the remedy, when there is none, when a file of it is missing or altered, or when it
    was made with another embedder than the one given.
    """
    manifest = published(root)
    if manifest is None:
        raise UserError(f"There is no index in {root}: run `bpo ingest` first.")
    folder = root / "versions" / manifest.version
    for name, expected in manifest.files.items():
        if not (folder / name).is_file() or _hash(folder / name) != expected:
            raise UserError(f"The index in {root} is damaged ({name}): run `bpo ingest` to rebuild it.")
    if embedder is not None and not same_embedder(manifest.embedder, embedder):
        raise UserError(
            f"The index in {root} was made with the embedder {manifest.embedder.name!r}, not {embedder.name!r}: "
            "run `bpo ingest` to rebuild it, or set BPO_EMBEDDER back."
        )
    return Index(folder, manifest, _read_articles(folder / "articles.jsonl"))


def remember(root: Path, version: str, seen: Snapshot) -> None:
    """Note the files that a version is equal to, unless one of them is too new to trust its times.

    Only a saving: where it cannot be written, the files are read again at the next start.
    """
    if not is_settled(seen):
        return
    temporary = root / "seen.tmp"
    with suppress(OSError):
        temporary.write_text(json.dumps({"version": version, "seen": seen}), encoding="utf-8")
        temporary.replace(root / "seen.json")


def is_remembered(root: Path, version: str, now: Snapshot) -> bool:
    """Whether a version was found equal to files that have not changed since."""
    try:
        noted = json.loads((root / "seen.json").read_text(encoding="utf-8"))
        return bool(noted["version"] == version) and is_same(noted["seen"], now)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def same_embedder(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether vectors of two embedders can be compared: same size, and the same view of the probe sentences."""
    if one.dimension != other.dimension or (one.weights and other.weights and one.weights != other.weights):
        return False
    cosines = np.sum(np.asarray(one.probes) * np.asarray(other.probes), axis=1)
    return bool(np.all(cosines > 0.99))


def fingerprint(embedder: Embedder) -> Fingerprint:
    """The fingerprint of an embedder."""
    return Fingerprint(embedder.name, embedder.weights, embedder.dimension, embedder.dtype, embedder.fingerprint())


def version_ids(root: Path) -> list[str]:
    """Finished versions, oldest first."""
    top = root / "versions"
    finished = (p.name for p in top.iterdir() if (p / "manifest.json").is_file()) if top.is_dir() else ()
    return sorted(name for name in finished if not name.endswith(_UNFINISHED))


def _read_manifest(folder: Path) -> Manifest:
    remedy = "run `bpo ingest` to rebuild it."
    try:
        data = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        manifest = Manifest(**{**data, "embedder": Fingerprint(*data["embedder"])})
    except (OSError, ValueError, TypeError, KeyError):
        raise UserError(f"The index version {folder} has no readable manifest: {remedy}") from None
    if manifest.schema != SCHEMA:
        raise UserError(f"The index version {folder} has format {manifest.schema}, not {SCHEMA}: {remedy}")
    return manifest


def _read_articles(file: Path) -> dict[str, Article]:
    with file.open(encoding="utf-8") as lines:
        articles = (Article.from_json(json.loads(line)) for line in lines)
        return {a.id: a for a in articles}


def _load(file: Path, shape: tuple[int, int]) -> Any:
    array = np.load(file, mmap_mode="r", allow_pickle=False)
    if array.shape != shape:
        raise UserError(f"The index file {file} has shape {array.shape}, not {shape}: run `bpo ingest` to rebuild it.")
    return array


# --- building and publishing ---------------------------------------------------------------------


@contextmanager
def writer(root: Path) -> Iterator[None]:
    """Hold the index for building. Raises WorkError at once when another process holds it."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / ".writer.lock", timeout=0)
        with lock:
            yield
    except Timeout:
        raise WorkError(
            f"Another process is building the index in {root}: wait for it, or use another --index."
        ) from None
    except PermissionError as error:
        raise WorkError(
            f"The index folder {root} cannot be written ({error.strerror}): choose another --index."
        ) from None
    except OSError as error:
        raise WorkError(f"The index in {root} could not be written: {error.strerror}.") from error


@dataclass(frozen=True)
class Contents:
    """What goes into a version: articles, their passages and the vectors of both, all in one order; those of the
    anticipated questions in the order of `anticipated`.
    """

    articles: Sequence[Article]
    passages: Sequence[Document]
    passage_vectors: Vectors
    sentence_vectors: npt.NDArray[np.float16]
    alone_vectors: npt.NDArray[np.float16]
    question_vectors: npt.NDArray[np.float16]


def build(
    root: Path, version: str, contents: Contents, *, paths: Sequence[str], embedder: Fingerprint, server: str
) -> Path:
    """Write a version beside the served one, without publishing it. Returns its folder."""
    folder = root / "versions" / f"{version}{_UNFINISHED}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    np.save(folder / "passages.npy", contents.passage_vectors, allow_pickle=False)
    np.save(folder / "sentences.npy", contents.sentence_vectors, allow_pickle=False)
    np.save(folder / "alone.npy", contents.alone_vectors, allow_pickle=False)
    np.save(folder / "questions.npy", contents.question_vectors, allow_pickle=False)
    with (folder / "articles.jsonl").open("w", encoding="utf-8") as lines:
        for article in contents.articles:
            lines.write(json.dumps(article.to_json()) + "\n")
    _fill_collection(folder, version, contents, server)
    names = ["articles.jsonl", "passages.npy", "sentences.npy", "alone.npy", "questions.npy"]
    manifest = Manifest(
        version=version,
        schema=SCHEMA,
        paths=list(paths),
        corpus=digest(contents.articles),
        articles=len(contents.articles),
        passages=len(contents.passages),
        sentences=len(contents.sentence_vectors),
        questions=len(contents.question_vectors),
        embedder=embedder,
        server=server,
        libraries=_libraries(),
        files={name: _hash(folder / name) for name in names},
    )
    (folder / "manifest.json").write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
    for file in folder.rglob("*"):
        if file.is_file():
            _sync(file)
    return folder


def publish(root: Path, folder: Path) -> None:
    """Audit a built version in a process of its own, then make it the served one by one rename."""
    _audit_apart(folder)
    version = folder.name.removesuffix(_UNFINISHED)
    final = root / "versions" / version
    shutil.rmtree(final, ignore_errors=True)
    folder.rename(final)
    _sync(root / "versions")
    temporary = root / "CURRENT.tmp"
    temporary.write_text(version + "\n", encoding="utf-8")
    _sync(temporary)
    temporary.replace(root / "CURRENT")
    _sync(root)


def rewrite_paths(root: Path, manifest: Manifest, paths: Sequence[str]) -> None:
    """Note that the same corpus is now read from elsewhere."""
    file = root / "versions" / manifest.version / "manifest.json"
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(asdict(replace(manifest, paths=list(paths))), indent=1), encoding="utf-8")
    temporary.replace(file)


def remove_old_versions(root: Path) -> None:
    """Delete unfinished versions and all but the served one and the one before it."""
    current = published(root)
    top = root / "versions"
    if current is None or not top.is_dir():
        return
    finished = [v for v in version_ids(root) if v != current.version]
    keep = {current.version, *finished[len(finished) - (_KEPT_VERSIONS - 1) :]}
    for folder in top.iterdir():
        name = folder.name.removesuffix(_UNFINISHED)
        if folder.name in keep:
            continue
        if current.server:
            _drop_collection(current.server, folder, name)
        shutil.rmtree(folder, ignore_errors=True)


def audit(folder: Path) -> list[str]:
    """What is wrong with a built version: [] when every passage is there and its own vector finds it.

    `count()` proves nothing about search in Chroma, so each record's vector is searched for.
    """
    manifest = _read_manifest(folder)
    index = Index(folder, manifest, _read_articles(folder / "articles.jsonl"))
    wrong: list[str] = []
    collection: Any = index.store._collection
    if collection.configuration["hnsw"]["space"] != HNSW["space"]:
        wrong.append(f"the collection measures {collection.configuration['hnsw']['space']}, not {HNSW['space']}")
    stored: set[str] = set()
    for at in range(0, collection.count(), 5000):
        stored.update(collection.get(limit=5000, offset=at, include=[])["ids"])
    if stored != set(index.row) or len(index.row) != manifest.passages:
        wrong.append(f"{len(stored)} passages are stored, {manifest.passages} were written")
    if len(index.anticipated) != manifest.questions:
        wrong.append(f"{len(index.anticipated)} questions are anticipated, {manifest.questions} vectors were written")
    vectors = index.passage_vectors
    for at in range(0, len(vectors), _BATCH):
        rows = range(at, min(at + _BATCH, len(vectors)))
        found = collection.query(
            query_embeddings=[vectors[r].tolist() for r in rows],
            n_results=min(10, len(vectors)),
            include=["distances"],
        )
        for row, ids, distances in zip(rows, found["ids"], found["distances"], strict=True):
            # A passage with nine identical copies need not be among ten: then distance 0 shows it was reached.
            if str(index.passages[row].id) not in ids and distances[0] > 1e-3:
                wrong.append(f"passage {index.passages[row].id} is not found by its own vector")
    index.close()
    return wrong


def _audit_apart(folder: Path) -> None:
    """Run the audit in a fresh process: it reads what is on disk, and a crash of the database stays there."""
    run = subprocess.run([sys.executable, "-m", "rag.index", str(folder)], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        reason = (run.stdout.strip() or run.stderr.strip() or f"exit code {run.returncode}").splitlines()[-1]
        raise WorkError(f"The new index failed its audit ({reason}); the one before is still served.")


def _fill_collection(folder: Path, version: str, contents: Contents, server: str) -> None:
    client = _client(server, folder)
    name = _collection_name(version)
    if server:
        _drop_collection(server, folder, version)
    collection = client.create_collection(name, configuration={"hnsw": dict(HNSW)}, embedding_function=None)
    for at in range(0, len(contents.passages), _BATCH):
        batch = contents.passages[at : at + _BATCH]
        collection.upsert(
            ids=[str(p.id) for p in batch],
            documents=[p.page_content for p in batch],
            metadatas=[p.metadata for p in batch],
            embeddings=contents.passage_vectors[at : at + _BATCH],
        )
    client.close()


def _drop_collection(server: str, folder: Path, version: str) -> None:
    client = _client(server, folder)
    name = _collection_name(version)
    if name in {c.name for c in client.list_collections()}:
        client.delete_collection(name)
    client.close()


def _collection_name(version: str) -> str:
    return f"bpo-{version}"


def _client(server: str, folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    settings = ChromaSettings(anonymized_telemetry=False)
    if not server:
        return chromadb.PersistentClient(str((folder / "chroma").resolve()), settings=settings)
    address = urlsplit(server)
    secure = address.scheme == "https"
    try:
        return chromadb.HttpClient(
            host=address.hostname or "",
            port=address.port or (443 if secure else 8000),
            ssl=secure,
            settings=settings,
        )
    except ValueError as error:
        raise UserError(f"No Chroma server answers at {server}: start it (`chroma run`) or mend BPO_SERVER.") from error


def _libraries() -> dict[str, str]:
    from importlib.metadata import version

    names = ("chromadb", "sentence-transformers", "torch", "langchain-core")
    return {"python": sys.version.split()[0], **{name: version(name) for name in names}}


def _hash(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Make a file or folder durable before anything points to it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


if __name__ == "__main__":
    problems = audit(Path(sys.argv[1]))
    sys.stdout.write("\n".join(problems))
    sys.exit(1 if problems else 0)
