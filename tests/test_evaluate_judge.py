"""A batch with a chat model: so many questions at once, continued where it stopped, judged by another model if wanted."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import ROOT
from evaluating import cases, laws, opener
from hypothesis import given
from hypothesis import strategies as st
from model_servers import Kind, Script, model_server

from rag.chat import Chatbot
from rag.chat_model import ChatModel
from rag.evaluate import judge as judge_
from rag.evaluate.asking import together
from rag.evaluate.cases import read_cases, sample
from rag.evaluate.judge import judge, kappa, read
from rag.evaluate.report import to_html, to_markdown
from rag.evaluate.run import Run, read_lines, run
from rag.filter import Filter
from rag.wording import Asked, Writer

RIGHT = '{"sentences": ["yes"], "right": "yes"}'


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key")


@pytest.fixture
def done(tmp_path: Path) -> Run:
    return run(cases(), tmp_path / "run", opener())


def judged(done: Run, script: Script, **options: int) -> dict[str, judge_.Figure]:
    with model_server(script) as url:
        return judge(done, ChatModel.load("openai:judge", url=f"{url}/v1", timeout=20), **options)


# --- so many at once ----------------------------------------------------------------------------


@laws
@given(st.lists(st.integers(), max_size=30), st.integers(1, 8))
def test_everything_is_asked_once(given_: list[int], parallel: int) -> None:
    assert sorted(together(lambda x: x, given_, parallel)) == sorted(given_)


def test_never_more_at_once_than_allowed() -> None:
    meeting, counting = threading.Barrier(3), threading.Lock()
    now: list[int] = []
    most = [0]

    def ask(number: int) -> int:
        with counting:
            now.append(number)
            most[0] = max(most[0], len(now))
        meeting.wait(60)  # three are asked at once, or none goes on
        with counting:
            now.remove(number)
        return number

    assert sorted(together(ask, range(12), 3)) == list(range(12))
    assert most == [3]


def test_a_run_does_not_depend_on_how_many_are_asked_at_once(tmp_path: Path) -> None:
    one, several = (run(cases(), tmp_path / str(n), opener(), parallel=n) for n in (1, 4))
    assert [s.label for s in one.scores] == [s.label for s in several.scores]
    assert [r["id"] for r in read_lines(several.folder / "answers.jsonl")] == [c.id for c in cases()]


def test_answers_of_a_model_are_continued_where_they_stopped(chatbot: Chatbot, tmp_path: Path) -> None:
    """Through the client and protocol of a real provider, three questions at once."""
    chosen = sample(read_cases(ROOT / "corpus" / "questions.jsonl"), 8)
    counting = threading.Lock()
    now, most = [0], [0]

    def say(system: str, user: str) -> str:
        with counting:
            now[0] += 1
            most[0] = max(most[0], now[0])
        found = re.search(r"^E1: (.*)$", user, re.MULTILINE)
        with counting:
            now[0] -= 1
        return f"{found[1].rstrip('.')} [E1]." if found and system.startswith("You word") else "Nothing."

    index, evidence = chatbot._index, chatbot._evidence
    script = Script(say)
    with model_server(script) as url:
        model = ChatModel.load("openai:test", url=f"{url}/v1", timeout=60)
        engine_quoter = chatbot._answerer

        def look(question: str, language: judge_.Any, within: Filter) -> Asked:
            return Asked(*chatbot.look(question, language, within))

        writer = Writer(model, engine_quoter, evidence, look, version=index.version, timeout=60.0)
        bot = Chatbot(index, chatbot._retriever, evidence, writer)
        whole = run(chosen, tmp_path / "run", lambda: bot, parallel=3)
        asked = len(script.asked)
        rows = read_lines(whole.folder / "answers.jsonl")
        worded = [row["id"] for row in rows if row["wording"].get("calls")]
        assert worded
        assert most[0] <= 3
        assert whole.record["wording"]["calls"] == asked
        (whole.folder / "answers.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in rows if row["id"] != worded[0]) + '{"id": "torn', encoding="utf-8"
        )
        again = run(chosen, tmp_path / "run", lambda: bot, parallel=2, resume=True)
        calls = next(row["wording"]["calls"] for row in rows if row["id"] == worded[0])
        assert len(script.asked) == asked + calls
    assert [s.label for s in again.scores] == [s.label for s in whole.scores]


# --- a model's opinion --------------------------------------------------------------------------


def test_kappa_is_one_where_all_agree_and_none_where_one_never_differs() -> None:
    assert kappa([(True, True), (False, False)]) == 1.0
    assert kappa([(True, True), (True, True)]) is None
    assert kappa([]) is None


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_kappa_is_symmetrical_and_no_more_than_one(pairs: Sequence[tuple[bool, bool]]) -> None:
    value = kappa(pairs)
    assert value == kappa([(b, a) for a, b in pairs])
    assert value is None or -1.0 <= value <= 1.0


def test_a_model_judges_what_was_answered(done: Run) -> None:
    script = Script(lambda s, u: RIGHT if "300" in u else '{"sentences": ["no"], "right": "no"}')
    figures = judged(done, script)
    claims = {r["id"] for r in read_lines(done.folder / "answers.jsonl") if r["claims"]}
    assert {j.id for j in read(done) if not j.why} == claims
    assert len(script.asked) == len(claims)
    assert [j.id for j in read(done)] == [s.id for s in done.scores]
    assert figures["judge.supported"].n == len(claims)
    assert figures["judge.right"].value == pytest.approx(3 / figures["judge.right"].n)
    # It takes an answer for right that ought to have been a refusal. Ours finds every quote supported: agreement is a share, and beyond chance there is none to speak of.
    assert figures["judge.supported.agreement"].value == figures["judge.supported"].value
    assert figures["judge.supported.kappa"].value in (None, 0.0)
    assert figures["judge.right.kappa"].value is not None
    known = json.loads((done.folder / "metrics.json").read_text(encoding="utf-8"))
    assert known["judge.right"]["value"] == round(figures["judge.right"].value or 0.0, 6)
    assert known["right"] == done.figures["right"].to_json()


def test_the_opinion_is_shown_apart(done: Run) -> None:
    assert "judge" not in to_markdown(done)
    judged(done, Script(RIGHT))
    assert "| Agreement on right beyond chance |" in to_markdown(done).split("What openai:judge says")[1]
    data = json.loads(re.search(r'id="data">(.*?)</script>', to_html(done), re.DOTALL)[1])  # type: ignore[index]
    assert data["judge"]["usage"]["calls"] == len([r for r in data["judge"]["said"].values() if not r["why"]])
    assert not [f for f in data["figures"] if f["name"].startswith("judge")]


def test_only_what_is_missing_is_judged_again(done: Run) -> None:
    one, other = Script(RIGHT), Script(RIGHT)
    judged(done, one)
    lines = (done.folder / judge_.FILE).read_bytes().splitlines(keepends=True)
    torn = next(n for n, line in enumerate(lines) if not json.loads(line)["why"])
    (done.folder / judge_.FILE).write_bytes(b"".join(lines[:torn]) + lines[torn][:20])
    judged(done, other)
    assert 0 < len(other.asked) == len([n for n in range(torn, len(lines)) if not json.loads(lines[n])["why"]])
    assert [j.why for j in read(done)] == [json.loads(line)["why"] for line in lines]


@pytest.mark.parametrize(("kind", "reply", "why"), [
    ("refuse", "", "refused"), ("limit", "", "limit"), ("silent", "", "empty"),
    ("say", "I think that it is right.", "malformed"), ("say", '{"sentences": [], "right": "yes"}', "malformed"),
    ("say", '{"sentences": ["maybe"], "right": "yes"}', "malformed"), ("say", "[1]", "malformed"),
])  # fmt: skip
def test_a_judge_that_fails_is_asked_again_next_time(done: Run, kind: Kind, reply: str, why: str) -> None:
    figures = judged(done, Script(reply, kind))
    said = [j.why for j in read(done)]
    assert why in said
    assert "" not in said
    assert figures["judge.right"].value is None
    assert figures["judge.right"].missing[why] > 0
    again = Script("<think>Hm {</think> Well:\n```json\n" + RIGHT + "\n```")
    judged(done, again, parallel=1)
    assert len(again.asked) == said.count(why)
    assert "" in [j.why for j in read(done)]


def test_a_judge_is_told_no_verdict_and_documents_cannot_speak_as_markup(done: Run) -> None:
    script = Script(RIGHT)
    judged(done, script)
    told = [body["messages"][-1]["content"] for body in script.asked]
    assert all(t.startswith("Question: ") and "\nSentence 1 (quotes 1): " in t for t in told)
    assert not [t for t in told if "<" in t or "right but" in t]
