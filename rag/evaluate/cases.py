"""Files of questions -> cases: JSONL or CSV, every mistake named by its line before anything runs."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from rag.corpus import Problem
from rag.errors import UserError
from rag.language import detect
from rag.text import LANGUAGES

_SHOWN_PROBLEMS = 20
_QUESTION = ("question", "query", "input", "user_input")
_ANSWERS = ("answers", "answer", "expected_output", "reference", "ground_truth", "gt_answer")
_OTHER = ("id", "language", "history", "answerable", "answer_groups", "not_answers", "gold", "tags", "group")
_FIELDS = frozenset([*_QUESTION, *_ANSWERS, *_OTHER, "nearest"])
_YES, _NO = frozenset({"true", "yes", "1", "sí", "si"}), frozenset({"false", "no", "0"})


class Message(NamedTuple):
    """One message of the conversation before the question."""

    role: str
    content: str


class Gold(NamedTuple):
    """Where the answer stands: an article and, where known, the words or the characters of it."""

    doc: str
    quote: str = ""
    start: int = -1
    end: int = -1
    grade: int = 1


@dataclass(frozen=True, slots=True)
class Case:
    """A question and what is expected of its answer. `answerable` is None when the file does not say."""

    id: str
    question: str
    language: str = ""
    history: tuple[Message, ...] = ()
    answerable: bool | None = None
    answers: tuple[str, ...] = ()
    answer_groups: tuple[tuple[str, ...], ...] = ()
    not_answers: tuple[str, ...] = ()
    gold: tuple[Gold, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    line: int = field(default=0, compare=False)

    @property
    def group(self) -> str:
        """Cases that stand or fall together (a question in two languages) share it; else it is the id."""
        return self.tags.get("group") or self.tags.get("pair") or self.id

    @property
    def spoken(self) -> str:
        """The language of the question: as given, else as detected."""
        return self.language or detect(self.question)

    def to_json(self) -> dict[str, Any]:
        """Give the case as a line of a JSONL file; empty fields are left out."""
        gold = [{k: v for k, v in g._asdict().items() if v != Gold._field_defaults.get(k)} for g in self.gold]
        full = {
            "id": self.id,
            "question": self.question,
            "language": self.language,
            "history": [m._asdict() for m in self.history],
            "answerable": self.answerable,
            "answers": list(self.answers),
            "answer_groups": [list(g) for g in self.answer_groups],
            "not_answers": list(self.not_answers),
            "gold": gold,
            "tags": dict(self.tags),
        }
        return {name: value for name, value in full.items() if value not in ("", None, [], {})}


class CaseFile(NamedTuple):
    """What a file holds: cases, what is wrong with it, and the names in it that nothing reads."""

    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]
    unknown: tuple[str, ...]


def read_cases(file: Path) -> tuple[Case, ...]:
    """Read the cases of a JSONL or CSV file. Raises UserError naming every line that cannot be used."""
    read = inspect_cases(file)
    if read.problems:
        shown = [str(p) for p in read.problems[:_SHOWN_PROBLEMS]]
        more = len(read.problems) - len(shown)
        raise UserError("\n".join([*shown, *([f"... and {more} more"] if more else [])]))
    if not read.cases:
        raise UserError(f"{file}: no case in it: expected one JSON object a line, or CSV with a `question` column.")
    return read.cases


def inspect_cases(file: Path) -> CaseFile:
    """Read a file without raising for its content: what is wrong is listed."""
    try:
        content = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: not UTF-8 text (byte {error.start}).") from None
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror}.") from None
    reading = _csv_rows(content, file) if file.suffix.lower() in {".csv", ".tsv"} else _jsonl_rows(content, file)
    cases: list[Case] = []
    problems: list[Problem] = []
    unknown: dict[str, None] = {}
    first: dict[str, int] = {}
    for line, row in reading:
        if isinstance(row, Problem):
            problems.append(row)
            continue
        unknown.update(dict.fromkeys(name for name in row if name not in _FIELDS))
        try:
            case = case_of(row, line)
        except ValueError as error:
            problems.append(Problem(str(file), line, str(error)))
            continue
        if case.id in first:
            problems.append(Problem(str(file), line, f"id {case.id!r} stands on line {first[case.id]} already"))
            continue
        first[case.id] = line
        cases.append(case)
    return CaseFile(tuple(cases), tuple(problems), tuple(unknown))


def case_of(row: Mapping[str, Any], line: int = 0) -> Case:
    """One case from plain data. Raises ValueError saying what was expected.

    >>> case_of({"question": "How many?", "answer": "300"}).answers
    ('300',)
    """
    question = _first(row, _QUESTION)
    if not isinstance(question, str) or not question.strip():
        raise ValueError("expected `question`: a text")
    language = row.get("language") or ""
    if language and (not isinstance(language, str) or language[:2].lower() not in LANGUAGES):
        raise ValueError(f"language {language!r} is none of {', '.join(LANGUAGES)}")
    answers = _texts(_first(row, _ANSWERS), "answers")
    groups = _groups(row.get("answer_groups"))
    gold = tuple(g for entry in _list(row.get("gold"), "gold") for g in _gold(entry))
    answerable = _answerable(row.get("answerable"))
    if answerable is None and (answers or groups or gold):
        answerable = True
    history = tuple(_message(m) for m in _list(row.get("history"), "history"))
    return Case(
        id=_identity(row.get("id"), question, language, history),
        question=question.strip(),
        language=language[:2].lower(),
        history=history,
        answerable=answerable,
        answers=answers,
        answer_groups=groups,
        not_answers=_texts(row.get("not_answers"), "not_answers"),
        gold=gold,
        tags=_tags(row),
        line=line,
    )


def write_cases(cases: Iterable[Case], file: Path) -> None:
    """Write cases as JSONL; reading the file gives the same cases."""
    lines = [json.dumps(c.to_json(), ensure_ascii=False) + "\n" for c in cases]
    file.write_text("".join(lines), encoding="utf-8")


def sample(cases: Sequence[Case], number: int) -> tuple[Case, ...]:
    """Choose about `number` cases, of each kind, language and answerability as many as its share, in their order.

    Groups (a question in two languages) stay whole. Which are chosen follows from their names alone: the same
    file gives the same cases, and a new case moves few of them.
    """
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.group, []).append(case)
    strata: dict[tuple[object, ...], list[str]] = {}
    for name, members in groups.items():
        languages = tuple(sorted({c.spoken for c in members}))
        strata.setdefault((members[0].tags.get("kind"), members[0].answerable, languages), []).append(name)
    share = min(1.0, number / max(1, len(cases)))
    chosen: set[str] = set()
    due = 0.0
    for _, names in sorted(strata.items(), key=lambda item: (len(item[1]), str(item[0]))):
        due += share * len(names)  # what one stratum lacks of a whole group, the next gets
        part = round(due)
        due -= part
        chosen.update(sorted(names, key=lambda n: hashlib.sha256(n.encode()).digest())[:part])
    return tuple(c for c in cases if c.group in chosen)


def digest(cases: Sequence[Case]) -> str:
    """One short name for a set of cases in its order: the same cases, the same name."""
    canonical = "\n".join(json.dumps(c.to_json(), sort_keys=True) for c in cases)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _jsonl_rows(content: str, file: Path) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            yield number, Problem(str(file), number, f"not JSON: {error.msg} at column {error.colno}")
        except RecursionError:
            yield number, Problem(str(file), number, "not JSON: nested too deeply")
        else:
            if "\\ud" in line.lower() and re.search("[\ud800-\udfff]", json.dumps(row, ensure_ascii=False)):
                yield number, Problem(str(file), number, "half of a surrogate pair is not a character")
            elif isinstance(row, dict):
                yield number, row
            else:
                yield number, Problem(str(file), number, f"expected an object, got {type(row).__name__}")


def _csv_rows(content: str, file: Path) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
    header = content.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(content), delimiter=delimiter, strict=True)
    names = [n.strip() for n in next(reader, [])]
    if not set(names) & set(_QUESTION):
        yield 1, Problem(str(file), 1, f"expected a column `question`, got {', '.join(names)}")
        return
    line = reader.line_num + 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, Problem(str(file), line, f"not CSV: {error}")
            return
        if len(cells) > len(names):
            yield line, Problem(str(file), line, f"{len(cells)} cells for {len(names)} columns")
        elif any(cell.strip() for cell in cells):
            yield line, _csv_row(dict(zip(names, cells, strict=False)))
        line = reader.line_num + 1


def _csv_row(cells: Mapping[str, str]) -> dict[str, Any]:
    """Cells that hold JSON are read as JSON, `a | b` as a list; columns `tags.kind` are tags."""
    row: dict[str, Any] = {}
    tags: dict[str, str] = {}
    for name, cell in cells.items():
        text = cell.strip()
        if not text:
            continue
        if name.startswith("tags."):
            tags[name.removeprefix("tags.")] = text
        elif name in _QUESTION or name == "id":
            row[name] = text
        elif text[0] in "[{":
            try:
                row[name] = json.loads(text)
            except json.JSONDecodeError:
                row[name] = text
        elif name in (*_ANSWERS, "not_answers"):
            row[name] = [part.strip() for part in text.split(" | ")]
        else:
            row[name] = text
    if tags:
        row["tags"] = {**row.get("tags", {}), **tags}
    return row


def _first(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((row[n] for n in names if row.get(n) not in (None, "")), None)


def _list(value: object, name: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"expected `{name}`: a list, got {type(value).__name__}")
    return value


def _texts(value: object, name: str) -> tuple[str, ...]:
    if value is None:
        return ()
    found = value if isinstance(value, list) else [value]
    for text in found:
        if isinstance(text, bool) or not isinstance(text, (str, int, float)) or not str(text).strip():
            raise ValueError(f"expected `{name}`: texts, got {text!r}")
    return tuple(dict.fromkeys(str(text).strip() for text in found))


def _groups(value: object) -> tuple[tuple[str, ...], ...]:
    groups = [_texts(g, "answer_groups") for g in _list(value, "answer_groups")]
    if not all(groups):
        raise ValueError("expected `answer_groups`: lists of texts, got an empty one")
    return tuple(groups)


def _gold(entry: object) -> list[Gold]:
    """List the places an entry names: `quotes` (lists of sentences) gives each once."""
    if isinstance(entry, str):
        entry = {"doc": entry}
    if not isinstance(entry, dict):
        raise ValueError(f"expected `gold`: objects with `doc`, got {type(entry).__name__}")
    doc = entry.get("doc", entry.get("doc_id"))
    if not isinstance(doc, (str, int)) or not str(doc).strip():
        raise ValueError("expected `gold` with a `doc`: the id of an article")
    grade, start, end = entry.get("grade", 1), entry.get("start", -1), entry.get("end", -1)
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in (grade, start, end)):
        raise ValueError("expected `gold` with whole numbers for `start`, `end` and `grade`")
    if (start, end) != (-1, -1) and not 0 <= start < end:
        raise ValueError(f"gold {doc!r}: range {start}:{end} is empty or outside")
    quotes = entry.get("quotes")
    if quotes is None:
        quote = entry.get("quote", "")
        if not isinstance(quote, str):
            raise ValueError(f"gold {doc!r}: expected `quote`: a text")
        return [Gold(str(doc), quote, start, end, grade)]
    flat = dict.fromkeys(q for group in quotes for q in (group if isinstance(group, list) else [group]))
    if not all(isinstance(q, str) for q in flat):
        raise ValueError(f"gold {doc!r}: expected `quotes`: texts")
    return [Gold(str(doc), q, grade=grade) for q in flat]


def _message(entry: object) -> Message:
    if isinstance(entry, dict):
        content = entry.get("content", entry.get("text"))
        if entry.get("role") in ("user", "assistant") and isinstance(content, str):
            return Message(entry["role"], content)
    raise ValueError('expected `history`: objects like {"role": "user" or "assistant", "content": "..."}')


def _answerable(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if str(value).strip().lower() in _YES:
        return True
    if str(value).strip().lower() in _NO:
        return False
    raise ValueError(f"expected `answerable`: true or false, got {value!r}")


def _tags(row: Mapping[str, Any]) -> dict[str, str]:
    tags = row.get("tags") or {}
    if not isinstance(tags, dict):
        raise ValueError(f"expected `tags`: an object, got {type(tags).__name__}")
    plain = {str(k): _scalar(v) for k, v in tags.items() if v is not None}
    if row.get("group") is not None:
        plain["group"] = _scalar(row["group"])
    return plain


def _scalar(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _identity(value: object, question: str, language: str, history: Sequence[Message]) -> str:
    if value is None or value == "":
        key = json.dumps([question, language, [list(m) for m in history]])
        return hashlib.sha256(key.encode()).hexdigest()[:12]
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(f"expected `id`: a text, got {value!r}")
    return str(value)
