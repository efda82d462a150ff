"""The command line as its user meets it: what it prints, where, and how it ends."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.__main__ import app
from rag.chat import Chatbot
from rag.errors import UserError
from rag.settings import Settings, read_settings

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def bpo(tmp_path: Path) -> Run:
    """Run `bpo` in an empty folder."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("BPO_")}
        return subprocess.run(
            [str(Path(sys.executable).with_name("bpo")), *arguments],
            capture_output=True, text=True, cwd=tmp_path, env={**clean, **environment}, timeout=240, check=False,
        )  # fmt: skip

    return run


def test_ask_prints_the_contract_and_answers_as_the_engine_does(
    bpo: Run, shipped_settings: Settings, chatbot: Chatbot
) -> None:
    question = "How many call centers are there in Tijuana?"
    done = bpo("ask", question, "--json", "--index", str(shipped_settings.index), "--corpus", str(ROOT / "corpus"))
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    expected = chatbot.ask(question).to_json()
    for data in (printed, expected):
        data.pop("timings_ms")
    assert printed["claims"] == expected["claims"]
    assert printed["citations"] == expected["citations"]
    assert set(printed) >= {
        "question", "standalone_question", "language", "answered", "confidence", "text", "claims", "citations",
        "conflicts", "missing", "suggestions", "passages", "mode", "index_version",
    }  # fmt: skip


def test_ingest_ask_search_and_history_with_documents_of_ones_own(bpo: Run, library: Path, tmp_path: Path) -> None:
    index = str(tmp_path / "own-index")
    done = bpo("ingest", str(library), "--index", index)
    assert done.returncode == 0, done.stderr
    assert "4 articles" in done.stderr
    assert done.stdout == ""
    here = CliRunner()  # in this process, where the libraries are loaded
    shown = here.invoke(app, ["ask", "How many cranes does the harbor have?", "--index", index])
    assert "14 cranes" in shown.stdout
    assert "harbor.txt" in shown.stdout
    shown = here.invoke(app, ["search", "bridge", "--k", "2", "--json", "--index", index])
    assert len(json.loads(shown.stdout)) == 2
    history = tmp_path / "history.json"
    history.write_text(
        json.dumps(
            [
                {"role": "user", "content": "How long is the bridge?"},
                {"role": "assistant", "content": "310 m"},
            ]
        )
    )
    done = bpo("ask", "And who designed it?", "--history", str(history), "--json", "--index", index)
    assert "bridge" in json.loads(done.stdout)["standalone_question"]


def test_a_bad_file_is_named_and_the_exit_code_says_so(bpo: Run, library: Path, tmp_path: Path) -> None:
    (library / "bad.jsonl").write_text('{"id": "x", "text": "Fine."}\n{oops\n', encoding="utf-8")
    done = bpo("ingest", str(library), "--index", str(tmp_path / "i"))
    assert done.returncode == 1
    assert "bad.jsonl:2: not JSON" in done.stderr
    assert "5 articles" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "words"),
    [
        (["ask", "x"], {"BPO_COLOUR": "red"}, 2, "Unknown setting BPO_COLOUR"),
        (["chat"], {"BPO_PORT": "many"}, 2, "port"),
        (["ask", "x", "--language", "fr"], {}, 2, "expected en or es"),
        (["ask", "x", "--history", "nowhere.json"], {}, 2, "No such file"),
        (["ask"], {}, 2, "Missing argument"),
        (["dance"], {}, 2, "No such command"),
        (["ask", "x"], {"BPO_EMBEDDER": "./nowhere"}, 2, "no such folder"),
        (["ask", "x"], {"BPO_CONFIG": "nowhere.toml"}, 2, "cannot be read"),
        (["ingest", "nowhere"], {}, 1, "no such file or folder"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_remedy(
    bpo: Run, tmp_path: Path, arguments: list[str], environment: dict[str, str], code: int, words: str
) -> None:
    done = bpo(*arguments, BPO_INDEX=str(tmp_path / "i"), **environment)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said_with_the_remedy(bpo: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = bpo("chat", "--no-browser", "--port", port)
    assert done.returncode == 2, done.stderr
    assert f"127.0.0.1:{port}" in done.stderr
    assert "choose another --port" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_teaches_every_command(bpo: Run) -> None:
    done = bpo("--help")
    for command in ("chat", "ask", "search", "ingest", "coverage", "bench", "eval"):
        assert command in done.stdout


# --- settings ------------------------------------------------------------------------------------


def test_flags_win_over_variables_and_variables_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bpo.toml").write_text('port = 1\nhost = "::1"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert (read_settings().port, read_settings().host) == (1, "::1")
    monkeypatch.setenv("BPO_PORT", "2")
    assert read_settings().port == 2
    assert read_settings(port=3).port == 3
    assert read_settings(port=None).port == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("colour = 1", "Unknown setting 'colour'"),
        ("port = [", "is not TOML"),
        ("port = 70000", "less than or equal"),
    ],
)
def test_a_bad_settings_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, words: str
) -> None:
    (tmp_path / "mine.toml").write_text(content, encoding="utf-8")
    monkeypatch.setenv("BPO_CONFIG", str(tmp_path / "mine.toml"))
    with pytest.raises(UserError, match=words):
        read_settings()


def test_a_server_must_be_an_address() -> None:
    with pytest.raises(UserError, match="expected an address"):
        read_settings(server="localhost:8000")
