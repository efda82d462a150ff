"""Building, auditing, publishing and refusing: what is served is a whole, published version."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import write_library
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag import index as index_
from rag.errors import UserError, WorkError
from rag.index import audit, open_index, published, version_ids, writer
from rag.ingest import ingest
from rag.models import Embedder
from rag.passages import split

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Path:
    """The published index of the three documents, which tests take a copy of."""
    folder = tmp_path_factory.mktemp("built")
    ingest([write_library(folder / "library")], folder / "index", embedder)
    return folder / "index"


@pytest.fixture
def served(built: Path, root: Path) -> Path:
    """An index of the library of this test."""
    shutil.copytree(built, root)
    return root


def folder_of(root: Path) -> Path:
    manifest = published(root)
    assert manifest is not None
    return root / "versions" / manifest.version


def test_ingesting_twice_changes_nothing(library: Path, root: Path, embedder: Embedder) -> None:
    first = ingest([library], root, embedder)
    assert (first.published, first.articles, first.kept, first.problems) == (True, 4, 0, ())
    # Chroma writes into its own files when it is merely opened; everything of ours must stay untouched.
    before = {f: f.stat().st_mtime_ns for f in _own_files(root)}
    second = ingest([library], root, embedder)
    assert (second.published, second.added, second.removed) == (False, 0, 0)
    assert {f: f.stat().st_mtime_ns for f in _own_files(root)} == before
    assert audit(folder_of(root)) == []


def _own_files(root: Path) -> list[Path]:
    return [f for f in root.rglob("*") if f.is_file() and "chroma" not in f.parts and f.name != ".writer.lock"]


def test_unchanged_passages_keep_their_vectors(library: Path, served: Path, embedder: Embedder) -> None:
    old = open_index(served)
    vectors = {str(p.id): np.array(old.passage_vectors[i]) for i, p in enumerate(old.passages)}
    alone = {(a.id, n): old.alone(a.id, n) for a in old.articles.values() for n in range(len(a.sentences))}
    old.close()
    (library / "harbor.txt").write_text("The harbor of Alden closed in 1999. It was sold.", encoding="utf-8")
    asked: list[int] = []
    changes = ingest([library], served, embedder, progress=lambda done, total: asked.append(total))
    assert (changes.added, changes.removed, changes.kept) == (1, 1, 3)
    assert set(asked) == {3}  # a passage and its two sentences
    new = open_index(served)
    for article in new.articles.values():
        for number, sentence in enumerate(article.sentences):
            vector = new.alone(article.id, number)
            assert np.allclose(vector, embedder.encode([article.quote(sentence)])[0], atol=0.01)
            if article.id != "harbor.txt":
                assert np.array_equal(vector, alone[article.id, number])
    for i, passage in enumerate(new.passages):
        if str(passage.id) in vectors:
            assert np.array_equal(new.passage_vectors[i], vectors[str(passage.id)])
    new.close()


TEXTS = ("The harbor has 14 cranes.", "Entry costs 4 dollars. It opens at 9.", "El puente mide 310 metros.")


@pytest.mark.usefixtures("audited_here")
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from(TEXTS), min_size=1), min_size=2, max_size=3))
def test_after_any_edits_the_index_equals_the_corpus(
    tmp_path_factory: pytest.TempPathFactory, embedder: Embedder, states: list[dict[str, str]]
) -> None:
    """Law 4."""
    top = tmp_path_factory.mktemp("edits")
    for state in states:
        shutil.rmtree(top / "docs", ignore_errors=True)
        (top / "docs").mkdir()
        for name, text in state.items():
            (top / "docs" / f"{name}.txt").write_text(text, encoding="utf-8")
        ingest([top / "docs"], top / "index", embedder)
        index = open_index(top / "index")
        assert {i: a.text for i, a in index.articles.items()} == {f"{n}.txt": t for n, t in state.items()}
        expected = {str(p.id) for a in index.articles.values() for p in split(a)}
        assert set(index.store.get()["ids"]) == expected
        for row, vector in enumerate(index.passage_vectors):
            assert index.nearest(vector, 1)[0][1] > 0.999 or index.nearest(vector, 3)[0][0] == row
        index.close()
    assert len(version_ids(top / "index")) <= 2


def test_bad_files_are_named_and_what_was_served_of_them_stays(library: Path, root: Path, embedder: Embedder) -> None:
    ingest([library], root, embedder)
    (library / "harbor.txt").write_bytes(b"\xff\xfe broken")
    (library / "new.txt").write_text("A new text about whales.", encoding="utf-8")
    changes = ingest([library], root, embedder)
    assert [Path(p.file).name for p in changes.problems] == ["harbor.txt"]
    assert changes.retained == ("harbor.txt",)
    index = open_index(root)
    assert {"harbor.txt", "new.txt", "museum"} <= set(index.articles)
    index.close()


def test_when_nothing_can_be_read_the_served_version_stays(served: Path, tmp_path: Path, embedder: Embedder) -> None:
    version = folder_of(served).name
    (tmp_path / "empty").mkdir()
    with pytest.raises(WorkError, match="nothing was changed"):
        ingest([tmp_path / "empty"], served, embedder)
    assert folder_of(served).name == version


def test_a_second_writer_gets_a_clear_message_at_once(library: Path, root: Path, embedder: Embedder) -> None:
    with writer(root), pytest.raises(WorkError, match="Another process is building"):
        ingest([library], root, embedder)


def test_there_is_no_index(root: Path) -> None:
    with pytest.raises(UserError, match="run `bpo ingest` first"):
        open_index(root)


def damaged(root: Path, name: str, damage: str) -> None:
    """Damage a file of the published version."""
    file = folder_of(root) / name
    content = file.read_bytes()
    if damage == "delete":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    else:
        middle = len(content) // 2
        file.write_bytes(content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :])


NAMES = ("articles.jsonl", "passages.npy", "sentences.npy", "manifest.json")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", ["flip", "cut", "delete"])
def test_a_damaged_file_is_refused(served: Path, name: str, damage: str) -> None:
    damaged(served, name, damage)
    with pytest.raises(UserError, match="run `bpo ingest` to rebuild it"):
        open_index(served)


@pytest.mark.usefixtures("audited_here")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", ["flip", pytest.param("cut", marks=pytest.mark.long), "delete"])
def test_a_damaged_file_is_rebuilt(library: Path, served: Path, embedder: Embedder, name: str, damage: str) -> None:
    damaged(served, name, damage)
    assert ingest([library], served, embedder).published
    open_index(served).close()


def test_a_lost_database_is_noticed_and_rebuilt(library: Path, served: Path, embedder: Embedder) -> None:
    old = folder_of(served)
    shutil.rmtree(old / "chroma")
    changes = ingest([library], served, embedder)
    assert changes.published
    assert folder_of(served) != old
    assert audit(folder_of(served)) == []


def test_the_audit_misses_no_lost_passage(served: Path) -> None:
    folder = folder_of(served)
    index = open_index(served)
    index.store.delete(ids=[str(index.passages[0].id)])
    index.close()
    assert any("passages are stored" in p for p in audit(folder))
    run = subprocess.run(
        [sys.executable, "-m", "rag.index", str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert run.returncode == 1


def test_an_index_of_another_model_is_refused(served: Path, embedder: Embedder) -> None:
    mark = index_.fingerprint(embedder)
    for other in (
        mark._replace(name="other", dimension=7, probes=[[1.0] * 7] * len(mark.probes)),
        mark._replace(name="other", weights="0" * 64),
        mark._replace(name="other", weights="", probes=[list(reversed(p)) for p in mark.probes]),
    ):
        with pytest.raises(UserError, match="made with the embedder 'bpo-embedder', not 'other'"):
            open_index(served, embedder=other)
    open_index(served, embedder=mark._replace(dtype="float32")).close()


def test_a_failed_audit_publishes_nothing(
    library: Path, served: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = folder_of(served)

    def lose_one(folder: Path, *rest: object) -> None:
        contents = rest[1]
        fewer = replace(contents, passages=contents.passages[1:], passage_vectors=contents.passage_vectors[1:])  # type: ignore[type-var]
        fill(folder, rest[0], fewer, rest[2])  # type: ignore[arg-type]

    fill = index_._fill_collection
    monkeypatch.setattr(index_, "_fill_collection", lose_one)
    (library / "harbor.txt").write_text("Changed.", encoding="utf-8")
    with pytest.raises(WorkError, match="failed its audit"):
        ingest([library], served, embedder)
    assert folder_of(served) == before
    assert open_index(served).articles["harbor.txt"].text.startswith("The harbor of Alden opened")


def test_a_read_only_folder_is_said_in_one_sentence(library: Path, tmp_path: Path, embedder: Embedder) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    with pytest.raises(WorkError, match=r"could not be written|cannot be written"):
        ingest([library], blocked / "index", embedder)


def test_a_full_disk_is_said_before_anything_is_written(
    library: Path, served: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(p.name for p in served.rglob("*"))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    (library / "harbor.txt").write_text("Changed.", encoding="utf-8")
    with pytest.raises(WorkError, match="MiB free"):
        ingest([library], served, embedder)
    assert sorted(p.name for p in served.rglob("*")) == before


def _ingesting(library: Path, root: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "rag", "ingest", str(library)],
        cwd=ROOT,
        env={**os.environ, "BPO_INDEX": str(root)},
        stderr=subprocess.DEVNULL,
    )


def _assert_whole(root: Path, embedder: Embedder) -> None:
    index = open_index(root)
    assert audit(index.folder) == []
    index.close()


def test_a_killed_ingest_leaves_the_published_version_whole(library: Path, served: Path, embedder: Embedder) -> None:
    """Killed as soon as it builds, and as soon as all is written and only the audit is left."""
    for number, last in enumerate(("passages.npy", "manifest.json")):
        (library / "harbor.txt").write_text(f"The harbor changed {number} times. Ships came.", encoding="utf-8")
        with _ingesting(library, served) as process:
            while process.poll() is None and not list((served / "versions").glob(f"*.building/{last}")):
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        _assert_whole(served, embedder)
    ingest([library], served, embedder)
    assert "changed 1 times" in open_index(served).articles["harbor.txt"].text
    assert not list((served / "versions").glob("*.building"))


def test_a_version_that_was_never_published_is_removed_and_counts_for_nothing(
    library: Path, served: Path, embedder: Embedder
) -> None:
    """Killed after all was written, before publishing: it looks finished, and is not the version before."""
    first, versions = folder_of(served).name, served / "versions"
    unfinished = versions / "20990101T000000000000-00000000.building"
    shutil.copytree(versions / first, unfinished)
    ingest([library], served, embedder)
    assert [f.name for f in versions.iterdir()] == [first]
    shutil.copytree(versions / first, unfinished)
    (library / "harbor.txt").write_text("The harbor closed.", encoding="utf-8")
    second = ingest([library], served, embedder).version
    assert sorted(f.name for f in versions.iterdir()) == [first, second]


@pytest.mark.long
def test_killed_at_many_moments(library: Path, served: Path, embedder: Embedder) -> None:
    """Law 5: 40 kills spread over the whole run, most of them where building and publishing happen."""
    for number in range(40):
        (library / "harbor.txt").write_text(f"The harbor changed {number} times.", encoding="utf-8")
        with _ingesting(library, served) as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(3.0 + 0.2 * number)
            process.kill()
        _assert_whole(served, embedder)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A real Chroma server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("chroma")
    with subprocess.Popen(
        [str(program), "run", "--path", str(tmp_path / "served"), "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.mark.usefixtures("audited_here")
def test_a_chroma_server_serves_the_same(
    library: Path, root: Path, built: Path, embedder: Embedder, server: str
) -> None:
    ingest([library], root, embedder, server=server)
    there, here = open_index(root), open_index(shutil.copytree(built, root.parent / "embedded"))
    assert not (there.folder / "chroma").exists()
    question = embedder.encode_question("How long is the bridge?")
    assert [r for r, _ in there.nearest(question, 4)] == [r for r, _ in here.nearest(question, 4)]
    here.close()
    for number in range(2):
        (library / "harbor.txt").write_text(f"Changed {number}.", encoding="utf-8")
        ingest([library], root, embedder, server=server)
    client = open_index(root).store._client
    assert len(client.list_collections()) <= 2


def test_no_server_is_said_in_one_sentence(library: Path, root: Path, embedder: Embedder) -> None:
    with pytest.raises(UserError, match="No Chroma server answers"):
        ingest([library], root, embedder, server="http://127.0.0.1:9")


def test_the_manifest_says_what_a_version_is_made_of(index_root: Path) -> None:
    data = json.loads((folder_of(index_root) / "manifest.json").read_text(encoding="utf-8"))
    assert data["embedder"][0] == "bpo-embedder"
    assert data["embedder"][1].startswith("a3c34936")
    assert {"chromadb", "torch", "sentence-transformers", "python", "langchain-core"} == set(data["libraries"])
    assert data["articles"] > 100


def test_approximate_search_is_as_good_as_exact(
    index_root: Path, embedder: Embedder, golden: list[dict[str, object]]
) -> None:
    index = open_index(index_root)
    vectors = np.asarray(index.passage_vectors)
    missed = 0
    questions = [str(q["question"]) for q in golden[::20]]
    for vector in embedder.encode(questions):
        exact = set(np.argsort(-(vectors @ vector), kind="stable")[:10].tolist())
        missed += len(exact - {r for r, _ in index.nearest(vector, 10)})
    index.close()
    assert missed <= 0.01 * 10 * len(questions)
