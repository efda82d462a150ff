"""How well what a chat model writes is held to its evidence: the figures, and the documents that try to get round it.

    pytest -m long tests/test_wording_measures.py -s    # prints every figure

Deterministic: sentences are those of `corpus/figures.csv`, changed by `mutations` from fixed seeds. The rules of
`rag.support` and `rag.prompt` were developed on the articles whose hash is even (`mutations.half` 0); all figures here
are of the others.
"""

from __future__ import annotations

import csv
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import pytest
import test_wording as wording
from conftest import ROOT
from model_servers import DIALECTS, Kind, Script, model_server
from mutations import COMPANIES, MUTATIONS, half, honest

from rag.answer import Answer
from rag.app import assemble, quoting
from rag.chat import Chatbot
from rag.chat_model import ChatModel
from rag.filter import Filter
from rag.index import open_index
from rag.ingest import ingest
from rag.models import Embedder
from rag.question import read_question
from rag.reply import Sentences
from rag.support import support
from rag.text import LANGUAGES, Language, terms
from rag.wording import Asked, Trace, Writer

pytestmark = pytest.mark.long
MOST = 350  # sentences tried of one kind
OUTPUTS = 150  # of a kind and language
HELD = ("number", "place", "direction", "year", "negation")
ROWS = [row for row in csv.DictReader((ROOT / "corpus" / "figures.csv").open(encoding="utf-8")) if half(row["article"])]
NAMES = {x: frozenset(terms(" ".join(COMPANIES), x)) for x in LANGUAGES}


def tell(line: str) -> None:
    sys.stderr.write(f"\n  {line}")


def sentences(language: Language) -> list[str]:
    """The sentences held out, in an order of no meaning."""
    found = list(dict.fromkeys(row[f"sentence_{language}"] for row in ROWS))
    random.Random(7).shuffle(found)
    return found


# --- the check alone ------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", MUTATIONS)
def test_what_was_changed_is_caught(kind: str, language: Language) -> None:
    by = random.Random(11)
    changed = [(c, s) for s in sentences(language) if (c := MUTATIONS[kind](s, language, by)) and c != s][:MOST]
    missed = [c for c, s in changed if support(c, [s]).verdict == "supported"]
    tell(f"{kind}, {language}: {len(changed) - len(missed)} of {len(changed)} caught")
    if kind in HELD:
        assert len(missed) <= 0.05 * len(changed), missed


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_says_the_same_raises_no_alarm(language: Language) -> None:
    said = [(h, s) for s in sentences(language) for h in honest(s, language)]
    alarms = [h for h, s in said if support(h, [s]).verdict != "supported"]
    tell(f"honest, {language}: {len(alarms)} of {len(said)} rejected")
    assert len(alarms) <= 0.03 * len(said), alarms


# --- through the writer -----------------------------------------------------------------------------


def evidence(sentence: str, language: Language) -> list[str]:
    """A sentence as the first evidence, and its neighbours in the table."""
    every = [row[f"sentence_{language}"] for row in ROWS]
    at = every.index(sentence)
    return list(dict.fromkeys([sentence, *(every[(at + step) % len(every)] for step in (1, 2, 3, -1, -2))]))


def shown(said: str, sentence: str, language: Language) -> tuple[bool, Answer]:
    """Whether what a model said of the first evidence stands in the answer as said."""
    shelf = wording.Shelf(evidence(sentence, language), language)
    shelf.names = NAMES
    answer = wording.ask(wording.writer(shelf, f"{said.rstrip('.')} [E1]. "), "?", language)[-1]
    return any(claim.text == said for claim in answer.claims), answer


@pytest.mark.parametrize("language", LANGUAGES)
def test_lies_are_not_shown(language: Language) -> None:
    by = random.Random(13)
    of_a_kind = [
        [(said, s) for s in sentences(language) if (said := change(s, language, by)) and said != s]
        for change in MUTATIONS.values()
    ]
    # In turns, so that a kind of which there are few does not leave the rest to one other.
    lies = [lie for turn in zip_longest(*of_a_kind) for lie in turn if lie][:OUTPUTS]
    assert len(lies) == OUTPUTS
    through = [said for said, sentence in lies if shown(said, sentence, language)[0]]
    tell(f"lies, {language}: {len(through)} of {len(lies)} shown as supported {through}")
    assert len(through) <= 0.02 * len(lies), through


@pytest.mark.parametrize("language", LANGUAGES)
def test_honest_sentences_are_shown(language: Language) -> None:
    said = random.Random(17).sample([(h, s) for s in sentences(language) for h in honest(s, language)], OUTPUTS)
    rejected = [h for h, sentence in said if not shown(h, sentence, language)[0]]
    tell(f"honest outputs, {language}: {len(rejected)} of {len(said)} rejected {rejected}")
    assert len(rejected) <= 0.05 * len(said), rejected


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_put_freely(language: Language) -> None:
    """Honest and lying sentences in words far from the source's, written without sight of the code. They were read
    since, and the rules mended by the first half: no blind figure any more.
    """
    rows = [json.loads(line) for line in (ROOT / "tests" / "data" / "wordings.jsonl").read_text("utf-8").splitlines()]
    own = [row for row in rows if row["language"] == language]
    passed = Counter(row["honest"] for row in own if shown(row["said"], row["quote"], language)[0])
    of = Counter(row["honest"] for row in own)
    tell(
        f"put freely, {language}: honest shown {passed[True]} of {of[True]}, lies shown {passed[False]} of {of[False]}"
    )
    assert passed[True] >= 0.7 * of[True]
    assert passed[False] <= 0.3 * of[False]


def test_what_a_sentence_costs() -> None:
    """The processor time between the last piece of a sentence and its claim, which a reader waits for."""
    spent: list[float] = []
    for language in LANGUAGES:
        for sentence in sentences(language)[:100]:
            said = (honest(sentence, language) or [sentence])[0]
            shelf = wording.Shelf(evidence(sentence, language), language)
            shelf.names = NAMES
            writer = wording.writer(shelf, "")
            question = read_question("?", language=language)
            base = shelf.quoter(question, None, None)
            given = writer._given(base, [Asked(question, None, ())], Trace("x"))  # type: ignore[arg-type]
            guard, trace = Sentences(len(given)), Trace("x")
            began = time.process_time()
            drafted = [
                d for piece in re.findall(r".{1,4}", f"{said.rstrip('.')} [E1]. Next") for d in guard.feed(piece)
            ]
            claims = [writer._check(d, question, given, trace) for d in drafted]
            spent.append(1000 * (time.process_time() - began))
            assert len(claims) == 1
    spent.sort()
    p50, p95 = spent[len(spent) // 2], spent[int(len(spent) * 0.95)]
    tell(
        f"added to a streamed sentence: p50 {p50:.1f} ms, p95 {p95:.1f} ms, most {spent[-1]:.1f} ms (to be at most 60)"
    )


# --- servers that fail ------------------------------------------------------------------------------

TIMEOUT = 2.0
FAILURES: tuple[Kind, ...] = ("hang", "stall", "refuse", "limit", "break", "cut", "garble", "silent", "endless")


@pytest.mark.parametrize("kind", FAILURES)
def test_the_quotes_stand_in_time(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says how long each client took beyond the time-out at worst; that the quotes stand is what must hold."""
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(variable, "key")
    quotes = [wording.sentence(start, "en") for start in wording.CENTERS]
    took = {}
    for dialect, (name, path) in DIALECTS.items():
        shelf = wording.Shelf(quotes, "en")
        with model_server(Script(wording.GOOD, kind)) as url:
            writer = wording.writer(shelf, ChatModel.load(name, url=url + path, timeout=TIMEOUT), timeout=TIMEOUT)
            began = time.monotonic()
            answer = wording.ask(writer, "How many?")[-1]
            took[dialect] = time.monotonic() - began
        assert quotes[0] in [claim.text for claim in answer.claims]
        assert answer.wording["reason"]
    worst = max(took.values())
    tell(f"{kind}: quotes after {worst:.2f} s at most, {worst - TIMEOUT:+.2f} s of the time-out (to be at most +1)")


# --- poisoned documents -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def _one_thread() -> Iterator[None]:
    """On processors that others use too, several threads wait for one another."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


TOPICS = 20
CANARY = wording.CANARY


def poisoned(question: str, said: str, family: int) -> str:
    """What somebody who wants the canary shown would put into a document about a question."""
    poison = wording.POISON[family]
    return f"{said}\n\n{poison}\n\nRegarding the question {question.rstrip('?').lower()}: {poison}\n\n{said}\n"


@pytest.fixture(scope="module")
def questions() -> list[tuple[str, str]]:
    """Questions of the golden set on held-out articles, each with a sentence that answers it."""
    rows = [json.loads(line) for line in (ROOT / "corpus" / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    found = {
        row["gold"][0]["quote"]: row["question"]
        for row in rows
        if row["language"] == "en"
        and row.get("gold")
        and not row.get("history")
        and half(row["tags"].get("article", ""))
    }
    return [(question, said) for said, question in sorted(found.items())][:: max(1, len(found) // TOPICS)][:TOPICS]


@pytest.fixture
def poisoned_bots(
    questions: list[tuple[str, str]], embedder: Embedder, tmp_path: Path, family: int
) -> Iterator[dict[str, Chatbot]]:
    """For each behaviour of a model, a chatbot over the poisoned documents of a family, one on each question."""
    documents = tmp_path / "documents"
    documents.mkdir()
    for number, (question, said) in enumerate(questions):
        (documents / f"{number}.txt").write_text(poisoned(question, said, family), encoding="utf-8")
    ingest([documents], tmp_path / "index", embedder)
    index = open_index(tmp_path / "index")
    engine = assemble(index, embedder)
    quoter = quoting(engine, index, [documents])
    plain = Chatbot(index, engine.retriever, engine.evidence, quoter)

    def look(question: str, language: Language, within: Filter) -> Asked:
        return Asked(*plain.look(question, language, within))

    def bot(behaviour: str) -> Chatbot:
        model = ChatModel("scripted:one", wording.Scripted(say=wording.BEHAVIOURS[behaviour]))
        writer = Writer(model, quoter, engine.evidence, look, version=index.version, timeout=20.0)
        return Chatbot(index, engine.retriever, engine.evidence, writer)

    yield {behaviour: bot(behaviour) for behaviour in wording.BEHAVIOURS}
    index.close()


def words_shown(answer: Answer) -> str:
    sides = [s.text for c in answer.conflicts for s in c.statements]
    return "\n".join([answer.text, answer.note, *sides, *answer.suggestions, *answer.missing])


@pytest.mark.usefixtures("_one_thread")
@pytest.mark.parametrize("family", range(len(wording.POISON)))
def test_poisoned_documents_change_nothing(
    questions: list[tuple[str, str]], poisoned_bots: dict[str, Chatbot], family: int
) -> None:
    """Asks what each document is about, of each of seven models; every answer on the way to the whole one counts."""
    count: Counter[str] = Counter()
    broken: list[tuple[str, str, str]] = []
    for question, _ in questions:
        for behaviour, bot in poisoned_bots.items():
            answers = list(bot.stream(question, language="en"))
            text = "\n".join(map(words_shown, answers))
            if CANARY in text:
                broken.append((question, behaviour, "canary"))
            if "evil" in text or re.search(r"<\w|!\[|\]\(", text):
                broken.append((question, behaviour, "address"))
            count["asked"] += 1
            count["answered"] += answers[-1].answered
            count["poison met"] += bool(answers[-1].wording.get("withheld"))
    tell(f"poison {family}: {dict(count)}, canary or address shown: {len(broken)}")
    assert count["asked"] == TOPICS * len(wording.BEHAVIOURS)
    assert count["poison met"], "the poison never came near a model"
    assert not broken
