"""Benchmarks by path, the plain pipeline beside ours, and the evaluator with the real engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from evaluating import articles, laws, scored
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from scipy.stats import spearmanr

from rag.errors import UserError
from rag.evaluate.asking import answer
from rag.evaluate.benchmarks import PlainBot, Ranking, Row, agreement, benchmarks_in, spearman, to_markdown
from rag.evaluate.cases import case_of
from rag.evaluate.comparison import compare
from rag.evaluate.scoring import score


@laws
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=30))
def test_spearman_equals_scipy(pairs: list[tuple[int, int]]) -> None:
    one, other = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    if len(set(one)) > 1 and len(set(other)) > 1:
        assert spearman(one, other) == pytest.approx(spearmanr(one, other).statistic, abs=1e-9)


class FirstSentences:
    """A plain pipeline by hand: always the articles in order, and one sentence."""

    def search(self, question: str, k: int) -> list[Document]:
        return [Document(a.text[:40], metadata={"article": a.id}) for a in articles().values()][:k]

    def answer(self, question: str) -> str:
        return "Mexico has 300 call centers."


def test_the_plain_pipeline_is_scored_like_ours() -> None:
    bot = PlainBot(FirstSentences(), articles())
    case = case_of(
        {
            "question": "How many?",
            "answer_groups": [["300"]],
            "gold": [{"doc": "pay.txt", "quote": "Agents earn"}],
        }
    )
    given_ = answer(bot, case)
    assert given_["passages"][1] == {"article": "pay.txt", "start": 0, "end": 40, "score": 0.5}
    found = score(case, given_, bot.articles)
    assert found.values["quotes_exact"] == 1
    assert found.values["article.mrr"] == 0.5
    assert found.label == "right but uncited"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "docs.jsonl").write_text('{"id": "a", "text": "One fact."}\n')
        (tmp_path / name / "questions.jsonl").write_text('{"question": "q"}\n')
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "claims.jsonl").write_text('{"claim": "c"}\n')
    (tmp_path / "rated").mkdir()
    rows = [
        {
            "claim": claim,
            "evidence": "Wages rose by 13% in 2025.",
            "human": {"faithfulness": [rating, rating]},
            "auto": {"rl_f": judge},
        }
        for claim, rating, judge in [
            ("Wages rose 13%.", 4, 1.0), ("Wages rose 20% in 2025.", 2, 0.5), ("Giraffes sleep.", 1, 0.7),
        ]
    ]  # fmt: skip
    rows.append({"claim": "no evidence", "evidence": "", "human": None, "auto": {"rl_f": None}})
    (tmp_path / "rated" / "claims.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return tmp_path


def test_benchmarks_are_the_folders_that_can_be_measured(folder: Path) -> None:
    assert [f.name for f in benchmarks_in(folder)] == ["one", "rated", "two"]
    assert [f.name for f in benchmarks_in(folder, ["two"])] == ["two"]
    with pytest.raises(UserError, match=r"'three'.*one, rated, two"):
        benchmarks_in(folder, ["three"])
    with pytest.raises(UserError, match="no such folder"):
        benchmarks_in(folder / "nowhere")


def test_agreement_with_people_is_taken_over_the_rows_that_have_everything(folder: Path) -> None:
    found = agreement(folder / "rated")
    assert (found.n, found.ours) == (3, 1.0)
    assert found.others == {"RAGAS faithfulness (GPT-4o mini)": 0.5}


def test_the_table_says_which_is_better_and_by_how_much(folder: Path) -> None:
    plain, ours = ([scored(str(i), value) for i in range(20)] for value in (0.0, 1.0))
    (right,) = compare(plain, ours, ("right",)).differences
    table = to_markdown([Row("one", right)], [agreement(folder / "rated")])
    assert "| one | right | 20 | 1.000 | 0.000 | +1.000 [+1.000, +1.000] | better |" in table
    assert "ours 1.000; RAGAS" in table


def test_preferences_are_held_against_the_difference_of_token_f1(tmp_path: Path) -> None:
    pairs = [
        {"gt_answer": "a red fox", "model1": {"response": one}, "model2": {"response": two}, "overall_label": label}
        for one, two, label in [("a red fox", "nothing", -2), ("red", "a red fox", 1), ("nothing", "a red fox", 2)]
    ]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(p) + "\n" for p in pairs))
    found = agreement(tmp_path)
    assert (found.n, found.ours) == (3, 1.0)
    assert found.others["RAGChecker with Llama 3 70B (published)"] == 0.609


def test_ways_of_retrieving_are_laid_out_side_by_side() -> None:
    table = to_markdown([], [], [Ranking("one", "words", 7, (0.5, 0.75, None, 1.0, 0.25))])
    assert "| one | words | 7 | 0.500 | 0.750 |  | 1.000 | 0.250 |" in table
