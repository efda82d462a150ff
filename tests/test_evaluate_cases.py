"""Files of questions: what is read, and how mistakes are named."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest
from evaluating import laws
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import UserError
from rag.evaluate.cases import Case, Gold, Message, case_of, digest, inspect_cases, read_cases, sample, write_cases

GOLDEN = Path(__file__).resolve().parent.parent / "corpus" / "questions.jsonl"

words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=20).filter(
    lambda t: t.strip() == t
)
cases = st.builds(
    Case,
    id=words,
    question=words,
    language=st.sampled_from(["", "en", "es"]),
    history=st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), words), max_size=3).map(tuple),
    answerable=st.booleans(),
    answers=st.lists(words, max_size=3, unique=True).map(tuple),
    answer_groups=st.lists(st.lists(words, min_size=1, max_size=2, unique=True).map(tuple), max_size=2).map(tuple),
    not_answers=st.lists(words, max_size=2, unique=True).map(tuple),
    gold=st.lists(st.builds(Gold, words, words, st.just(-1), st.just(-1), st.integers(1, 4)), max_size=2).map(tuple),
    tags=st.dictionaries(words, words, max_size=2),
)


@laws
@given(st.lists(cases, min_size=1, max_size=4, unique_by=lambda c: c.id))
def test_cases_written_and_read_again_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, written: list[Case]
) -> None:
    file = tmp_path_factory.mktemp("cases") / "cases.jsonl"
    write_cases(written, file)
    assert list(read_cases(file)) == written
    assert digest(read_cases(file)) == digest(written)


@laws
@given(st.lists(cases, min_size=1, max_size=3, unique_by=lambda c: c.id))
def test_csv_with_the_same_columns_gives_the_same_cases(
    tmp_path_factory: pytest.TempPathFactory, written: list[Case]
) -> None:
    file = tmp_path_factory.mktemp("cases") / "cases.csv"
    names = [
        "id",
        "question",
        "language",
        "history",
        "answerable",
        "answers",
        "answer_groups",
        "not_answers",
        "gold",
    ]
    with file.open("w", encoding="utf-8", newline="") as out:
        sheet = csv.DictWriter(out, [*names, "tags"])
        sheet.writeheader()
        for case in written:
            row = case.to_json()
            sheet.writerow({k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items()})
    assert list(read_cases(file)) == written


def test_one_changed_word_changes_the_digest() -> None:
    assert digest([case_of({"question": "How many?"})]) != digest([case_of({"question": "How much?"})])


def test_every_bad_line_is_named_with_what_was_expected(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(
        '{"question": "fine", "id": "a"}\n'
        "not json\n"
        "\n"
        '{"id": "b"}\n'
        '{"question": "again", "id": "a"}\n'
        '{"question": "q", "gold": [{"quote": "no document"}]}\n'
        '{"question": "q", "language": "fr"}\n'
        '{"question": "q", "answerable": "perhaps"}\n'
        '{"question": "q", "history": [{"role": "system", "content": "x"}]}\n'
        "[1]\n"
        '{"question": "q \\ud800"}\n',
        encoding="utf-8",
    )
    with pytest.raises(UserError) as caught:
        read_cases(file)
    lines = [line.removeprefix(f"{file}:") for line in str(caught.value).splitlines()]
    assert [line.split(":")[0] for line in lines] == ["2", "4", "5", "6", "7", "8", "9", "10", "11"]
    assert "stands on line 1 already" in lines[2]
    assert [c.id for c in inspect_cases(file).cases] == ["a"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("id,answer\n1,2\n", 1),
        ('question,answer\n"two\nlines",x\none,two,three\n', 4),
        ("question;answerable\nq;vielleicht\n", 2),
    ],
    ids=["no question column", "too many cells", "not a yes or no"],
)
def test_csv_mistakes_carry_the_line_of_the_file(tmp_path: Path, content: str, line: int) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(content, encoding="utf-8")
    assert [p.line for p in inspect_cases(file).problems] == [line]


def test_a_spreadsheet_of_questions_and_answers_is_enough(tmp_path: Path) -> None:
    file = tmp_path / "sheet.csv"
    file.write_text("\ufeffquestion;ground_truth;tags.kind\n¿Cuántos?;300 | trescientos;figure\n", encoding="utf-8")
    (case,) = read_cases(file)
    assert case.answers == ("300", "trescientos")
    assert case.tags == {"kind": "figure"}
    assert case.answerable is True
    assert case.spoken == "es"


def test_the_layout_of_the_benchmarks_is_read() -> None:
    row = {
        "question": "q",
        "gold": [{"doc_id": "d", "quotes": [["a", "b"], ["b"]]}, {"doc_id": 7, "grade": 3}],
    }
    assert case_of(row).gold == (Gold("d", "a"), Gold("d", "b"), Gold("7", grade=3))
    assert case_of({"question": "q", "history": [{"role": "user", "text": "before"}]}).history == (
        Message("user", "before"),
    )


def test_names_that_nothing_reads_are_listed(tmp_path: Path) -> None:
    file = tmp_path / "typo.jsonl"
    file.write_text('{"question": "q", "awnsers": ["a"]}\n', encoding="utf-8")
    assert inspect_cases(file).unknown == ("awnsers",)


def test_an_empty_file_is_an_error_that_says_what_was_expected(tmp_path: Path) -> None:
    file = tmp_path / "empty.jsonl"
    file.write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="no case in it"):
        read_cases(file)
    with pytest.raises(UserError, match="cannot be read"):
        read_cases(tmp_path / "absent.jsonl")


@laws
@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc"), st.booleans()), min_size=1, max_size=60),
    st.integers(1, 60),
)
def test_a_sample_keeps_groups_whole_and_has_some_of_every_kind(rows: list[tuple[int, str, bool]], number: int) -> None:
    """A group is of one kind, as a question in two languages is."""
    kinds = {group: (kind, answerable) for group, kind, answerable in rows}
    cases = [
        Case(f"c{i}", f"q{i}", answerable=kinds[g][1], tags={"group": str(g), "kind": kinds[g][0]})
        for i, (g, _, _) in enumerate(rows)
    ]
    chosen = sample(cases, number)
    assert [c for c in cases if c in chosen] == list(chosen)
    assert {c.group for c in chosen}.isdisjoint({c.group for c in cases if c not in chosen})
    assert {c.id for c in sample(cases[::-1], number)} == {c.id for c in chosen}
    assert number < len(cases) or list(chosen) == cases


def test_a_sample_of_the_golden_questions_is_like_the_whole() -> None:
    whole = read_cases(GOLDEN)
    chosen = sample(whole, 150)
    assert abs(len(chosen) - 150) <= 2
    for tag in ("kind", "split"):
        for value, n in Counter(c.tags[tag] for c in whole).items():
            assert abs(sum(c.tags[tag] == value for c in chosen) - 150 * n / len(whole)) <= 4
    assert sum(c.language == "en" for c in chosen) * 2 == len(chosen)
