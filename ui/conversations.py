"""Conversations kept by the server: in one SQLite file, each for the person whose it is, beyond any restart.

The only module that knows SQLite. The browser sends what is new of a conversation; what was kept of it stays, so two
browsers of one person that go on with the same conversation both keep their answers.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rag.errors import UserError, WorkError
from rag.filter import Filter
from rag.text import fold

MOST = 500
"""Conversations of one person; with one more, the one that was longest left alone goes, as it does in a browser."""
LARGEST = 900_000
"""Bytes of the answers of one conversation: all of it can be sent back at once, when its deletion is undone."""
LONGEST_TITLE = 120

_PATIENCE = 5.0
"""Seconds to wait for another process that writes."""
_VERSION = 1
_MADE_BY = 0x62706F31  # "bpo1", which SQLite writes into the header of the file
_SCHEMA = (
    "CREATE TABLE conversation (key INTEGER PRIMARY KEY, owner TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, "
    "title TEXT NOT NULL, words TEXT NOT NULL, filter TEXT NOT NULL, UNIQUE (owner, id))",
    # The words that are searched stand before what is long: SQLite then finds them without reading that.
    "CREATE TABLE answer (number INTEGER PRIMARY KEY, conversation INTEGER NOT NULL "
    "REFERENCES conversation ON DELETE CASCADE, digest BLOB NOT NULL, size INTEGER NOT NULL, words TEXT NOT NULL, "
    "json TEXT NOT NULL, UNIQUE (conversation, digest))",
    f"PRAGMA application_id = {_MADE_BY}",
    f"PRAGMA user_version = {_VERSION}",
)
_ID = re.compile(r"[0-9a-z]{1,32}")
_WRONG = {
    sqlite3.SQLITE_NOTADB: "is not a SQLite file",
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_READONLY: "cannot be written",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_BUSY: "is in use by another program",
    sqlite3.SQLITE_FULL: "cannot be written: the disk is full",
}


class FullError(Exception):
    """Raised when a conversation would become larger than is kept; what was kept of it is as before."""


class Listed(NamedTuple):
    """What the list shows of a conversation; `at` is when it was last gone on with, in milliseconds."""

    id: str
    title: str
    at: int


class Conversation(NamedTuple):
    """A conversation, or what is new of it: answers as `ui.kept.keep` writes them, and the filters that hold."""

    id: str
    title: str
    at: int
    answers: tuple[Mapping[str, Any], ...] = ()
    filter: Mapping[str, Any] = {}

    @classmethod
    def read(cls, identity: str, given: Any) -> Conversation:
        """Read what a browser sends. Raises ValueError for what is no conversation."""
        if not isinstance(given, dict) or not _ID.fullmatch(identity):
            raise ValueError("expected a conversation")
        at, answers, chosen = given.get("at"), given.get("answers"), given.get("filter") or {}
        if not isinstance(at, int) or not isinstance(answers, list) or not isinstance(chosen, dict):
            raise ValueError("expected `at`, a time in milliseconds, `answers`, a list, and `filter`, an object")
        if not all(isinstance(a, dict) and isinstance(a.get("question"), str) for a in answers):
            raise ValueError("expected each of `answers` with its `question`")
        now = time.time_ns() // 1_000_000
        return cls(identity, title_of(given), max(0, min(at, now)), tuple(answers), Filter.read(chosen).to_json())


def title_of(given: Any) -> str:
    """Read the title that a browser sends with a conversation. Raises ValueError where there is none."""
    title = given.get("title") if isinstance(given, dict) else None
    if not isinstance(title, str) or not title.strip():
        raise ValueError("expected a `title`")
    return _whole(title)[:LONGEST_TITLE]


class Conversations:
    """Everybody's conversations. Each method is one transaction: it is done, on the disk, or nothing has changed.

    `owner` is the name that a person logged in with, "" where nobody logs in. All methods raise WorkError, which names
    the file, when it can no longer be read or written.
    """

    def __init__(self, file: Path, database: sqlite3.Connection) -> None:
        self._file = file
        self._database = database
        self._lock = threading.Lock()

    @classmethod
    def open(cls, file: Path) -> Conversations:
        """Open the file, or make it.

        Raises UserError when it cannot be read and written, is damaged, is something else or of a newer bpo; the file
        is left as it is.
        """
        try:
            _make(file)
            database = sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        except OSError as error:
            raise UserError(_sentence(file, f"cannot be opened ({error.strerror})")) from None
        except sqlite3.Error as error:
            raise UserError(_sentence(file, _reason(error))) from None
        try:
            _check(file, database)  # before anything is written into what may be somebody else's file
            _log_ahead(database)
            database.execute("PRAGMA synchronous = FULL")  # a loss of power loses nothing either
            database.execute("PRAGMA foreign_keys = ON")
            database.execute("PRAGMA secure_delete = ON")
            _prepare(database)
        except sqlite3.Error as error:
            database.close()
            raise UserError(_sentence(file, _reason(error))) from None
        except UserError:
            database.close()
            raise
        return cls(file, database)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def find(self, owner: str, wanted: str = "") -> list[Listed]:
        """List the conversations of a person, the newest first: all, or those that say what is wanted."""
        words = _words(wanted)
        with self._transaction() as database:
            rows = database.execute(
                "SELECT id, title, at FROM conversation WHERE owner = ? AND (? = '' OR instr(words, ?) OR EXISTS "
                "(SELECT 1 FROM answer WHERE conversation = key AND instr(answer.words, ?))) "
                "ORDER BY at DESC, key DESC",
                (owner, words, words, words),
            )
            return [Listed(*row) for row in rows]

    def load(self, owner: str, identity: str) -> Conversation | None:
        """Give a conversation of a person; None for what is nobody's, or another's."""
        with self._transaction() as database:
            found = database.execute(
                "SELECT key, title, at, filter FROM conversation WHERE owner = ? AND id = ?", (owner, identity)
            ).fetchone()
            if found is None:
                return None
            key, title, at, chosen = found
            rows = database.execute("SELECT json FROM answer WHERE conversation = ? ORDER BY number", (key,))
            answers = tuple(json.loads(text) for (text,) in rows)
            return Conversation(identity, title, at, answers, json.loads(chosen))

    def save(self, owner: str, new: Conversation) -> int:
        """Keep a conversation, or add what is new of one, and count its answers: none is added a second time.

        The title of a conversation that is kept stays (see `rename`). Raises FullError when it would become too large,
        ValueError for what JSON cannot write.
        """
        answers = [_row(answer) for answer in new.answers]
        chosen = json.dumps(dict(new.filter))
        with self._transaction(writing=True) as database:
            (key,) = database.execute(
                "INSERT INTO conversation (owner, id, at, title, words, filter) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET at = max(at, excluded.at), filter = excluded.filter RETURNING key",
                (owner, new.id, new.at, new.title, _words(new.title), chosen),
            ).fetchone()
            database.executemany(
                "INSERT OR IGNORE INTO answer (conversation, digest, size, words, json) VALUES (?, ?, ?, ?, ?)",
                [(key, *row) for row in answers],
            )
            count: int
            count, size = database.execute(
                "SELECT count(*), coalesce(sum(size), 0) FROM answer WHERE conversation = ?", (key,)
            ).fetchone()
            if size > LARGEST:
                raise FullError
            database.execute(
                "DELETE FROM conversation WHERE owner = ? AND key NOT IN (SELECT key FROM conversation "
                "WHERE owner = ? ORDER BY key = ? DESC, at DESC, key DESC LIMIT ?)",
                (owner, owner, key, MOST),
            )
            return count

    def rename(self, owner: str, identity: str, title: str) -> bool:
        """Give a conversation of a person another title; False when there is none."""
        with self._transaction(writing=True) as database:
            renamed = database.execute(
                "UPDATE conversation SET title = ?, words = ? WHERE owner = ? AND id = ?",
                (title, _words(title), owner, identity),
            )
            return renamed.rowcount > 0

    def delete(self, owner: str, identity: str) -> bool:
        """Delete a conversation of a person, from the disk too; False when there is none."""
        with self._transaction(writing=True) as database:
            deleted = database.execute("DELETE FROM conversation WHERE owner = ? AND id = ?", (owner, identity))
            there = deleted.rowcount > 0
        with self._errors(), self._lock:
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # its words still stand in the log
        return there

    @contextmanager
    def _transaction(self, *, writing: bool = False) -> Iterator[sqlite3.Connection]:
        with self._errors(), self._lock:
            self._database.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
            try:
                yield self._database
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise WorkError(_sentence(self._file, _reason(error))) from error


# --- the file -------------------------------------------------------------------------------------


def _make(file: Path) -> None:
    """Make an empty file that only its owner may read. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))


def _check(file: Path, database: sqlite3.Connection) -> None:
    """Look whether a file is ours, of today and whole. Raises UserError or sqlite3.Error."""
    queries = ("PRAGMA user_version", "PRAGMA application_id", "SELECT count(*) FROM sqlite_master")
    database.execute("BEGIN")  # another process may be making the tables: they are seen with their maker or not at all
    version, maker, tables = (database.execute(query).fetchone()[0] for query in queries)
    database.execute("COMMIT")
    if maker != _MADE_BY and tables:
        raise UserError(_sentence(file, "is a SQLite file of another program"))
    if version > _VERSION:
        raise UserError(_sentence(file, "is of a newer bpo", remedy="update bpo, or name another file"))
    if database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise UserError(_sentence(file, _WRONG[sqlite3.SQLITE_CORRUPT]))


def _log_ahead(database: sqlite3.Connection) -> None:
    """Let what is written go into a log first: whoever reads does not wait, and a commit is one append."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:  # for this alone, SQLite does not wait for another process by itself
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _prepare(database: sqlite3.Connection) -> None:
    """Make the tables where there are none; also a file that cannot be written is found out by it."""
    database.execute("BEGIN IMMEDIATE")
    if database.execute("PRAGMA user_version").fetchone()[0] == 0:
        for statement in _SCHEMA:
            database.execute(statement)
    database.execute("COMMIT")


def _reason(error: sqlite3.Error) -> str:
    # The low byte is the kind of error, the others say more than a person can use; Python's own errors have none.
    code = getattr(error, "sqlite_errorcode", -1)
    return _WRONG.get(code & 0xFF, f"cannot be used ({error})")


def _sentence(file: Path, wrong: str, *, remedy: str = "name another file, or move this one away") -> str:
    return f"BPO_CONVERSATIONS: {file} {wrong}; nothing in it was changed: {remedy}."


# --- what is written ------------------------------------------------------------------------------


def _row(answer: Mapping[str, Any]) -> tuple[bytes, int, str, str]:
    text = _whole(json.dumps(answer, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
    written = text.encode()
    words = _words(f"{answer['question']} {answer.get('text', '')}")
    return hashlib.sha256(written).digest(), len(written), words, text


def _words(text: str) -> str:
    """Write a text as it is searched: `México,  D. F.` and `mexico, d. f.` are one."""
    return " ".join(map(fold, _whole(text).split()))


def _whole(text: str) -> str:
    """Replace the half characters of a text, which no file can hold."""
    return text.encode("utf-8", "replace").decode()
