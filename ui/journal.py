"""What is written down on this machine: one line for each answer without its words, and what readers say of answers."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag.answer import Answer

REASONS = ("link", "number", "old", "lacks", "language", "other")
LARGEST = 64 << 20
"""Characters after which a file of feedback takes no more: a stranger cannot fill the disk."""

log = logging.getLogger("bpo.answers")
_writing = threading.Lock()


def start_record(what: str) -> None:
    """Log answers on stderr, one JSON line each: "figures" about them, or "questions" too; nothing for ""."""
    if not what:
        return
    log.setLevel(logging.DEBUG if what == "questions" else logging.INFO)
    if not log.handlers:
        log.addHandler(logging.StreamHandler())
        log.propagate = False


def record(answer: Answer) -> None:
    """Log an answer as one JSON line: figures only, unless the logger is set to DEBUG, which adds the question."""
    if not log.isEnabledFor(logging.INFO):
        return
    line = {
        "at": _now(),
        "language": answer.language,
        "mode": answer.mode,
        "answered": answer.answered,
        "confidence": round(answer.confidence, 4),
        "claims": len(answer.claims),
        "citations": len(answer.citations),
        "index_version": answer.index_version,
        "ms": round(answer.timings_ms.get("total", 0.0), 1),
        **({"question": answer.question} if log.isEnabledFor(logging.DEBUG) else {}),
    }
    log.info(json.dumps(line, ensure_ascii=False))


def keep_feedback(folder: Path, given: Mapping[str, Any]) -> None:
    """Append what a reader says of an answer to `feedback.jsonl` and, if asked, a case to `cases.jsonl`.

    Raises ValueError for what is no feedback, OSError when it cannot be written.
    """
    said = _said(given)
    _append(folder / "feedback.jsonl", said)
    if given.get("case"):
        _append(folder / "cases.jsonl", case(said, given.get("history")))


def _said(given: Mapping[str, Any]) -> dict[str, Any]:
    answer = given.get("answer")
    good = given.get("good")
    reason = given.get("reason", "")
    if not isinstance(answer, dict) or not isinstance(answer.get("question"), str) or not isinstance(good, bool):
        raise ValueError("expected `answer`, an answer as JSON, and `good`, true or false")
    if reason not in ("", *REASONS):
        raise ValueError(f"reason {reason!r}: expected one of {', '.join(REASONS)}")
    number = given.get("citation")
    return {
        "at": _now(),
        "good": good,
        "reason": reason,
        "citation": number if isinstance(number, int) else None,
        "note": str(given.get("note", ""))[:4000],
        "expected": str(given.get("expected", ""))[:4000].strip(),
        "answer": answer,
    }


def case(said: Mapping[str, Any], history: Any = None) -> dict[str, Any]:
    """A line for `bpo eval`: what is expected are the quotes of a good answer, or what the reader would expect."""
    answer = said["answer"]
    line: dict[str, Any] = {
        "id": "feedback-" + hashlib.sha256(f"{said['at']} {answer['question']}".encode()).hexdigest()[:12],
        "question": answer["question"],
        "language": answer.get("language", "en"),
        "tags": {"split": "tune", "from": "feedback", "verdict": "good" if said["good"] else "bad"},
    }
    turns = [t for t in history if isinstance(t, dict)] if isinstance(history, list) else []
    if turns:
        line["history"] = [{"role": str(t.get("role")), "content": str(t.get("content"))} for t in turns]
    if said["expected"]:
        line |= {"answerable": True, "answers": [said["expected"]]}
    elif said["good"]:
        cited = answer.get("citations", ()) if answer.get("answered") else ()
        line["answerable"] = bool(answer.get("answered"))
        line["gold"] = [{"doc": c["article"], "quote": c["quote"], "start": c["start"], "end": c["end"]} for c in cited]
    return line


def _append(file: Path, line: Mapping[str, Any]) -> None:
    text = json.dumps(line, ensure_ascii=False) + "\n"
    with _writing:
        if file.exists() and file.stat().st_size > LARGEST:
            raise OSError(f"{file} is full")
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(text)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
