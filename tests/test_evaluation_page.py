"""The view "Evaluation": cases in, a run that can be stopped and continued, its figures, its files."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from evaluating import ROWS, WordBot, articles, cases
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pages import Visit, chromium, served

from rag.answer import Answer
from rag.errors import UserError
from rag.evaluate.definitions import METRICS
from rag.evaluate.run import read_run, run
from rag.evaluate.scoring import LABELS
from ui import scorecard
from ui.evaluation import Evaluations, Routes
from ui.opening import Opening
from ui.words import figure, verdict

JSON = {"content-type": "application/json"}
LINES = {"content-type": "application/x-ndjson"}
FILE = "".join(json.dumps(row) + "\n" for row in ROWS)


class Held(WordBot):
    """Answers the first question, and every other once it may."""

    def __init__(self) -> None:
        super().__init__(articles())
        self.asked = threading.Event()
        self.may = threading.Event()

    def ask(self, question: str, history: Sequence[Any] = ()) -> Answer:
        if not question.startswith("How many"):
            self.asked.set()
            self.may.wait()
        return super().ask(question, history)


class Talking(WordBot):
    """With what the rest of the page asks of a chatbot."""

    def examples(self, language: str) -> tuple[str, ...]:
        return ()

    def describe(self) -> dict[str, object]:
        return {"articles": len(self.articles), "sources": 0, "oldest": "", "newest": ""}


class Site(TestClient):
    """The routes of the view over a bot, with runs in a folder."""

    def __init__(self, folder: Path, bot: Any) -> None:
        self.evaluations = Evaluations(folder / "runs")
        self.bot = bot
        opening = Opening(lambda: bot)
        opening.start()
        opening.settle()
        app = FastAPI()
        Routes(self.evaluations, opening).add_to(app)
        super().__init__(app)

    def ran(self, title: str = "mine", **parameters: Any) -> str:
        """Run the cases and give the name of the run."""
        begun = self.post(
            "/evaluation/start", params={"title": f"{title}.jsonl", **parameters}, content=FILE, headers=LINES
        )
        assert begun.status_code == 202, begun.text
        self.evaluations.settle()
        name: str = begun.json()["run"]
        return name

    def shown(self, **query: str) -> str:
        return self.evaluations.show(self.bot, query, "en")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path, WordBot(articles())) as client:
        yield client


def test_a_run_of_the_page_is_a_run_of_the_command_line(site: Site, tmp_path: Path) -> None:
    name = site.ran()
    ours, theirs = read_run(tmp_path / "runs" / name), run(cases(), tmp_path / "other", lambda: WordBot(articles()))
    assert [(s.id, s.label) for s in ours.scores] == [(s.id, s.label) for s in theirs.scores]
    told = site.get("/evaluation/progress").json()
    assert told.pop("told").startswith("6 of 6 · ")
    assert told == {"state": "idle", "run": name, "done": 6, "total": 6}
    page = site.shown()
    assert name in page
    assert "<td>0.667</td>" in page  # right: four of six
    assert f'href="./evaluation/{name}/report.html"' in page


def test_every_file_of_a_run_can_be_taken_away_and_the_report_runs_in_a_box(site: Site) -> None:
    name = site.ran()
    for file in ("report.html", "summary.md", "metrics.json", "answers.jsonl", "cases.jsonl", "junit.xml"):
        assert site.get(f"/evaluation/{name}/{file}").status_code == 200, file
    assert "sandbox" in site.get(f"/evaluation/{name}/report.html").headers["content-security-policy"]
    for wrong in (
        f"{name}/run.json",
        f"{name}/..%2frun.json",
        "nobody/report.html",
        "..%2f/report.html",
        "%2e%2e/cases.jsonl",
    ):
        assert site.get(f"/evaluation/{wrong}").status_code == 404, wrong


def test_two_runs_are_set_side_by_side(site: Site) -> None:
    first = site.ran("first")
    site.bot.fails_on = "overtime"
    second = site.ran("second")
    page = site.shown(run=second, against=first)
    assert "1 questions got worse, 0 better" in page
    assert '<td lang="en">How is overtime paid?</td><td>right</td><td>error</td>' in page
    report = site.get(f"/evaluation/{second}/report.html", params={"against": first})
    assert '"baseline":"' + first in report.text


def test_a_run_of_before_there_was_a_metric_is_shown(site: Site, tmp_path: Path) -> None:
    scores = tmp_path / "runs" / site.ran() / "scores.jsonl"
    assert '"supported"' in scores.read_text(encoding="utf-8")
    scores.write_text(scores.read_text(encoding="utf-8").replace('"supported"', '"forgotten"'), encoding="utf-8")
    page = site.shown()
    assert "Right" in page
    assert "Supported" not in page


def test_a_stopped_run_keeps_its_answers_and_can_be_continued(tmp_path: Path) -> None:
    bot = Held()
    site = Site(tmp_path, bot)
    name = site.evaluations.start(bot, cases(), "held", None)  # type: ignore[arg-type]
    bot.asked.wait()
    refused = site.post("/evaluation/start", content=FILE, headers=LINES)
    assert (refused.status_code, "under way" in refused.text) == (400, True)
    assert "eval-stop" in site.shown()
    assert site.post("/evaluation/stop", headers=JSON).status_code == 204
    bot.may.set()
    site.evaluations.settle()
    assert site.evaluations.progress.state == "stopped"
    kept = (tmp_path / "runs" / name / "answers.jsonl").read_text(encoding="utf-8").count("\n")
    assert 0 < kept < len(cases())
    assert f'class="eval-continue" value="{name}"' in site.shown()
    assert site.post(f"/evaluation/continue?run={name}", headers=JSON).status_code == 202
    site.evaluations.settle()
    assert len(read_run(tmp_path / "runs" / name).scores) == len(cases())


@pytest.mark.parametrize(
    ("content", "headers", "status", "told"),
    [
        ('{"question": "q"}\nnonsense\n', LINES, 400, "line 2: not JSON"),
        ("answer\nx\n", {"content-type": "text/csv"}, 400, "question"),
        ("", LINES, 400, "Choose a file"),
        (FILE, {"content-type": "text/plain"}, 415, "Expected"),
        (FILE, {"content-type": "multipart/form-data; boundary=x"}, 415, "Expected"),
    ],
)
def test_what_cannot_be_run_is_refused_with_a_reason(
    site: Site, content: str, headers: dict[str, str], status: int, told: str
) -> None:
    answer = site.post("/evaluation/start", content=content, headers=headers)
    assert answer.status_code == status
    assert told in answer.text
    assert site.evaluations.names() == []


def test_only_the_page_itself_may_stop_and_continue(site: Site) -> None:
    assert site.post("/evaluation/stop").status_code == 415
    assert site.post("/evaluation/continue?run=x").status_code == 415
    assert site.post("/evaluation/continue?run=x", headers=JSON).status_code == 400


def test_cases_from_feedback_can_be_chosen(site: Site, tmp_path: Path) -> None:
    assert 'value="feedback"' not in site.shown()
    (tmp_path / "cases.jsonl").write_text(FILE, encoding="utf-8")
    assert 'value="feedback"' in site.shown()
    begun = site.post("/evaluation/start", params={"cases": "feedback", "sample": 3}, content="{}", headers=JSON)
    assert begun.status_code == 202
    site.evaluations.settle()
    assert 0 < len(read_run(tmp_path / "runs" / begun.json()["run"]).scores) < len(cases())


def test_every_figure_and_verdict_of_the_page_is_said_in_spanish() -> None:
    for name in scorecard.HEADLINE:
        english = METRICS[name].title, METRICS[name].meaning
        assert figure(name, *english, "en") == english
        assert not set(figure(name, *english, "es")) & set(english)
    assert all(verdict(label, "es") != label == verdict(label, "en") for label in LABELS)


def test_text_of_cases_and_names_never_becomes_markup(site: Site, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    row = {"id": "x", "question": f"How many {hostile}", "answers": [hostile]}
    (tmp_path / "cases.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    first = site.post("/evaluation/start", params={"cases": "feedback"}, content="{}", headers=JSON).json()["run"]
    site.evaluations.settle()
    site.bot.fails_on = "How many"
    site.post("/evaluation/start", params={"cases": "feedback", "title": hostile}, content="{}", headers=JSON)
    site.evaluations.settle()
    page = site.shown(against=first)
    assert "onerror" in page
    assert "<img" not in page


def test_without_a_folder_nothing_is_run() -> None:
    nowhere = Evaluations(None)
    assert "eval-start" not in nowhere.show(WordBot(articles()), {}, "es")  # type: ignore[arg-type]
    with pytest.raises(UserError):
        nowhere.start(WordBot(articles()), cases(), "x", None)  # type: ignore[arg-type]


def test_a_person_runs_a_file_and_reads_the_figures(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text(FILE, encoding="utf-8")
    with served(lambda: Talking(articles()), tmp_path / "kept") as url, chromium() as browser:
        visit = Visit(browser, url)
        visit.page.goto(f"{url}/#view/evaluation")
        visit.page.wait_for_selector("form.eval-start")
        visit.page.set_input_files("input[type=file]", str(tmp_path / "mine.jsonl"))
        visit.page.select_option("select[name=sample]", "0")
        visit.page.click("form.eval-start button")
        visit.page.wait_for_selector(".evaluation table")
        assert "0.667" in visit.page.inner_text(".evaluation table")
        visit.page.get_by_text("Utility").click()
        visit.page.get_by_text("Mean of 1 for a right answer").wait_for()
        with visit.context.expect_page() as opened:
            visit.page.click("a.eval-report")
        opened.value.wait_for_selector(".card")
        assert "Utility" in opened.value.inner_text(".cards")
        assert (visit.complaints, visit.foreign) == ([], [])
