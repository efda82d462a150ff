"""What people and programs get from a run: reports, drafts, lint, a frame, the command line."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from evaluating import TEXTS, articles, cases, open_word_bot, opener
from typer.testing import CliRunner

from rag.corpus import read_corpus
from rag.errors import UserError
from rag.evaluate import evaluate
from rag.evaluate.asking import answer
from rag.evaluate.cases import Case, case_of, read_cases, write_cases
from rag.evaluate.cli import app
from rag.evaluate.draft import draft
from rag.evaluate.gate import hold
from rag.evaluate.lint import lint
from rag.evaluate.report import to_html, to_junit, to_markdown, write_reports
from rag.evaluate.run import Run, run
from rag.evaluate.scoring import score

COMMANDS = CliRunner()
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """A run, and one in which a case fails."""
    top = tmp_path_factory.mktemp("runs")
    return run(cases(), top / "before", opener()), run(cases(), top / "after", opener(fails_on="overtime"))


def data_of(html: str) -> dict[str, object]:
    text = html.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    found: dict[str, object] = json.loads(text)
    return found


# --- the report ---------------------------------------------------------------------------------


def test_the_report_holds_every_question_once_the_worst_first(runs: tuple[Run, Run]) -> None:
    before, after = runs
    data = data_of(to_html(after, before, hold(after, {"max_error_rate": 1.0})))
    shown = data["cases"]
    assert isinstance(shown, list)
    assert [c["id"] for c in shown][:2] == ["overtime", "cheese"]
    assert {c["id"] for c in shown} == {c.id for c in cases()}
    assert shown[0]["changed"] == "worse"
    assert shown[0]["before"]["label"] == "right"
    assert data["gate"] == {"word": "passed", "lines": []}


def test_the_report_asks_nobody_for_anything(runs: tuple[Run, Run]) -> None:
    html = to_html(runs[0])
    assert "default-src 'none'" in html
    for sign in ("src=", "<link", "@import", "url(", "fetch(", "XMLHttp", "innerHTML"):
        assert sign not in html.split('id="data"')[0] + html.split("</script>", 1)[1], sign


def test_a_document_cannot_break_out_of_the_report(tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script>\u2028<!--"
    case = case_of({"id": "x", "question": hostile, "answers": [hostile]})
    html = to_html(run([case], tmp_path, opener()))
    assert hostile not in html
    assert html.count("</script>") == 2
    assert data_of(html)["cases"][0]["question"] == hostile  # type: ignore[index]


def test_the_summary_names_what_got_worse(runs: tuple[Run, Run]) -> None:
    before, after = runs
    text = to_markdown(after, before)
    assert "1 questions got worse, 0 better." in text
    assert "| overtime: How is overtime paid? | right | error |" in text
    assert "got worse" not in to_markdown(before)


def test_junit_has_a_test_for_each_case_with_what_was_expected_and_given(runs: tuple[Run, Run]) -> None:
    suite = ElementTree.fromstring(to_junit(runs[1]))
    assert {k: suite.get(k) for k in ("tests", "failures", "errors")} == {
        "tests": "6", "failures": "2", "errors": "1",
    }  # fmt: skip
    failed = {test.get("name"): test[0] for test in suite if len(test)}
    assert failed["earn"].get("message") == "incomplete"
    told = failed["earn"].text or ""
    assert "expected: net" in told
    assert "given: Agents earn 9,500 pesos a month. [1]" in told


def test_reports_can_be_written_where_only_the_scores_were_kept(runs: tuple[Run, Run], tmp_path: Path) -> None:
    kept = runs[0]._replace(folder=tmp_path)
    write_reports(runs[1], kept)
    write_reports(kept)
    assert {f.name for f in tmp_path.iterdir()} == {"report.html", "summary.md", "junit.xml"}


# --- making cases -------------------------------------------------------------------------------


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def test_sound_cases_have_no_problems(texts: Path, tmp_path: Path) -> None:
    sound = [c for c in cases() if c.id != "earn"]
    write_cases(sound, tmp_path / "cases.jsonl")
    assert lint(tmp_path / "cases.jsonl", read_corpus([texts])) == []


def test_lint_names_what_a_case_expects_in_vain(texts: Path, tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    rows = [
        {"question": "one?", "gold": [{"doc": "pay.txt", "quote": "Overtime is now paid double."}]},
        {"question": "two?", "gold": [{"doc": "gone.txt"}]},
        {"question": "three?", "answerable": True},
        {"question": "four?", "answerable": False, "answers": ["x"]},
        {
            "question": "five?",
            "answer_groups": [["301"]],
            "gold": [{"doc": "size.txt", "quote": TEXTS["size"][:28]}],
        },
        {"question": "six?", "gold": [{"doc": "size.txt", "start": 5, "end": 5000}]},
        {"question": "Three?", "id": "again", "answerable": False},
        {"question": "seven?", "gold": [{"doc": "size.txt"}], "nonsense": 1},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    problems = lint(file, read_corpus([texts]))
    assert [p.line for p in problems] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert "closest, at 33: 'Overtime is paid double.'" in problems[1].message
    assert "'301'" in problems[5].message
    assert "line 3" in problems[7].message


def test_the_golden_questions_are_sound() -> None:
    assert lint(ROOT / "corpus" / "questions.jsonl", read_corpus([ROOT / "corpus"])) == []


def test_drafts_are_cases_that_the_corpus_answers(texts: Path, tmp_path: Path) -> None:
    corpus = read_corpus([texts])
    drafts = draft(corpus.articles, 50)
    assert {c.answer_groups[0][0] for c in drafts} == {"300", "9,500", "160,000", "160 mil"}
    assert all(c.tags["draft"] == "true" for c in drafts)
    write_cases(drafts, tmp_path / "drafts.jsonl")
    assert lint(tmp_path / "drafts.jsonl", corpus) == []
    assert draft(corpus.articles, 2) == drafts[:2]
    assert not any(c.answer_groups[0][0] in c.question for c in drafts)


# --- from Python --------------------------------------------------------------------------------


def test_a_frame_has_a_row_for_each_case() -> None:
    frame = evaluate(cases(), open_word_bot("overtime"))
    assert list(frame.index) == [c.id for c in cases()]
    assert frame.loc["overtime", "label"] == "error"
    assert frame.loc["earn", "groups"] == 0.5
    assert frame["kind"].tolist() == ["figure", "figure", "fact", "figure", "off", "near"]
    assert frame.attrs["figures"]["right"]["value"] == pytest.approx(3 / 6)


def test_a_frame_reads_a_file(tmp_path: Path) -> None:
    write_cases(cases(), tmp_path / "cases.jsonl")
    assert len(evaluate(tmp_path / "cases.jsonl", open_word_bot())) == 6


@pytest.mark.parametrize("case", cases(), ids=lambda c: c.id)
def test_example_of_one_test_for_each_case(case: Case) -> None:
    bot = open_word_bot()
    assert score(case, answer(bot, case), articles()).values.get("quotes_exact", 1.0) == 1.0


# --- the command line ---------------------------------------------------------------------------


def test_compare_prints_what_got_worse(runs: tuple[Run, Run]) -> None:
    before, after = (str(r.folder) for r in runs)
    done = COMMANDS.invoke(app, ["compare", before, after])
    assert done.exit_code == 0
    assert "| overtime: How is overtime paid? | right | error |" in done.stdout
    data = json.loads(COMMANDS.invoke(app, ["compare", before, after, "--json"]).stdout)
    assert data["worse"] == [{"id": "overtime", "before": "right", "after": "error"}]


@pytest.mark.parametrize(
    ("policy", "code"),
    [("", 0), ("[absolute]\nright = {min = 0.9}", 1), ("[rows]\nmax_newly_wrong = 0", 0)],
)
def test_the_exit_code_of_the_gate_is_its_answer(runs: tuple[Run, Run], tmp_path: Path, policy: str, code: int) -> None:
    (tmp_path / "gate.toml").write_text(policy, encoding="utf-8")
    folder = str(runs[0].folder)
    done = COMMANDS.invoke(app, ["gate", folder, "--policy", str(tmp_path / "gate.toml"), "--baseline", folder])
    assert done.exit_code == code
    assert f"Gate {'closed' if code else 'passed'}." in done.stdout


def test_report_writes_the_kind_its_name_says(runs: tuple[Run, Run], tmp_path: Path) -> None:
    folder = str(runs[0].folder)
    for name, start in (("r.html", "<!doctype html>"), ("r.md", "### Eval"), ("r.xml", "<?xml")):
        assert COMMANDS.invoke(app, ["report", folder, "--out", str(tmp_path / name)]).exit_code == 0
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    wrong = COMMANDS.invoke(app, ["report", folder, "--out", "r.pdf"])
    assert isinstance(wrong.exception, UserError)


def test_lint_and_draft_from_the_command_line(texts: Path, tmp_path: Path) -> None:
    file = tmp_path / "drafts.jsonl"
    assert COMMANDS.invoke(app, ["draft", str(file), "--n", "3", "--corpus", str(texts)]).exit_code == 0
    assert len(read_cases(file)) == 3
    assert COMMANDS.invoke(app, ["lint", str(file), "--corpus", str(texts)]).exit_code == 0
    (texts / "size.txt").write_text("Nothing of the sort.", encoding="utf-8")
    done = COMMANDS.invoke(app, ["lint", str(file), "--corpus", str(texts)])
    assert done.exit_code == 1
    assert "no longer stands" in done.stdout or "outside article" in done.stdout


def test_a_run_from_the_command_line_over_a_users_documents(library: Path, tmp_path: Path) -> None:
    rows = [
        {"question": "How many cranes has the harbor of Alden?", "answers": ["14"]},
        {"question": "How long is the bridge?", "answers": ["310 meters"], "gold": [{"doc": "bridge"}]},
        {"question": "Who won the chess championship of 1972?", "answerable": False, "odd": 1},
    ]
    file, out = tmp_path / "cases.jsonl", tmp_path / "run"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    arguments = [
        "run",
        str(file),
        "--out",
        str(out),
        "--corpus",
        str(library),
        "--index",
        str(tmp_path / "index"),
    ]
    done = COMMANDS.invoke(app, arguments)
    assert done.exit_code == 0, done.exception
    brief = json.loads(done.stdout.splitlines()[-1])
    assert (brief["cases"], brief["failed"], brief["quotes_exact"]) == (3, 0, 1)
    assert "3/3 100%" in done.stderr
    assert "nothing reads the field 'odd'" in done.stderr
    assert {f.name for f in out.iterdir()} >= {"answers.jsonl", "metrics.json", "report.html", "run.json"}
    assert isinstance(COMMANDS.invoke(app, arguments).exception, UserError)
    assert COMMANDS.invoke(app, [*arguments, "--resume"]).exit_code == 0


def test_a_run_is_kept_for_a_repository_and_gates_the_next(runs: tuple[Run, Run], tmp_path: Path) -> None:
    kept, policy = tmp_path / "baseline", tmp_path / "gate.toml"
    policy.write_text("max_error_rate = 1.0\n[rows]\nno_new_errors = true", encoding="utf-8")
    assert COMMANDS.invoke(app, ["keep", str(runs[0].folder), str(kept)]).exit_code == 0
    arguments = ["--policy", str(policy), "--baseline", str(kept), "--report"]
    assert COMMANDS.invoke(app, ["gate", str(runs[0].folder), *arguments]).exit_code == 0
    assert "Gate passed" in (runs[0].folder / "summary.md").read_text(encoding="utf-8")
    closed = COMMANDS.invoke(app, ["gate", str(runs[1].folder), *arguments])
    assert closed.exit_code == 1
    assert "| no new errors | 1: overtime | closed |" in closed.stdout


def test_a_public_benchmark_is_asked_by_name_and_ways_of_retrieving_are_compared(tmp_path: Path) -> None:
    mini = tmp_path / "public" / "mini"
    mini.mkdir(parents=True)
    texts = {"harbor": "The harbor of Alden has 14 cranes.", "bridge": "The bridge of Alden is 310 meters long."}
    rows = [
        {"question": "How many cranes has the harbor?", "answers": ["14"], "gold": [{"doc": "harbor"}]},
        {"question": "How long is the bridge?", "answers": ["310 meters"], "gold": [{"doc": "bridge"}]},
    ]
    documents = [{"id": name, "title": name, "text": text} for name, text in texts.items()]
    for name, lines in (("docs", documents), ("questions", rows)):
        (mini / f"{name}.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines), encoding="utf-8")
    out = tmp_path / "run"
    done = COMMANDS.invoke(app, ["run", str(tmp_path / "public"), "--benchmark", "mini", "--out", str(out)])
    assert done.exit_code == 0, done.exception
    assert json.loads(done.stdout.splitlines()[-1])["cases"] == 2
    arguments = ["benchmarks", str(tmp_path / "public"), "--retrieval", "--out", str(tmp_path / "b"), "--json"]
    ranked = json.loads(COMMANDS.invoke(app, arguments).stdout)["retrieval"]
    assert [(r["way"], r["n"], r["values"]["article.recall@1"]) for r in ranked] == [
        (way, 2, 1.0) for way in ("meaning", "words", "RRF", "bpo")
    ]
    missing = COMMANDS.invoke(app, ["run", str(tmp_path / "public"), "--benchmark", "maxi"])
    assert "there are mini" in str(missing.exception)
