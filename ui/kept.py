"""Conversations as the browser keeps them: each answer as the contract's JSON, read back over the corpus of today."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rag.answer import Answer
from rag.chat import MAX_CHARACTERS, Chatbot
from rag.corpus import KINDS, Source
from rag.evidence import Citation, Claim, Conflict, Statement
from rag.filter import Filter
from rag.text import LANGUAGES, Language

LONGEST_THREAD = 50
_LEFT_OUT = ("passages", "timings_ms")


def keep(answer: Answer) -> str:
    """Write what the browser keeps of an answer."""
    kept = {name: value for name, value in answer.to_json().items() if name not in _LEFT_OUT}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def read_kept(text: str, bot: Chatbot) -> list[tuple[int, Answer]]:
    """Read a conversation that a browser kept, a JSON list of what `keep` wrote: its last answers, by turn.

    What is no answer is left out.
    """
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        return []
    answers = []
    if not isinstance(entries, list):
        return []
    first = max(0, len(entries) - LONGEST_THREAD)
    for turn, entry in enumerate(entries[first:], first + 1):
        try:
            answers.append((turn, answer_of(entry, bot)))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            continue
    return answers


def answer_of(kept: Mapping[str, Any], bot: Chatbot) -> Answer:
    """Read one kept answer. Raises KeyError, TypeError, ValueError, AttributeError or IndexError for what is none."""
    language = language_of(kept["language"])
    citations = [_citation(c, bot) for c in kept["citations"]]
    return Answer(
        str(kept["question"])[:MAX_CHARACTERS],
        language,
        claims=tuple(
            Claim(str(c["text"]), tuple(citations[int(n) - 1] for n in c["citations"]), str(c["verdict"]))
            for c in kept["claims"]
        ),
        note=str(kept.get("note", "")) if kept["claims"] else str(kept["text"]),
        closest=tuple(_citation(c, bot) for c in kept.get("closest", ())),
        conflicts=tuple(
            Conflict(
                str(c["about"]),
                str(c["reason"]),
                tuple(
                    Statement(str(s["text"]), str(s["as_of"]), citations[int(s["citation"]) - 1])
                    for s in c["statements"]
                ),
            )
            for c in kept["conflicts"]
        ),
        missing=_strings(kept["missing"]),
        suggestions=_strings(kept["suggestions"]),
        standalone_question=str(kept["standalone_question"]),
        confidence=float(kept["confidence"]),
        mode=str(kept["mode"]),
        index_version=str(kept["index_version"]),
        within=Filter.read(kept.get("filter") or {}),
        excluded=int(kept.get("excluded", 0)),
        sides=tuple(_side(row, citations) for row in (kept.get("table") or {}).get("rows", ())),
    )


def language_of(code: object) -> Language:
    """Give the language of a code, English for any other."""
    return next((x for x in LANGUAGES if x == code), LANGUAGES[0])


def _side(row: Mapping[str, Any], citations: Sequence[Citation]) -> tuple[str, Citation | None]:
    cell = row["cells"][0]
    return str(row["name"]), citations[int(cell["citation"]) - 1] if cell else None


def _strings(values: Sequence[Any]) -> tuple[str, ...]:
    return tuple(str(v) for v in values)


def _citation(kept: Mapping[str, Any], bot: Chatbot) -> Citation:
    """Cite the corpus where it still has these words there; else what was kept, whose mark then says so."""
    start, end, quote = int(kept["start"]), int(kept["end"]), str(kept["quote"])
    article = bot.article(str(kept["article"]))
    if article is not None and 0 <= start < end and article.text[start:end] == quote:
        return Citation.of(article, start, end)
    return Citation(
        str(kept["article"]),
        str(kept["title"]),
        language_of(kept["language"]),
        str(kept["heading"]),
        start,
        end,
        quote,
        tuple(_source(s) for s in kept["sources"]),
    )


def _source(kept: Mapping[str, Any]) -> Source:
    kind = str(kept["kind"])
    return Source(
        id=str(kept["id"]),
        publisher=str(kept["publisher"]),
        title=str(kept["title"]),
        issued=str(kept["issued"]),
        url=str(kept["url"]),
        kind=kind if kind in KINDS else "other",
    )
