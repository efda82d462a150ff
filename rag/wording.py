"""Answers worded by a chat model, held to the same law as quotes.

The model is given numbered sentences of the articles and writes sentences that name the numbers; the words that are
cited are copied from the articles by this code. A sentence is shown only after the support check; one that fails is
tied to the evidence that does carry it, replaced by the quote it names, or left out. Whatever happens to the model,
the quoting answer stands.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from rag import words
from rag.answer import Answer, Answerer
from rag.chat_model import ChatModel, ModelFailure, Usage
from rag.conversation import Turn
from rag.evidence import Claim, Evidence
from rag.filter import Filter
from rag.language import language_scores
from rag.models import Vectors
from rag.prompt import (
    COMPOUND,
    LANGUAGE_NAMES,
    REWORD,
    REWRITE,
    RULES,
    SPLIT,
    Given,
    escaped,
    instructs,
    prompt,
    says_nothing_new,
)
from rag.question import Question
from rag.reply import Drafted, Sentences, without_reasoning
from rag.retrieve import Hit
from rag.support import Scorer, Support, support
from rag.text import LANGUAGES, Language

MOST_EVIDENCE = 12  # sentences of the articles that a model is given
MOST_SENTENCES = 8  # sentences of a model that are shown
LONGEST_SENTENCE = 70  # words
REPLY_TOKENS = 800
MOST_KEPT = 50_000_000  # bytes of replies kept on disk
_LOOKED_AFTER = "0"  # first digit of the name of a kept reply after which the folder is pruned: one in sixteen
_CHARACTERS = 3.5  # of a token, in English and Spanish; on the safe side
_PATIENCE = 4  # times the time-out: what a whole answer may take
_PARTS = 3
_ACCENT = 0.2  # of the words: what tells a language apart beyond an accent in a name


class Asked(NamedTuple):
    """A question that was looked up: as read, its vector, its passages."""

    question: Question
    vector: Vectors
    hits: Sequence[Hit]


Look = Callable[[str, Language, Filter], Asked]


@dataclass
class Trace:
    """What a model did for one answer: for the reader's note, the trace and the totals of a batch."""

    model: str
    reason: str = ""
    detail: str = ""
    cached: bool = False
    rewritten: str = ""
    parts: tuple[str, ...] = ()
    evidence: int = 0
    withheld: int = 0
    passed: int = 0
    shown: int = 0
    recited: int = 0
    replaced: int = 0
    left_out: int = 0
    failed: list[dict[str, Any]] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        counts = ("evidence", "withheld", "passed", "shown", "recited", "replaced", "left_out")
        return {
            "model": self.model,
            "reason": self.reason,
            "detail": self.detail,
            "cached": self.cached,
            "rewritten": self.rewritten,
            "parts": list(self.parts),
            **{name: getattr(self, name) for name in counts},
            "failed": self.failed,
            **self.usage.to_json(),
        }


class Writer:
    """Answers in the words of a chat model where they pass, and in quotes where they do not."""

    def __init__(
        self,
        model: ChatModel,
        quoter: Answerer,
        evidence: Evidence,
        look: Look,
        *,
        version: str,
        timeout: float = 8.0,
        calls: int = 3,
        tokens: int = 6000,
        cache: Path | None = None,
        scorer: Scorer | None = None,
    ) -> None:
        model.make_room(tokens)
        self._model = model
        self._quoter = quoter
        self._evidence = evidence
        self._look = look
        self._version = version
        self._timeout = timeout
        self._calls = calls
        self._tokens = tokens
        self._cache = cache
        self._scorer = scorer

    def describe(self) -> dict[str, str]:
        """Which model words the answers, and the server that prompts go to ("" for none)."""
        return {"model": self._model.name, "model_at": self._model.where}

    def __call__(self, question: Question, vector: Vectors, hits: Sequence[Hit]) -> Answer:
        """The whole answer at once."""
        *_, answer = self.stream(question, vector, hits)
        return answer

    def stream(
        self,
        question: Question,
        vector: Vectors,
        hits: Sequence[Hit],
        *,
        asked: str = "",
        history: Sequence[Turn] = (),
    ) -> Iterator[Answer]:
        """The answer as it grows, sentence by checked sentence; the last one is whole, with its note and trace.

        `asked` and `history` are the question as typed and the turns before it: then the model may rewrite it.
        """
        trace = Trace(self._model.name)
        clock = _Clock(self._timeout)
        first = Asked(question, vector, hits)
        first = self._rewritten(first, asked, history, trace, clock)
        base, lookups = self._quoted(first, trace, clock)
        base = replace(base, standalone_question=trace.rewritten)
        if not base.answered:
            yield replace(base, wording=trace.to_json())
            return
        given = self._given(base, lookups, trace)
        claims: list[Claim] = []
        try:
            for claim in self._write(first.question, given, trace, clock):
                claims.append(claim)
                yield replace(base, claims=tuple(claims), conflicts=(), suggestions=(), mode="model")
            if not claims and not trace.reason:
                trace.reason = "unsupported" if trace.left_out else "empty"
        except ModelFailure as failure:
            trace.reason, trace.detail = failure.reason, failure.detail or trace.detail
        yield self._finished(base, claims, given, trace)

    # --- the question -------------------------------------------------------------------------

    def _rewritten(self, first: Asked, asked: str, history: Sequence[Turn], trace: Trace, clock: _Clock) -> Asked:
        """A follow-up as the model understands it, if that says nothing that the conversation did not."""
        if not history or not asked:
            return first
        talk = "\n".join(f"User: {t.question[:500]}\nAssistant: {t.answer[:500]}" for t in history[-4:])
        lines = self._plan(REWRITE, f"{talk}\nUser: {asked}", trace, clock)
        spoken = first.question.language
        known = f"{talk}\n{asked}\n{first.question.text}"
        if not lines or not says_nothing_new(lines[0], known, spoken):
            return first
        trace.rewritten = lines[0]
        return self._within(first, lines[0]) if lines[0] != first.question.text else first

    def _within(self, first: Asked, line: str) -> Asked:
        """Look a question up that the model wrote, and let it rest on no more than the asker lets his own."""
        return self._look(line, first.question.language, first.question.within)

    def _quoted(self, first: Asked, trace: Trace, clock: _Clock) -> tuple[Answer, list[Asked]]:
        """The quoting answer, and every look-up that was made for it: of the parts of a question that has parts,
        or once more in other words when the first found too little.
        """
        base = self._quoter(*first)
        lookups = [first]
        compound = bool(COMPOUND.search(first.question.text))
        thin = not base.answered and not base.missing and len(first.question.text.split()) > 2
        if not compound and not thin:
            return base, lookups
        lines = self._plan(SPLIT if compound else REWORD, first.question.text, trace, clock)
        spoken = first.question.language
        parts = [line for line in lines if says_nothing_new(line, first.question.text, spoken)][:_PARTS]
        trace.parts = tuple(parts)
        for part in parts:
            found = self._within(first, part)
            answer = self._quoter(*found)
            if not answer.answered:
                continue
            lookups.append(found)
            if not base.answered:
                base = replace(answer, question=base.question)
            else:
                new = [c for c in answer.claims if c not in base.claims]
                conflicts = dict.fromkeys((*base.conflicts, *answer.conflicts))
                base = replace(base, claims=(*base.claims, *new), conflicts=tuple(conflicts))
        return base, lookups

    def _plan(self, task: str, text: str, trace: Trace, clock: _Clock) -> list[str]:
        """Lines that the model writes for a task about the question; none when it fails or time or calls run out."""
        if trace.usage.calls + 2 > self._calls or not self._fits(task, text):
            return []
        file = self._file(task, text)
        said = _recall(file) or ""
        if not said:
            try:
                said = self._planned(task, text, trace, clock)
            except ModelFailure as failure:
                trace.detail = f"planning: {failure}"
                return []
            _remember(file, said)
        lines = [
            re.sub(r"^\W*(?:\d+[.)]\s*)?(?=[¿\w])", "", line).strip() for line in without_reasoning(said).splitlines()
        ]
        return [line for line in lines if 8 <= len(line) <= 300 and line.endswith("?")]

    def _planned(self, task: str, text: str, trace: Trace, clock: _Clock) -> str:
        """What the model writes for a task, cut where it goes on for too long. Raises ModelFailure."""
        reply, said = self._model.stream(task, escaped(text)), ""
        try:
            while piece := reply.read(clock.half_left()):
                said += piece
                if len(said) > REPLY_TOKENS * 8:
                    break
        finally:
            reply.close()
            trace.usage.add(self._model.settle(reply, len(task) + len(text), len(said)))
        return said

    # --- the evidence -------------------------------------------------------------------------

    def _given(self, base: Answer, lookups: Sequence[Asked], trace: Trace) -> list[Given]:
        """What the model may cite, most useful first: what the quoting answer quotes, then the next candidates."""
        found: dict[tuple[str, int, int], Given] = {}
        ranked = [[c for c in self._evidence.candidates(*asked) if c.stated] for asked in lookups]
        for candidate in (c for row in ranked for c in row):
            found[candidate.article.id, candidate.sentence.start, candidate.sentence.end] = Given(
                candidate.article, candidate.sentence, candidate.number
            )
        quoted = [(c.article, c.start, c.end) for claim in base.claims for c in claim.citations]
        level = [key for rank in range(max((len(r) for r in ranked), default=0)) for r in ranked if rank < len(r)
                 for c in (r[rank],) for key in [(c.article.id, c.sentence.start, c.sentence.end)]]  # fmt: skip
        order = [found[key] for key in dict.fromkeys([*quoted, *level]) if key in found]
        clean = [g for g in order if not instructs(g.quote)]
        trace.withheld = len(order) - len(clean)
        kept = clean[:MOST_EVIDENCE]
        while kept and not self._fits(RULES, prompt(lookups[0].question, kept)):
            kept.pop()
        trace.evidence = len(kept)
        return kept

    def _fits(self, rules: str, told: str) -> bool:
        """Whether a prompt and its reply stay within the tokens of a call and the model's window."""
        room = min(self._tokens, self._model.window or self._tokens) - REPLY_TOKENS
        return len(rules + told) / _CHARACTERS <= room

    # --- the answer ---------------------------------------------------------------------------

    def _write(self, question: Question, given: list[Given], trace: Trace, clock: _Clock) -> Iterator[Claim]:
        """The sentences of the model that may be shown, in order. Raises ModelFailure."""
        if not given:
            raise ModelFailure("failed", "no sentence may be sent, or none fits into BPO_CHAT_TOKENS")
        shown: set[str] = set()
        guard = Sentences(len(given))
        for drafted in self._drafts(question, given, guard, trace, clock):
            claim = self._check(drafted, question, given, trace)
            if claim is None or claim.text in shown:
                continue
            shown.add(claim.text)
            trace.shown += 1
            yield claim
            clock.restart()  # what a reader took is not the model's
            if trace.shown >= MOST_SENTENCES:
                return

    def _drafts(
        self, question: Question, given: Sequence[Given], guard: Sentences, trace: Trace, clock: _Clock
    ) -> Iterator[Drafted]:
        rules = RULES.replace("{language}", LANGUAGE_NAMES[question.language])
        told = prompt(question, given)
        file = self._file(rules, told)
        kept = _recall(file)
        if kept is not None:
            trace.cached = True
            yield from guard.feed(kept)
            yield from guard.end()
            return
        reply = self._model.stream(rules, told)
        said = ""
        try:
            while piece := reply.read(clock.left()):
                said += piece
                if len(said) > REPLY_TOKENS * 8:
                    raise ModelFailure("endless")
                yield from guard.feed(piece)
            yield from guard.end()
            _remember(file, said)
        finally:
            reply.close()
            trace.usage.add(self._model.settle(reply, len(rules) + len(told), len(said)))

    def _check(self, drafted: Drafted, question: Question, given: Sequence[Given], trace: Trace) -> Claim | None:
        """A sentence of the model as a claim, the quote in its place, or nothing."""
        named = [given[n - 1] for n in drafted.evidence]
        text = _without_addresses(drafted.text, named)
        foreign = _is_foreign(text, question.language)
        fits = len(text.split()) <= LONGEST_SENTENCE and not foreign and bool(text)
        verdict = self._support(text, named, question.language) if named and fits else None
        if verdict is not None and verdict.verdict == "supported":
            trace.passed += 1
            return Claim(text, tuple(dict.fromkeys(g.cite() for g in named)))
        if fits:  # once more against all that was given
            for candidate in given:
                if self._support(text, [candidate], question.language).verdict == "supported":
                    trace.passed += 1
                    trace.recited += 1
                    return Claim(text, (candidate.cite(),))
        failed = [f._asdict() for f in verdict.failed] if verdict else []
        trace.failed.append({"text": text[:500], "evidence": list(drafted.evidence), "checks": failed})
        if named:
            trace.replaced += 1
            return Claim(named[0].quote, (named[0].cite(),))
        trace.left_out += 1
        return None

    def _support(self, text: str, given: Sequence[Given], language: Language) -> Support:
        return support(
            text,
            [g.quote for g in given],
            frame=[part for g in given for part in g.frame() if part],
            names=self._evidence.names[language],
            language=language,
            scorer=self._scorer,
        )

    def _finished(self, base: Answer, claims: Sequence[Claim], given: Sequence[Given], trace: Trace) -> Answer:
        """The whole answer: quotes join what was shown when the model failed or too little of it passed."""
        language = base.language
        bad = trace.replaced + trace.left_out
        if not trace.reason and claims and bad > trace.passed:
            trace.reason = "unsupported"
        notes = [base.note, words.checked(language, trace.replaced, trace.left_out)]
        whole = list(claims)
        if trace.reason:
            quoted = [c for c in base.claims if not instructs(c.text)]
            if not quoted and not claims:  # all that was quoted speaks to a model: the next best does not
                quoted = [Claim(g.quote, (g.cite(),)) for g in given[:1]]
            cited = {c for claim in claims for c in claim.citations if claim.text == c.quote}
            whole += [c for c in quoted if not set(c.citations) <= cited]
            if trace.reason == "unsupported" or not claims:
                notes.pop()  # the reason says it
            notes.append(words.model_failed(language, trace.reason, some=bool(claims)))
        if not whole:  # every sentence that was found speaks to a model: none is evidence
            notes = [words.refusal(language, base.missing, [])]
        mode = "model" if any(c.text != c.citations[0].quote for c in whole) else "quotes"
        return replace(
            base, claims=tuple(whole), note=" ".join(filter(None, notes)), mode=mode, wording=trace.to_json()
        )

    def _file(self, rules: str, told: str) -> Path | None:
        if self._cache is None:
            return None
        key = hashlib.sha256("\0".join((self._model.name, rules, told, self._version)).encode("utf-8", "replace"))
        return self._cache / f"{key.hexdigest()}.txt"


class _Clock:
    """How long the model may still take: the time-out to each next sentence, some times that for the whole."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._end = time.monotonic() + _PATIENCE * timeout
        self._next = time.monotonic() + timeout

    def left(self) -> float:
        return min(self._next, self._end) - time.monotonic()

    def half_left(self) -> float:
        return self.left() - self._timeout / 2

    def restart(self) -> None:
        self._next = time.monotonic() + self._timeout


# --- addresses -----------------------------------------------------------------------------------

_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,12}://|www\.|mailto:)[^\s)\]]+|\b[\w.+-]+@[\w-]+\.[\w.]+"
    r"|(?://)?\b(?:[a-z0-9-]+\.)+[a-z]{2,12}(?::\d+)?(?:/[^\s)\]]*)?(?=$|[\s),;:.\]])",
    re.IGNORECASE,
)
_BRACKETED = re.compile(rf"\s*[(\[]\s*(?:{_ADDRESS.pattern})\s*[)\]]", re.IGNORECASE)


def _is_foreign(text: str, language: Language) -> bool:
    """Whether a sentence is clearly in our other language: a name with an accent does not make it so."""
    scores = language_scores(text)
    own = scores.get(language, 0.0)
    return len(text.split()) >= 5 and any(scores.get(x, 0.0) > own + _ACCENT for x in LANGUAGES if x != language)


def _without_addresses(text: str, named: Sequence[Given]) -> str:
    """A sentence without the addresses in brackets; "" where one is part of what it says.

    Those of a source of the evidence, and those that are words of a quote or of a publisher, may stay.
    """
    known = " ".join(part for g in named for part in (g.quote, *g.frame())).casefold()
    own = {_bare(s.url) for g in named for s in g.cite().sources if s.url}

    def foreign(address: str) -> bool:
        plain = address.rstrip(".,;:")
        return plain.casefold() not in known and _bare(plain) not in own

    def kept(match: re.Match[str]) -> str:
        return "" if foreign(match.group().strip(" ([])")) else match.group()

    left = _BRACKETED.sub(kept, text)
    return "" if any(foreign(m.group()) for m in _ADDRESS.finditer(left)) else left.strip()


def _bare(address: str) -> str:
    return re.sub(r"^(?:[a-z]+://)?(?:www\.)?|[/#]+$", "", address.casefold())


# --- what was said before -------------------------------------------------------------------------


def _recall(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        said = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    with suppress(OSError):
        os.utime(file)
    return said


def _remember(file: Path | None, said: str) -> None:
    """Keep a whole reply, by one rename; a disk that cannot be written costs a call next time, nothing else."""
    if file is None:
        return
    beside = file.with_suffix(f".{os.getpid()}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(said, encoding="utf-8")
        beside.replace(file)
    except OSError:
        beside.unlink(missing_ok=True)
    if file.name.startswith(_LOOKED_AFTER):
        prune(file.parent)


def prune(folder: Path, most: int = MOST_KEPT) -> None:
    """Delete kept replies, those used longest ago first, until no more than `most` bytes are left.

    Other processes may read, write and prune beside this one.
    """
    found: list[tuple[float, str, int]] = []
    for file in folder.glob("*"):
        with suppress(OSError):
            about = file.stat()
            found.append((about.st_mtime, file.name, about.st_size))
    total = sum(size for *_, size in found)
    for _, name, size in sorted(found):
        if total <= most:
            return
        with suppress(OSError):
            (folder / name).unlink()
            total -= size


def totals(wordings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the models of many answers used together, for the record of a batch."""
    sums = {
        name: sum(w.get(name) or 0 for w in wordings)
        for name in ("calls", "input_tokens", "output_tokens", "seconds", "shown", "recited", "replaced", "left_out")
    }
    costs = [w["cost_usd"] for w in wordings if w.get("cost_usd") is not None]
    reasons = [w["reason"] for w in wordings if w.get("reason")]
    return {
        **sums,
        "answers": len(wordings),
        "cost_usd": round(sum(costs), 6) if costs else None,
        "cached": sum(bool(w.get("cached")) for w in wordings),
        "failed": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
    }
