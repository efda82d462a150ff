"""What the tests share: the real engine over the real corpus, built once, and a clean environment."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

if TYPE_CHECKING:
    from fake_bot import FakeBot
    from pages import Visit
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent

# Test processes side by side share the cores: one thread each (read by torch when it is loaded).
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
if WORKER:
    os.environ["OMP_NUM_THREADS"] = "1"

for _name in [n for n in os.environ if n.startswith("BPO_")]:
    del os.environ[_name]

from rag import index as index_  # noqa: E402
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
    """A published index of the shipped corpus: built once for all test processes, a copy for each of them."""
    own = tmp_path_factory.getbasetemp()
    built = (own.parent if WORKER else own) / "shipped"
    with FileLock(built.with_suffix(".lock")):
        if not built.exists():
            unfinished = own / "unfinished"
            assert ingest([ROOT / "corpus"], unfinished, embedder).problems == ()
            unfinished.rename(built)
    return shutil.copytree(built, own / "index") if WORKER else built


@pytest.fixture(scope="session")
def shipped_settings(index_root: Path) -> Settings:
    """Settings that use that index."""
    return read_settings(index=index_root, corpus=ROOT / "corpus")


@pytest.fixture(scope="session")
def chatbot(shipped_settings: Settings) -> Chatbot:
    """The product, over the shipped corpus."""
    return open_chatbot(shipped_settings)


@pytest.fixture
def audited_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is published is audited in this process: the same audit, without a start of Python for each version."""

    def audit_here(folder: Path) -> None:
        assert index_.audit(folder) == []

    monkeypatch.setattr(index_, "_audit_apart", audit_here)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Three small documents of a user."""
    return write_library(tmp_path / "library")


def write_library(folder: Path) -> Path:
    """Write those documents."""
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


# --- the page: what loads Gradio and a browser is imported where it is used ---------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    from pages import chromium

    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> FakeBot:
    """The chatbot of most tests of the page: two articles, no models."""
    from pages import fake

    return fake(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def url(bot: FakeBot) -> Iterator[str]:
    """The address where it is served."""
    from pages import served

    with served(lambda: bot) as address:
        yield address


@pytest.fixture
def desk(browser: Browser, url: str) -> Iterator[Visit]:
    """A visit of that page at a desk; nothing may have been complained about at its end."""
    from pages import visit

    with visit(browser, url, viewport={"width": 1440, "height": 900}) as visiting:
        yield visiting
