"""Conversations kept by the server: the laws of the store, who may read what, and two browsers of one person."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_bot import FakeBot
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pages import HORAS, OVERTIME, Visit, served, visit
from playwright.sync_api import Browser, expect
from test_api import basic

from rag.errors import UserError, WorkError
from rag.settings import read_settings
from ui import conversations
from ui.conversations import Conversation, Conversations, FullError
from ui.gate import Login
from ui.page import serve

ROOT = Path(__file__).resolve().parent.parent
NOW = 1_700_000_000_000


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Conversations]:
    store = Conversations.open(tmp_path / "conversations.db")
    yield store
    store.close()


def answer(question: str, text: str = "", **more: Any) -> dict[str, Any]:
    return {"question": question, "text": text, **more}


def some(identity: str = "a", *questions: str, title: str = "Pay", at: int = NOW) -> Conversation:
    return Conversation(identity, title, at, tuple(answer(q) for q in questions))


# --- laws -------------------------------------------------------------------------------------------

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
ANSWERS = st.lists(
    st.builds(lambda more, q, t: {**more, "question": q, "text": t}, st.dictionaries(WORDS, JSON, max_size=3), WORDS, WORDS),
    max_size=4,
    unique_by=lambda a: json.dumps(a, sort_keys=True),
)  # fmt: skip
OWNERS = st.sampled_from(["", "ana", "Ana", "eva", "ana' OR '1'='1"])
NAMES = st.sampled_from(["a", "b", "c0", "z9"])


class Keeping(RuleBasedStateMachine):
    """The store does what a dictionary would: by owner and name, answers in the order in which they came."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "conversations.db"
        self.store = Conversations.open(self.file)
        self.known: dict[tuple[str, str], Conversation] = {}

    @rule(owner=OWNERS, name=NAMES, title=WORDS.filter(str.strip), at=st.integers(0, NOW), answers=ANSWERS)
    def save(self, owner: str, name: str, title: str, at: int, answers: list[dict[str, Any]]) -> None:
        before = self.known.get((owner, name), Conversation(name, title, at))
        fresh = tuple(a for a in answers if json.dumps(a) not in {json.dumps(b) for b in before.answers})
        count = self.store.save(owner, Conversation(name, title, at, tuple(answers), {"place": "mexico"}))
        after = before._replace(at=max(before.at, at), answers=(*before.answers, *fresh), filter={"place": "mexico"})
        self.known[owner, name] = after
        assert count == len(after.answers)

    @rule(owner=OWNERS, name=NAMES, title=WORDS.filter(str.strip))
    def rename(self, owner: str, name: str, title: str) -> None:
        assert self.store.rename(owner, name, title) == ((owner, name) in self.known)
        if (owner, name) in self.known:
            self.known[owner, name] = self.known[owner, name]._replace(title=title)

    @rule(owner=OWNERS, name=NAMES)
    def delete(self, owner: str, name: str) -> None:
        assert self.store.delete(owner, name) == (self.known.pop((owner, name), None) is not None)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = Conversations.open(self.file)

    @invariant()
    def everybody_reads_their_own_and_nothing_else(self) -> None:
        for owner in ("", "ana", "Ana", "eva", "ana' OR '1'='1", "nobody"):
            mine = {name: c for (whose, name), c in self.known.items() if whose == owner}
            listed = self.store.find(owner)
            assert {(c.id, c.title, c.at) for c in listed} == {(c.id, c.title, c.at) for c in mine.values()}
            assert [c.at for c in listed] == sorted((c.at for c in listed), reverse=True)
            for name in ("a", "b", "c0", "z9", "%", "' OR 1=1 --"):
                assert self.store.load(owner, name) == mine.get(name)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


TestKeeping = Keeping.TestCase
TestKeeping.settings = settings(deadline=None, max_examples=40, stateful_step_count=20)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=30), JSON)
def test_what_a_browser_sends_is_kept_or_refused(identity: str, given: object) -> None:
    for sent in (given, {"title": "t", "at": 1, "answers": given}, {"title": given, "at": 1, "answers": [answer("q")]}):
        with contextlib.suppress(ValueError):
            read = Conversation.read(identity, sent)
            assert re.fullmatch("[0-9a-z]{1,32}", read.id)
            assert 0 < len(read.title) <= conversations.LONGEST_TITLE


def test_a_conversation_is_found_by_its_words_without_accents_or_case(kept: Conversations) -> None:
    kept.save("", Conversation("a", "Días de descanso", 1, (answer("¿Cuánto?", "México  paga 25%_"),)))
    kept.save("", Conversation("b", "Overtime", 2, (answer("How?", "Twice."),)))
    kept.save("eva", Conversation("c", "Días", 3, (answer("How?"),)))
    for wanted, found in (
        ("dias", "a"), ("MÉXICO paga", "a"), ("twice", "b"), ("", "ba"), ("25%_", "a"), ("%", "a"), ("'", ""), ("how?", "b"),
    ):  # fmt: skip
        assert "".join(c.id for c in kept.find("", wanted)) == found, wanted


def test_half_characters_are_replaced_and_what_is_no_json_is_refused(kept: Conversations) -> None:
    kept.save("", Conversation.read("a", json.loads('{"title":"\\ud83d","at":1,"answers":[{"question":"x\\ud83d"}]}')))
    loaded = kept.load("", "a")
    assert loaded
    assert (loaded.title, loaded.answers) == ("?", ({"question": "x?"},))
    with pytest.raises(ValueError):
        kept.save("", Conversation("a", "t", 1, (answer("q", n=float("nan")),)))
    assert kept.load("", "a") == loaded


def test_what_is_too_large_is_refused_and_what_was_kept_stays(kept: Conversations) -> None:
    kept.save("", some("a", "first"))
    for large in ("x" * (conversations.LARGEST + 1), "é" * (conversations.LARGEST // 2 + 1)):
        with pytest.raises(FullError):
            kept.save("", some("a", "second", large))
    assert kept.load("", "a") == some("a", "first")


def test_of_too_many_the_oldest_goes_and_only_of_its_owner(
    kept: Conversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "MOST", 3)
    kept.save("eva", some("old", "q", at=1))
    for n in (4, 2, 3, 5):
        kept.save("", some(f"c{n}", "q", at=n))
    assert [c.id for c in kept.find("")] == ["c5", "c4", "c3"]
    kept.save("", some("back", "q", at=0))  # a deletion that is undone stays, however old it is
    assert [c.id for c in kept.find("")] == ["c5", "c4", "back"]
    assert [c.id for c in kept.find("eva")] == ["old"]


def test_what_is_deleted_is_no_longer_on_the_disk(kept: Conversations, tmp_path: Path) -> None:
    kept.save("", some("a", "the secret " * 2000))
    kept.save("", some("b", "another"))
    assert any(b"the secret" in file.read_bytes() for file in tmp_path.iterdir())
    kept.delete("", "a")
    assert not any(b"the secret" in file.read_bytes() for file in tmp_path.iterdir())
    assert [c.id for c in kept.find("")] == ["b"]


def test_only_its_owner_may_read_the_file(kept: Conversations, tmp_path: Path) -> None:
    kept.save("", some("a", "q"))
    assert {file.stat().st_mode & 0o077 for file in tmp_path.iterdir()} == {0}


# --- many at once, and the end of the process ----------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from ui.conversations import Conversation, Conversations
file, who, most = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
kept = Conversations.open(file)
for n in range(most):
    kept.save("ana", Conversation("shared", "t", n, ({"question": f"{who} {n}"},)))
    kept.save("ana", Conversation(f"{who}{n}", "t", n, ({"question": f"{who} {n}"},)))
    print(n, flush=True)
"""


def writer(file: Path, who: str, most: int) -> subprocess.Popen[str]:
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", WRITER, str(file), who, str(most)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths})


def questions(kept: Conversations, identity: str) -> list[str]:
    found = kept.load("ana", identity)
    return [a["question"] for a in found.answers] if found else []


def test_writers_at_once_lose_nothing(kept: Conversations, tmp_path: Path) -> None:
    """Threads of one server and another process, in the same conversation."""
    other = writer(tmp_path / "conversations.db", "p", 30)

    def write(who: str) -> None:
        for n in range(30):
            kept.save("ana", some("shared", f"{who} {n}"))

    threads = [threading.Thread(target=write, args=(who,)) for who in "wxyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.communicate(timeout=60)
    assert other.returncode == 0
    written = questions(kept, "shared")
    assert sorted(written) == sorted(f"{who} {n}" for who in "pwxyz" for n in range(30))
    for who in "pwxyz":
        assert [q for q in written if q.startswith(who)] == [f"{who} {n}" for n in range(30)]


def test_a_new_file_can_be_opened_by_many_at_once(tmp_path: Path) -> None:
    together = threading.Barrier(6)
    failed: list[Exception] = []

    def open_it(file: Path) -> None:
        together.wait()
        try:
            Conversations.open(file).close()
        except UserError as error:
            failed.append(error)

    for n in range(10):
        threads = [threading.Thread(target=open_it, args=(tmp_path / f"{n}.db",)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failed


@pytest.mark.parametrize("after", [1, 7, 40])
def test_a_killed_process_loses_nothing_that_it_had_kept(tmp_path: Path, after: int) -> None:
    process = writer(tmp_path / "conversations.db", "k", 10_000)
    assert process.stdout
    told = [int(next(process.stdout)) for _ in range(after)]
    process.send_signal(signal.SIGKILL)
    told += [int(line) for line in process.communicate(timeout=60)[0].split()]
    store = Conversations.open(tmp_path / "conversations.db")
    try:
        there = [int(q.split()[1]) for q in questions(store, "shared")]
        assert there == list(range(len(there)))
        assert len(there) >= len(told)
        assert {f"k{n}" for n in told[-400:]} <= {c.id for c in store.find("ana")}
    finally:
        store.close()


# --- a file that cannot be used ------------------------------------------------------------------------


def refused(file: Path, wrong: str) -> None:
    before = file.read_bytes() if file.is_file() else b""
    with pytest.raises(UserError) as refusal:
        Conversations.open(file)
    sentence = str(refusal.value)
    assert (str(file) in sentence, wrong in sentence, sentence.count("\n")) == (True, True, 0), sentence
    assert (file.read_bytes() if file.is_file() else b"") == before


def test_a_file_that_is_none_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("These are my notes. " * 100, encoding="utf-8")
    refused(text, "is not a SQLite file")
    refused(tmp_path, "cannot be opened (Is a directory)")
    refused(text / "conversations.db", "cannot be opened")
    other = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE mine (x)")
    refused(other, "is a SQLite file of another program")


def test_a_file_of_a_newer_bpo_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "conversations.db"
    Conversations.open(file).close()
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA user_version = 9")
    refused(file, "is of a newer bpo")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_damaged_file_is_named_and_left_as_it_is(tmp_path: Path, share: float) -> None:
    file = tmp_path / "conversations.db"
    store = Conversations.open(file)
    for n in range(50):
        store.save("", some(f"c{n}", "question " * 200))
    store.close()
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    refused(file, "is damaged")
    middle = int(len(whole) * share)
    file.write_bytes(whole[:middle] + b"\xff" * 9000 + whole[middle + 9000 :])
    refused(file, "is damaged")


def test_a_file_that_cannot_be_written_is_named() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, file = Path(name), Path(name) / "conversations.db"
        Conversations.open(file).close()
        file.chmod(0o444)
        folder.chmod(0o555)
        root = os.geteuid() == 0  # who may write everything
        if root:
            os.seteuid(65534)
        try:
            refused(file, "cannot be opened (Permission denied)")
            refused(folder / "new.db", "cannot be opened (Permission denied)")
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


def test_a_file_in_use_and_one_that_fails_later_are_named(tmp_path: Path, kept: Conversations) -> None:
    file = tmp_path / "conversations.db"
    kept.save("", some("a", "q"))
    kept._database.execute("PRAGMA busy_timeout = 50")
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(WorkError, match="in use by another program"):
            kept.save("", some("a", "r"))
        assert kept.load("", "a") == some("a", "q")  # who reads does not wait
        other.execute("ROLLBACK")
    kept._database.execute("PRAGMA query_only = 1")
    with pytest.raises(WorkError, match=re.escape(str(file))):
        kept.save("", some("a", "r"))
    kept._database.execute("PRAGMA query_only = 0")
    assert kept.save("", some("a", "r")) == 2


def test_the_setting_names_a_file_and_needs_names_of_people(
    bot: FakeBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_settings().conversations is None
    monkeypatch.setenv("BPO_CONVERSATIONS", str(tmp_path / "x" / ".." / "c.db"))
    file = read_settings().conversations
    assert file == (tmp_path / "c.db").resolve()
    with pytest.raises(UserError, match="BPO_AUTH=NAME:PASSWORD"):
        serve(lambda: bot, host="127.0.0.1", port=0, open_browser=False, auth="none", conversations=file)
    (tmp_path / "c.db").write_text("no database", encoding="utf-8")
    with pytest.raises(UserError, match="is not a SQLite file"):
        serve(lambda: bot, host="127.0.0.1", port=0, open_browser=False, conversations=file)


# --- what the page's script asks for ----------------------------------------------------------------------

SENT = {"title": "Pay", "at": NOW, "answers": [answer("How is overtime paid?", "Twice.")]}


def request(url: str, method: str, path: str = "", body: Any = None, **headers: str) -> tuple[int, Any]:
    """Status and JSON of one request as the page's script makes it."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = urllib.request.Request(
        f"{url}/conversations/{path}", data, {"content-type": "application/json", **headers}, method=method
    )
    try:
        with urllib.request.urlopen(asked, timeout=20) as response:
            assert response.headers["cache-control"] == "no-store"
            assert response.headers["content-type"] == "application/json"
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.fixture(scope="module")
def shared(bot: FakeBot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page without a login that keeps conversations."""
    store = Conversations.open(tmp_path_factory.mktemp("shared") / "conversations.db")
    with contextlib.closing(store), served(lambda: bot, conversations=store) as address:
        yield address


def test_a_conversation_is_saved_added_to_renamed_found_and_deleted(shared: str) -> None:
    assert request(shared, "GET", "k1")[0] == 404
    assert request(shared, "PUT", "k1", SENT) == (200, 1)
    assert request(shared, "PUT", "k1", SENT) == (200, 1)
    more = {**SENT, "title": "Not this", "answers": [answer("And on Sundays?")], "filter": {"kinds": ["press"], "x": 1}}
    assert request(shared, "PUT", "k1", more) == (200, 2)
    assert request(shared, "PATCH", "k1", {"title": "Días"}) == (200, True)
    status, loaded = request(shared, "GET", "k1")
    assert (status, loaded["title"], loaded["sent"], loaded["filter"]) == (200, "Días", 2, {"kinds": ["press"]})
    assert [a["question"] for a in loaded["answers"]] == ["How is overtime paid?", "And on Sundays?"]
    found = (200, [{"id": "k1", "title": "Días", "at": NOW}])
    assert request(shared, "GET", "?find=DIAS") == found
    assert request(shared, "GET", "?find=sundays") == found
    assert request(shared, "GET", "?find=mondays") == (200, [])
    assert request(shared, "DELETE", "k1") == (200, True)
    assert [request(shared, "GET", "k1")[0], request(shared, "DELETE", "k1")[0]] == [404, 404]
    assert request(shared, "PATCH", "k1", {"title": "x"})[0] == 404


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff", b"[" * 100_000, {}, {**SENT, "title": ""}, {**SENT, "title": 1}, {**SENT, "at": "now"},
     {**SENT, "answers": [1]}, {**SENT, "answers": {}}, {**SENT, "filter": [1]}, b'{"title":"t","at":1,"answers":[{"question":"q","n":NaN}]}'],
    ids=str,
)  # fmt: skip
def test_what_is_no_conversation_is_refused(shared: str, body: Any) -> None:
    assert request(shared, "PUT", "wrong", body)[0] == 400
    assert request(shared, "GET", "wrong")[0] == 404


def test_names_that_are_none_are_refused(shared: str) -> None:
    for name in ("A", "x" * 33, "é", "a_b"):
        assert request(shared, "PUT", urllib.parse.quote(name), SENT)[0] in (400, 404)
    assert request(shared, "PUT", "..%2Fhealth", SENT)[0] == 404


def test_what_is_too_large_is_refused_with_its_own_status(shared: str) -> None:
    assert request(shared, "PUT", "large", {**SENT, "answers": [answer("x" * conversations.LARGEST)]})[0] == 413
    assert request(shared, "PUT", "large", {**SENT, "answers": [answer("x" * (1 << 20))]})[0] == 413
    assert request(shared, "GET", "large")[0] == 404


def test_another_site_can_neither_read_nor_write(shared: str) -> None:
    request(shared, "PUT", "mine", SENT)
    for method, body in (("PUT", SENT), ("PATCH", {"title": "x"}), ("DELETE", None)):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            assert request(shared, method, "mine", body, **{"content-type": kind})[0] == 415
    assert request(shared, "POST", "mine", SENT)[0] in (404, 405)
    connection = http.client.HTTPConnection(shared.removeprefix("http://"), timeout=10)
    asks = {"origin": "http://evil.test", "access-control-request-method": "PUT", "access-control-request-headers": "content-type"}  # fmt: skip
    connection.request("OPTIONS", "/conversations/mine", headers=asks)
    response = connection.getresponse()
    allowed = [name for name, _ in response.getheaders() if name.lower().startswith("access-control-")]
    assert (response.status >= 400, allowed) == (True, [])
    connection.close()
    # A site whose own name points to this machine is not this machine.
    for host in ("evil.test", "127.evil.test", "localhost.evil.test:80", "", "[::2]"):
        assert request(shared, "GET", "mine", Host=host)[0] in (400, 403)
    for host in ("localhost:9", "127.0.0.1", "[::1]:7860"):
        assert request(shared, "GET", "mine", Host=host)[0] == 200
    assert request(shared, "DELETE", "mine")[0] == 200


def test_without_the_setting_nothing_is_kept(url: str) -> None:
    for method, body in (("GET", None), ("PUT", SENT), ("PATCH", {"title": "x"}), ("DELETE", None)):
        assert request(url, method, "k1", body)[0] == 404
    assert request(url, "GET")[0] == 404


@pytest.mark.parametrize(
    ("auth", "ana", "eva"),
    [
        ("ana:a eva:e", {"Authorization": basic("ana:a")}, {"Authorization": basic("eva:e")}),
        ("header:X-User", {"X-User": "ana"}, {"X-User": "eva"}),
        ("header:X-User", {"X-User": "josé"}, {"X-User": "jos?"}),
    ],
)
def test_nobody_reads_or_changes_anothers(
    bot: FakeBot, tmp_path: Path, auth: str, ana: dict[str, str], eva: dict[str, str]
) -> None:
    with contextlib.closing(Conversations.open(tmp_path / "c.db")) as store:
        store.save("", some("k1", "of nobody"))
        with served(lambda: bot, conversations=store, login=Login.read(auth)) as url:
            assert request(url, "GET", "k1")[0] == 401
            assert request(url, "PUT", "k1", SENT)[0] == 401
            assert request(url, "GET", "k1", **ana)[0] == 404
            assert request(url, "PUT", "k1", SENT, **ana) == (200, 1)
            for method, body in (("GET", None), ("PATCH", {"title": "x"}), ("DELETE", None)):
                assert request(url, method, "k1", body, **eva)[0] == 404
            assert request(url, "GET", **eva) == request(url, "GET", "?find=overtime", **eva) == (200, [])
            assert request(url, "PUT", "k1", {**SENT, "title": "Eva's"}, **eva) == (200, 1)
            assert request(url, "GET", **ana) == (200, [{"id": "k1", "title": "Pay", "at": NOW}])
            assert request(url, "GET", **eva) == (200, [{"id": "k1", "title": "Eva's", "at": NOW}])
        assert store.load("", "k1") == some("k1", "of nobody")


def test_a_disk_that_fails_is_said_and_logged(bot: FakeBot, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Conversations.open(tmp_path / "c.db")
    with contextlib.closing(store), served(lambda: bot, conversations=store) as url:
        store._database.execute("PRAGMA query_only = 1")
        assert request(url, "PUT", "k1", SENT)[0] == 507
    assert str(tmp_path / "c.db") in caplog.text


# --- the page ---------------------------------------------------------------------------------------------


def not_found(there: Visit) -> None:
    """Chromium itself says it of every 404, and nobody of anything else."""
    assert all("404 (Not Found)" in complaint for complaint in there.complaints), there.complaints
    there.complaints.clear()


def titles(page: Any) -> Any:
    return page.locator(".kept-list li a")


LOGIN = Login.read("ana:x eva:x")


def as_(name: str) -> dict[str, Any]:
    return {"http_credentials": {"username": name, "password": "x"}, "viewport": {"width": 1440, "height": 900}}


def test_two_browsers_of_one_person_share_a_conversation(browser: Browser, bot: FakeBot, tmp_path: Path) -> None:
    store = Conversations.open(tmp_path / "c.db")
    with (
        contextlib.closing(store),
        served(lambda: bot, conversations=store, login=LOGIN) as url,
        visit(browser, url, **as_("ana")) as one,
        visit(browser, url, **as_("ana")) as two,
    ):
        expect(one.page.locator(".kept-list")).to_have_text("Your conversations are kept on the server, for you alone.")
        one.ask(OVERTIME)
        expect(titles(one.page)).to_have_text([OVERTIME])
        assert one.page.evaluate("Object.keys(localStorage).filter((k) => k.startsWith('bpo-c-'))") == []
        two.page.goto(one.page.url)  # the permalink, in the other browser
        expect(two.page.locator(".answer.final")).to_have_count(1)
        two.page.reload()
        expect(two.page.locator(".answer.final")).to_have_count(1)
        two.page.locator(".kept-list li").hover()
        two.page.get_by_role("button", name="Rename").click()
        two.page.keyboard.type("Pay")
        two.page.keyboard.press("Enter")
        expect(titles(two.page)).to_have_text(["Pay"])
        expect(two.page.get_by_role("button", name="Rename: Pay")).to_be_focused()
        # Both go on with it, and both answers are kept.
        two.ask(HORAS)
        one.ask("How many centers are there in Mexico?")
        expect(titles(one.page)).to_have_text(["Pay"])
        one.page.reload()
        expect(one.page.locator(".asked")).to_contain_text([OVERTIME, HORAS, "How many centers"])
        one.ask("Which premium does Sunday work carry?")
        search = two.page.get_by_role("searchbox", name="Search conversations")
        search.fill("mondays")
        expect(titles(two.page)).to_have_count(0)
        search.fill("sunday WORK")
        expect(titles(two.page)).to_have_text(["Pay"])
        with visit(browser, url, **as_("eva")) as other:
            other.page.goto(one.page.url)
            expect(other.page.locator("#spoken")).to_have_text("Nothing found.")
            expect(other.page).to_have_url(re.compile("#chat"))
            expect(titles(other.page)).to_have_count(0)
            not_found(other)


def test_a_conversation_outlives_the_server_and_is_deleted_everywhere(
    browser: Browser, bot: FakeBot, tmp_path: Path
) -> None:
    store = Conversations.open(tmp_path / "c.db")
    with contextlib.closing(store), served(lambda: bot, conversations=store, login=LOGIN) as url:
        with visit(browser, url, **as_("ana")) as one:
            one.ask(OVERTIME)
            one.ask(HORAS)
            expect(titles(one.page)).to_have_text([OVERTIME])
        (listed,) = store.find("ana")
    store = Conversations.open(tmp_path / "c.db")
    with (
        contextlib.closing(store),
        served(lambda: bot, conversations=store, login=LOGIN) as url,
        visit(browser, url, **as_("ana")) as one,
        visit(browser, url, **as_("ana")) as two,
    ):
        for there in (one, two):
            there.page.goto(f"{url}/#c/{listed.id}")
            expect(there.page.locator(".answer.final")).to_have_count(2)
        delete = one.page.get_by_role("button", name=f"Delete: {OVERTIME}")
        one.page.locator(".kept-list li").hover()
        delete.click()
        expect(titles(one.page)).to_have_count(0)
        one.page.get_by_role("button", name="Undo").click()
        expect(titles(one.page)).to_have_text([OVERTIME])
        titles(one.page).click()
        expect(one.page.locator(".answer.final")).to_have_count(2)
        delete.click()
        expect(titles(one.page)).to_have_count(0)
        assert store.find("ana") == []
        two.page.reload()
        expect(two.page.locator("#spoken")).to_have_text("Nothing found.")
        expect(titles(two.page)).to_have_count(0)
        not_found(two)


def test_what_the_server_does_not_keep_is_said(browser: Browser, bot: FakeBot, tmp_path: Path) -> None:
    store = Conversations.open(tmp_path / "c.db")
    with contextlib.closing(store), served(lambda: bot, conversations=store) as url:
        there = Visit(browser, url, locale="es-MX", viewport={"width": 1440, "height": 900})
        store._database.execute("PRAGMA query_only = 1")
        there.ask(OVERTIME)
        expect(there.page.locator("#spoken")).to_have_text("El servidor no pudo guardar este cambio.")
        store._database.execute("PRAGMA query_only = 0")
        there.ask(HORAS)  # with it, what could not be kept before is
        expect(titles(there.page)).to_have_text([OVERTIME])
        there.page.reload()
        expect(there.page.locator(".asked")).to_contain_text([OVERTIME, HORAS])
        there.context.close()
