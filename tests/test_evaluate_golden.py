"""The golden questions put to the real engine, and the gate of the project's own CI."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from laws import check_laws

import rag.app
import rag.evaluate
from rag.answer import Answer
from rag.chat import Chatbot, Turn
from rag.evaluate.cases import read_cases, sample, write_cases
from rag.evaluate.comparison import compare
from rag.evaluate.gate import hold, read_policy
from rag.evaluate.report import gate_table
from rag.evaluate.run import Run, read_run, run

GOLDEN = ROOT / "tests" / "golden"
ASKED = 150


class Recorded:
    """The product, and every answer that it gave."""

    def __init__(self, bot: Chatbot) -> None:
        self._bot = bot
        self.answers: list[Answer] = []

    def ask(self, question: str, history: Sequence[Turn] = (), **options: Any) -> Answer:
        self.answers.append(self._bot.ask(question, history, **options))
        return self.answers[-1]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bot, name)


@pytest.fixture(scope="module")
def recorded(chatbot: Chatbot) -> Recorded:
    return Recorded(chatbot)


@pytest.fixture(scope="module")
def part(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """About 150 golden questions, of every kind as many as its share."""
    cases = read_cases(ROOT / "corpus" / "questions.jsonl")
    return run(cases, tmp_path_factory.mktemp("golden") / "run", lambda: recorded, sample=ASKED)


def test_the_examples_of_the_documentation_run(
    chatbot: Chatbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = sample(read_cases(ROOT / "corpus" / "questions.jsonl"), 8)
    write_cases(cases, tmp_path / "questions.jsonl")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rag.app, "open_chatbot", lambda settings: chatbot)
    names: dict[str, Any] = {}
    for example in re.findall(r"```python\n(.*?)```", rag.evaluate.__doc__ or "", re.DOTALL):
        exec(example, names)
    assert list(names["frame"].index) == [c.id for c in cases]
    assert "kind" in capsys.readouterr().out
    (asked,) = names["test_it_answers"].pytestmark
    assert [c.id for c in asked.args[1]] == [c.id for c in cases]
    for case, label in zip(cases, names["frame"]["label"], strict=True):
        if label in ("right", "right refusal"):
            names["test_it_answers"](case)
        else:
            with pytest.raises(AssertionError):
                names["test_it_answers"](case)


def test_the_gate_is_open(part: Run) -> None:
    """Renew the baseline with `make baseline` when answers are meant to be others."""
    result = hold(part, read_policy(GOLDEN / "gate.toml"), read_run(GOLDEN / "baseline"))
    assert result.code == 0, "\n".join(gate_table(result))


def test_every_golden_answer_keeps_the_laws(part: Run, recorded: Recorded, chatbot: Chatbot) -> None:
    assert len(recorded.answers) >= len(part.scores)
    for answer in recorded.answers:
        check_laws(chatbot, answer)


def test_every_case_of_the_baseline_is_still_asked() -> None:
    asked = {c.id: c.question for c in read_cases(ROOT / "corpus" / "questions.jsonl")}
    baseline = read_run(GOLDEN / "baseline")
    assert {s.id: s.question for s in baseline.scores}.items() <= asked.items(), "make baseline"


def test_the_real_engine_quotes_exactly_and_says_the_same_again(part: Run, chatbot: Chatbot, tmp_path: Path) -> None:
    assert part.record["failed"] == 0
    assert part.figures["quotes_exact"].value == 1
    assert part.figures["right"].n == len(part.scores)
    assert part.figures["latency.p50"].value is not None
    again = run(sample(read_cases(part.folder / "cases.jsonl"), 15), tmp_path / "again", lambda: chatbot)
    found = compare(part.scores, again.scores)
    assert found.worse == found.better == ()
