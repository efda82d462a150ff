"""What a start reads, loads and leaves out: an index that is current is not checked by reading its corpus again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag import app, loading, snapshot
from rag.index import Index, remember
from rag.ingest import ingest
from rag.models import Embedder
from rag.settings import read_settings

ROOT = Path(__file__).resolve().parent.parent


# --- snapshots --------------------------------------------------------------------------------------

NAMES, TEXTS = st.sampled_from(["a.txt", "b.md", "deep/c.txt", ".hidden.txt", "d.png"]), st.sampled_from(["", "x", "y"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, TEXTS), st.lists(st.tuples(NAMES, TEXTS | st.none()), max_size=3))
def test_a_snapshot_is_the_same_only_where_the_same_files_hold_the_same(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, str], edits: list[tuple[str, str | None]]
) -> None:
    folder = tmp_path_factory.mktemp("files")
    for name, text in before.items():
        _write(folder / name, text)
    one = snapshot.take([folder])
    read = {name: (folder / name).read_bytes() for name in before if name not in (".hidden.txt", "d.png")}
    for name, text in edits:
        if text is None:
            (folder / name).unlink(missing_ok=True)
        else:
            _write(folder / name, text, new_inode=True)
    now = {
        f.relative_to(folder).as_posix(): f.read_bytes()
        for f in folder.rglob("*")
        if f.suffix in (".txt", ".md") and f.name[0] != "."
    }
    if snapshot.is_same(one, snapshot.take([folder])):
        assert now == read
    if not edits:
        assert snapshot.is_same(json.loads(json.dumps(one)), snapshot.take([folder]))


def _write(file: Path, text: str, *, new_inode: bool = False) -> None:
    """Write a file; as a new one beside the old where the clock of the file system may not have moved."""
    file.parent.mkdir(exist_ok=True)
    beside = file.with_name("beside") if new_inode else file
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)


def test_a_file_that_was_just_written_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One.", encoding="utf-8")
    taken = snapshot.take([tmp_path])
    assert not snapshot.is_settled(taken)
    assert snapshot.is_settled({**taken, "taken": taken["taken"] + 10 * snapshot._TICK_NS})
    os.utime(tmp_path / "a.txt", (1, 1))  # its times are said to be old: that they were set is not
    assert not snapshot.is_settled(snapshot.take([tmp_path]))


# --- an index and its corpus ------------------------------------------------------------------------


class Starts:
    """Starts over three files, counted: how often was the corpus read, which version is served?"""

    def __init__(self, library: Path, root: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
        self.library, self.root, self._embedder = library, root, embedder
        self._settings = read_settings(index=root, corpus=library)
        self.reads = 0
        read = app.read_corpus

        def counted(paths: object) -> object:
            self.reads += 1
            return read(paths)  # type: ignore[arg-type]

        monkeypatch.setattr(app, "read_corpus", counted)

    def start(self) -> tuple[int, str]:
        """How often the corpus was read to see whether the index is current, and the version that is served."""
        self.reads = 0
        index = self.open()
        index.close()
        return self.reads, index.version

    def open(self) -> Index:
        return app._ready_index(self._settings, self._embedder, lambda done, total: None)


@pytest.fixture
def starts(
    library: Path, tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch, audited_here: None
) -> Iterator[Starts]:
    monkeypatch.setattr(snapshot, "_TICK_NS", 0)
    ingest([library], tmp_path / "index", embedder)
    return Starts(library, tmp_path / "index", embedder, monkeypatch)


def test_files_that_did_not_change_are_not_read_again(starts: Starts) -> None:
    reads, version = starts.start()
    assert reads == 0
    os.utime(starts.library / "harbor.txt")  # touched, but equal: read once, and nothing is built
    assert [starts.start(), starts.start()] == [(1, version), (0, version)]


def test_what_changed_is_served(starts: Starts) -> None:
    _, version = starts.start()
    file, new = starts.library / "harbor.txt", starts.library / "whales.txt"

    def served() -> str:
        """The text of a newer version, for which the corpus was read."""
        nonlocal version
        starts.reads, before = 0, version
        index = starts.open()
        index.close()
        version = index.version
        assert (starts.reads, version != before) == (1, True)
        return " ".join(a.text for a in index.articles.values())

    file.write_text("The harbor of Alden closed in 1999.", encoding="utf-8")
    assert "1999" in served()
    before = file.stat()
    file.write_text("The harbor of Alden closed in 1998.", encoding="utf-8")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # as long as before, and its old time put back
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert "1998" in served()
    new.write_text("Whales pass in May.", encoding="utf-8")
    assert "Whales" in served()
    new.unlink()
    assert "Whales" not in served()


def test_a_note_that_does_not_fit_is_not_believed(starts: Starts) -> None:
    file = starts.root / "seen.json"
    noted = json.loads(file.read_text(encoding="utf-8"))
    _, version = starts.start()
    for spoilt in (
        '{"version": 1',
        '["seen"]',
        json.dumps({**noted, "seen": "all"}),
        json.dumps({**noted, "version": "older"}),
        json.dumps({**noted, "seen": {**noted["seen"], "reader": "other code"}}),
        json.dumps({**noted, "seen": {**noted["seen"], "paths": ["elsewhere"]}}),
    ):
        file.write_text(spoilt, encoding="utf-8")
        assert (starts.start(), starts.start()) == ((1, version), (0, version)), spoilt


def test_a_corpus_with_a_problem_is_read_at_every_start(starts: Starts) -> None:
    (starts.library / "harbor.txt").write_bytes(b"\xff\xfe broken")
    assert [starts.start()[0], starts.start()[0]] == [1, 1]


def test_nothing_is_noted_of_files_just_written(library: Path, tmp_path: Path) -> None:
    remember(tmp_path, "version", snapshot.take([library]))
    assert not (tmp_path / "seen.json").exists()


# --- libraries --------------------------------------------------------------------------------------


def run(code: str, cwd: Path) -> str:
    """What a fresh Python prints."""
    ran = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_model_is_loaded_without_what_serves_training_only() -> None:
    code = """
import sys
from rag.models import Embedder
embedder = Embedder.load()
assert embedder.encode_question("How many?").shape == (384,)
print(sorted({name.split(".")[0] for name in sys.modules} & {"scipy", "sklearn", "datasets", "matplotlib"}))
import torch
from sentence_transformers.util import manhattan_sim
print(manhattan_sim(torch.eye(2).to_sparse(), torch.eye(2).to_sparse()).tolist())
print(sys.modules["sklearn.metrics"].__file__ is not None)
"""
    assert run(code, ROOT).splitlines() == ["[]", "[[-0.0, -2.0], [-2.0, -0.0]]", "True"]


def test_the_page_is_loaded_without_writing_stubs_for_an_editor() -> None:
    code = """
from rag import loading
with loading.without("gradio.component_meta", "create_or_modify_pyi"):
    import ui.page
from gradio import component_meta
print(component_meta.create_or_modify_pyi.__module__, component_meta.ComponentMeta.__new__.__globals__ is vars(component_meta))
"""
    assert run(code, ROOT).split() == ["rag.loading", "True"]


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    (tmp_path / "heavy").mkdir()
    (tmp_path / "heavy" / "__init__.py").write_text("def double(n, by=2): return n * by\n")
    (tmp_path / "heavy" / "part.py").write_text("value = 7\n")
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_deferred_module_is_loaded_when_something_of_it_is_called(packages: Path) -> None:
    (packages / "light.py").write_text("from heavy import double\ndef f(x: double | None = None): return double(x)\n")
    loading.load("light", later=["heavy"])
    assert "heavy" not in sys.modules
    assert sys.modules["light"].f(4) == 8
    assert sys.modules["heavy"].double(4, by=3) == 12


def test_a_library_that_needs_more_of_a_deferred_module_gets_it(packages: Path) -> None:
    (packages / "light.py").write_text("from heavy import double\nfrom heavy.part import value\n")
    loading.load("light", later=["heavy"])
    assert (sys.modules["light"].value, sys.modules["light"].double(2)) == (7, 4)
    assert sys.modules["heavy"].__file__ is not None


def test_a_function_that_is_gone_is_noticed(packages: Path) -> None:
    with loading.without("heavy", "triple"), pytest.raises(ImportError, match="has no triple any more"):
        __import__("heavy")
