"""What a newcomer gets: the lock, the wheel, and a product that asks nobody but the machine it runs on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from gradio_client import Client
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# Loaded by every Python that starts. Audit events come from the C level, so that no library goes round them.
# An attempt is written down before it is refused, so that it counts even where the refusal is swallowed.
WATCH = """
import os, sys

def _watch(event, args):
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        target = args[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg") and isinstance(args[1], tuple):
        target = args[1][0]
    else:
        return
    host = target.decode() if isinstance(target, bytes) else target
    if host and host not in ("localhost", "::1") and not host.startswith("127."):
        with open(os.environ["ATTEMPTS"], "a") as file:
            file.write(f"{event} {host}\\n")
        raise OSError(f"the test has no network: {event} {host}")

sys.addaudithook(_watch)
"""

Ran = subprocess.CompletedProcess[str]


def run(*command: str, cwd: Path, env: Mapping[str, str], timeout: float = 240) -> Ran:
    """Run a command to its end, however it ends."""
    return subprocess.run(command, cwd=cwd, env=dict(env), capture_output=True, text=True, timeout=timeout)


# --- the lock ---------------------------------------------------------------------------------------


def locked() -> Iterator[Requirement]:
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield Requirement(line)


def test_the_lock_has_one_exact_version_of_everything() -> None:
    pins = {canonicalize_name(r.name): str(r.specifier) for r in locked()}
    assert len(pins) == len(list(locked()))
    assert all(pin.startswith("==") and not set(pin) & set("*+,") for pin in pins.values())
    assert pins["torch"] == "==2.13.0"


def test_the_lock_is_of_this_project() -> None:
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    pins = {canonicalize_name(r.name): next(iter(r.specifier)).version for r in locked()}
    wanted = [Requirement(text) for texts in lists for text in texts]
    missing = [str(r) for r in wanted if pins.get(canonicalize_name(r.name), "0") not in r.specifier]
    assert not missing, "run `make lock`"


# --- the wheel --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    options = f"--quiet --no-deps --no-build-isolation --no-index --wheel-dir {folder}".split()
    built = run(sys.executable, "-m", "pip", "wheel", *options, str(ROOT), cwd=folder, env=os.environ)
    assert built.returncode == 0, built.stderr
    return zipfile.ZipFile(next(folder.glob("bpo-*.whl")))


def test_a_wheel_carries_the_corpus(wheel: zipfile.ZipFile) -> None:
    place = "rag/shipped/"
    inside = {n.removeprefix(place): wheel.read(n) for n in wheel.namelist() if n.startswith(place)}
    files = {f.relative_to(ROOT / "corpus").as_posix(): f for f in (ROOT / "corpus").rglob("*") if f.is_file()}
    assert inside == {name: file.read_bytes() for name, file in files.items()}
    assert "references.yaml" in inside
    for language in ("en", "es"):
        assert any(name.startswith(f"articles/{language}/") for name in inside)


def test_a_wheel_carries_the_product_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    inside = {n for n in wheel.namelist() if not n.startswith(("rag/shipped/", f"bpo-{PROJECT['version']}."))}
    files = (f for package in ("rag", "ui") for f in (ROOT / package).rglob("*"))
    assert inside == {f.relative_to(ROOT).as_posix() for f in files if f.is_file() and "__pycache__" not in f.parts}
    information = f"bpo-{PROJECT['version']}.dist-info"
    assert "bpo = rag.__main__:main" in wheel.read(f"{information}/entry_points.txt").decode()
    assert "MIT License" in wheel.read(f"{information}/licenses/LICENSE").decode()


# --- a product from a wheel, in an empty folder, without a network -------------------------------------


class Installed:
    """The wheel unpacked, with few of its articles to save time; an empty folder; a watch on the network."""

    def __init__(self, wheel: zipfile.ZipFile, folder: Path) -> None:
        self.site, self.empty, self.attempts = folder / "site", folder / "empty", folder / "attempts"
        wheel.extractall(self.site)
        for article in (self.site / "rag" / "shipped" / "articles").glob("*/*.md"):
            if "\ntopic: size\n" not in article.read_text(encoding="utf-8"):
                article.unlink()
        self.empty.mkdir()
        (self.site / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
        ours = ("BPO_", "HF_", "TRANSFORMERS_", "ANONYMIZED_", "CHROMA_", "GRADIO_", "LANGSMITH_", "PYTHON")
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
            "HOME": str(folder / "home"),
            "XDG_DATA_HOME": str(folder / "home" / "data"),
            "PYTHONPATH": str(self.site),
            "PYTHONDONTWRITEBYTECODE": "1",
            "ATTEMPTS": str(self.attempts),
        }

    def python(self, *arguments: str) -> Ran:
        return run(sys.executable, *arguments, cwd=self.empty, env=self.env)

    def seen(self) -> list[str]:
        """What was tried since the last time this was asked."""
        tried = self.attempts.read_text(encoding="utf-8").splitlines() if self.attempts.exists() else []
        self.attempts.unlink(missing_ok=True)
        return tried


@pytest.fixture(scope="module")
def installed(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(wheel, tmp_path_factory.mktemp("installed"))


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.getaddrinfo('example.org', 443)",
        "socket.create_connection(('192.0.2.1', 443), 1)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 53))",
        "__import__('urllib.request').request.urlopen('http://192.0.2.1', timeout=1)",
    ],
    ids=["name", "connection", "datagram", "request"],
)
def test_the_watch_sees_and_refuses(installed: Installed, attempt: str) -> None:
    ran = installed.python("-c", f"import socket; {attempt}")
    assert "the test has no network" in ran.stderr
    assert len(installed.seen()) == 1


def test_the_watch_lets_the_machine_talk_to_itself(installed: Installed) -> None:
    server = "import socket; server = socket.create_server(('127.0.0.1', 0))"
    ran = installed.python("-c", f"{server}; socket.create_connection(('localhost', server.getsockname()[1]), 5)")
    assert (ran.returncode, installed.seen()) == (0, []), ran.stderr


def test_an_installed_product_answers_from_an_empty_folder_and_asks_nobody(installed: Installed) -> None:
    made = installed.python("-m", "rag", "ingest")
    assert made.returncode == 0, made.stderr
    question = "How many call centers are there in Mexico?"
    asked = installed.python("-m", "rag", "ask", question, "--json")
    assert asked.returncode == 0, asked.stderr
    answer = json.loads(asked.stdout)
    assert answer["answered"], answer
    assert answer["citations"]
    assert installed.seen() == []
    assert list(installed.empty.iterdir()) == []


def test_the_page_of_an_installed_product_asks_nobody(installed: Installed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "rag", "chat", "--no-browser", "--port", str(port)]
    with subprocess.Popen(command, cwd=installed.empty, env=installed.env, stderr=subprocess.PIPE, text=True) as page:
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_ready(f"{address}/healthz", page, seconds=120)
            answer = Client(address, verbose=False).predict("¿Cuántos call centers hay en México?", api_name="/ask")
        finally:
            page.terminate()
    assert answer["answered"], answer
    assert installed.seen() == []


def wait_until_ready(address: str, page: subprocess.Popen[str], *, seconds: float) -> None:
    """Wait until the models are in, or say how the page ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert page.poll() is None, page.stderr.read() if page.stderr else ""
        try:
            with urllib.request.urlopen(address, timeout=5) as response:
                if json.load(response)["status"] == "ready":
                    return
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"not ready after {seconds} s")
