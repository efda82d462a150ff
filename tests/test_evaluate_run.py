"""A run keeps what it has, whatever happens to it, and says what it was."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from evaluating import ROWS, cases, laws, open_word_bot, opener
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import UserError
from rag.evaluate.asking import Bot
from rag.evaluate.cases import Case, case_of, read_cases
from rag.evaluate.definitions import SPEED
from rag.evaluate.run import read_lines, read_run, run


def figures(folder: Path) -> dict[str, Any]:
    """What a run found, without the times, which no two runs share."""
    found = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return {name: figure for name, figure in found.items() if name not in SPEED}


def many(n: int) -> list[Case]:
    return [case_of({**ROWS[i % len(ROWS)], "id": f"{ROWS[i % len(ROWS)]['id']}-{i}"}) for i in range(n)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    run(cases(), out, opener())
    return out


def test_the_folder_holds_all_there_is_to_know(undisturbed: Path) -> None:
    assert list(read_cases(undisturbed / "cases.jsonl")) == cases()
    answers = read_lines(undisturbed / "answers.jsonl")
    assert [a["id"] for a in answers] == [c.id for c in cases()]
    assert {"question", "answered", "claims", "citations", "passages", "timings_ms"} <= set(answers[0])
    read = read_run(undisturbed)
    assert read.record["identity"]["index_version"] == "words-1"
    assert read.record["identity"]["versions"]["python"] == sys.version.split()[0]
    assert set(read.record["seconds"]) == {"total", "opening", "asking", "scoring", "engine"}
    assert 0 < read.record["own_share"] <= 1
    assert [s.label for s in read.scores] == [
        "right", "right", "right", "incomplete", "right refusal", "should have refused",
    ]  # fmt: skip
    written = json.loads((undisturbed / "metrics.json").read_text(encoding="utf-8"))
    assert {name: f.to_json() for name, f in read.figures.items()} == written
    assert set(written["utility"]) == {"value", "interval", "n", "missing"}


@laws
@given(cut=st.integers(0, 20_000))
def test_cut_off_after_any_byte_and_resumed_a_run_has_the_same_figures(
    undisturbed: Path, tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    out = tmp_path_factory.mktemp("cut")
    whole = (undisturbed / "answers.jsonl").read_bytes()
    (out / "answers.jsonl").write_bytes(whole[: cut % (len(whole) + 1)])
    (out / "run.json").write_bytes((undisturbed / "run.json").read_bytes())
    run(cases(), out, opener(), resume=True)
    assert figures(out) == figures(undisturbed)
    assert [a["id"] for a in read_lines(out / "answers.jsonl")] == [c.id for c in cases()]


def test_what_was_answered_is_not_asked_again(undisturbed: Path, tmp_path: Path) -> None:
    rows = (undisturbed / "answers.jsonl").read_bytes().split(b"\n")
    (tmp_path / "answers.jsonl").write_bytes(b"\n".join(rows[:4]) + b"\n")
    (tmp_path / "run.json").write_bytes((undisturbed / "run.json").read_bytes())
    seen: list[tuple[int, int, int]] = []
    run(cases(), tmp_path, opener(), resume=True, progress=lambda *at: seen.append(at))
    assert seen == [(5, 6, 0), (6, 6, 0)]


def test_two_runs_and_two_processes_give_the_same_figures(undisturbed: Path, tmp_path: Path) -> None:
    run(cases(), tmp_path / "again", opener())
    run(cases(), tmp_path / "two", opener(), jobs=2)
    assert figures(tmp_path / "again") == figures(tmp_path / "two") == figures(undisturbed)
    assert [a["id"] for a in read_lines(tmp_path / "two" / "answers.jsonl")] == [c.id for c in cases()]


def test_another_order_of_the_cases_gives_the_same_figures(undisturbed: Path, tmp_path: Path) -> None:
    run(cases()[::-1], tmp_path, opener())
    assert figures(tmp_path) == figures(undisturbed)


def test_a_case_that_fails_is_counted_and_the_others_are_asked(tmp_path: Path) -> None:
    done = run(cases(), tmp_path, opener(fails_on="overtime"))
    assert done.record["failed"] == 1
    assert [s.id for s in done.scores if s.label == "error"] == ["overtime"]
    assert read_lines(tmp_path / "answers.jsonl")[2] == {
        "id": "overtime",
        "question": "How is overtime paid?",
        "error": "RuntimeError: the engine broke",
    }
    assert done.figures["right"].n == len(cases())


def test_a_limit_takes_the_first_cases(tmp_path: Path) -> None:
    assert [s.id for s in run(cases(), tmp_path, opener(), limit=2).scores] == ["centers-en", "centers-es"]


def test_a_folder_with_a_run_is_not_written_over(undisturbed: Path) -> None:
    with pytest.raises(UserError, match="--resume"):
        run(cases(), undisturbed, opener())


def test_a_run_of_something_else_is_not_continued(tmp_path: Path) -> None:
    run(cases(), tmp_path, opener(), settings={"embedder": "a"})
    with pytest.raises(UserError, match="cases"):
        run(cases()[:2], tmp_path, opener(), resume=True, settings={"embedder": "a"})
    with pytest.raises(UserError, match="settings"):
        run(cases(), tmp_path, opener(), resume=True, settings={"embedder": "b"})


def _open_empty() -> Bot:
    bot = open_word_bot()
    bot.articles = {}
    return bot


def test_an_empty_index_is_an_error_and_not_a_score_of_nought(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no article"):
        run(cases(), tmp_path, _open_empty)


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / ".lock"), pytest.raises(UserError, match="in use"):
        run(cases(), tmp_path, opener())


@pytest.mark.parametrize("content", [None, "{}", '{"status": "running"}'], ids=["none", "empty", "unfinished"])
def test_a_folder_without_a_finished_run_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(UserError, match=str(tmp_path)):
        read_run(tmp_path)


SLOW_RUN = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from evaluating import opener
from test_evaluate_run import many
from rag.evaluate.run import run
run(many(60), Path({out!r}), opener(pause=0.02), resume=True)
"""


def killed_and_resumed(out: Path, moments: list[float]) -> int:
    """Start a run in its own process, kill it after each moment of asking, resume it; count the kills."""
    code = SLOW_RUN.format(tests=str(Path(__file__).parent), out=str(out))
    kills = 0
    for moment in [*moments, None]:
        process = subprocess.Popen([sys.executable, "-c", code])
        if moment is None:
            assert process.wait() == 0
            continue
        before = len(read_lines(out / "answers.jsonl"))
        while process.poll() is None and len(read_lines(out / "answers.jsonl")) <= before:
            time.sleep(0.005)
        time.sleep(moment)
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    return kills


def test_killed_and_resumed_a_run_has_the_figures_of_an_undisturbed_one(tmp_path: Path) -> None:
    run(many(60), tmp_path / "whole", opener())
    assert killed_and_resumed(tmp_path / "killed", [0.1, 0.05]) == 2
    assert figures(tmp_path / "killed") == figures(tmp_path / "whole")


@pytest.mark.long
def test_killed_at_20_random_moments(tmp_path: Path) -> None:
    run(many(60), tmp_path / "whole", opener())
    moments = random.Random(11)
    equal = 0
    for number in range(20):
        out = tmp_path / str(number)
        killed_and_resumed(out, [moments.uniform(0, 1)])
        equal += figures(out) == figures(tmp_path / "whole")
    assert equal == 20
