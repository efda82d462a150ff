"""What the tests share: the real engine over the real corpus, built once, and a clean environment."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

for _name in [n for n in os.environ if n.startswith("BPO_")]:
    del os.environ[_name]

from rag.app import open_chatbot  # noqa: E402
from rag.chat import Chatbot  # noqa: E402
from rag.ingest import ingest  # noqa: E402
from rag.models import Embedder  # noqa: E402
from rag.settings import Settings, read_settings  # noqa: E402


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees a setting of the machine, nor writes where a user's index lies."""
    for name in [n for n in os.environ if n.startswith("BPO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BPO_INDEX", str(tmp_path / "index"))


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The real default model."""
    return Embedder.load()


@pytest.fixture(scope="session")
def index_root(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Path:
    """A published index of the shipped corpus."""
    root = tmp_path_factory.mktemp("shipped") / "index"
    changes = ingest([ROOT / "corpus"], root, embedder)
    assert changes.problems == ()
    return root


@pytest.fixture(scope="session")
def shipped_settings(index_root: Path) -> Settings:
    """Settings that use that index."""
    return read_settings(index=index_root, corpus=ROOT / "corpus")


@pytest.fixture(scope="session")
def chatbot(shipped_settings: Settings) -> Chatbot:
    """The product, over the shipped corpus."""
    return open_chatbot(shipped_settings)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Three small documents of a user."""
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "harbor.txt").write_text(
        "The harbor of Alden opened in 1884. It has 14 cranes. Ships from Norway bring timber.",
        encoding="utf-8",
    )
    (folder / "museum.md").write_text(
        "---\ntitle: The museum of Alden\npublisher: Town council\nissued: 2019-05\n---\n\n"
        "## Opening hours\n\nThe museum opens at 9 a.m. on weekdays. Entry costs 4 dollars.\n",
        encoding="utf-8",
    )
    rows = [
        {"id": "bridge", "title": "Bridge", "text": "The bridge is 310 meters long. Dr. Ames designed it."},
        {
            "doc_id": "puente",
            "text": "El puente mide 310 metros. Lo diseñó la Dra. Ames en EE. UU.",
            "language": "es",
        },
    ]
    (folder / "more.jsonl").write_text("\n".join(json.dumps(r) for r in rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def golden() -> list[dict[str, object]]:
    """The golden questions."""
    lines = (ROOT / "corpus" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
