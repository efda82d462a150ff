"""A run for people: one HTML file, a Markdown summary for a pull request, JUnit XML for CI."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from rag.evaluate import judge, refusals
from rag.evaluate.cases import Case, read_cases
from rag.evaluate.comparison import Comparison, Difference, compare
from rag.evaluate.definitions import JUDGED, METRICS, SPEED
from rag.evaluate.gate import Result
from rag.evaluate.intervals import quantile
from rag.evaluate.run import Run, read_lines
from rag.evaluate.scoring import LABELS, Score, unmet
from rag.evaluate.summary import Figure, answered, labels, slices

_CURVE_POINTS = 200
_SHOWN_WORSE = 12
_HEADLINE = (
    "utility", "right", "sentence.recall@10", "sentence.ndcg@10", "groups", "figures", "first", "quotes_exact",
    "sources_right", "cited.article", "cited.precision", "cited.recall", "supported", "refusal.precision",
    "refusal.recall", "over_refusal", "refusal.auroc", "confidence.auroc", "confidence.aurc", "conflict.recall",
    "followup.right", "language.gap", "latency.p50", "latency.p95",
)  # fmt: skip


def to_html(run: Run, baseline: Run | None = None, gate: Result | None = None) -> str:
    """Draw the report. Self-contained: it loads nothing, and text of documents stays text."""
    comparison = compare(baseline.scores, run.scores) if baseline else None
    data = json.dumps(_data(run, baseline, comparison, gate), ensure_ascii=False, separators=(",", ":"))
    template = Path(__file__).with_name("report.html").read_text(encoding="utf-8")
    # `<` could end the script element, the two separators end a line of script.
    for character in "<\u2028\u2029":
        data = data.replace(character, f"\\u{ord(character):04x}")
    return template.replace("/*DATA*/", data)


def to_markdown(run: Run, baseline: Run | None = None, gate: Result | None = None) -> str:
    """Write the summary: figures with intervals, labels, what got worse, the gate."""
    identity = run.record["identity"]
    changes = {d.name: d for d in compare(baseline.scores, run.scores).differences} if baseline else {}
    lines = [f"### Evaluation: {len(run.scores)} cases, index {identity['index_version']}", ""]
    if gate:
        lines += [f"**Gate {gate.word}**", "", *gate_table(gate), ""]
    head = "| figure | value | 95% interval | n |"
    lines += [
        f"{head} change | verdict |" if baseline else head,
        "|---|--:|---|--:|" + ("--:|---|" if baseline else ""),
    ]
    for name in _HEADLINE:
        figure = run.figures[name]
        if figure.value is not None:
            lines.append(_markdown_row(name, figure, changes.get(name), compared=baseline is not None))
    lines += ["", "| what became of each question | n |", "|---|--:|"]
    lines += [f"| {label} | {n} |" for label, n in labels(run.scores).items()]
    lines += _judged_table(run)
    if baseline:
        lines += ["", *worse_table(compare(baseline.scores, run.scores))]
    return "\n".join(lines) + "\n"


def _judged_table(run: Run) -> list[str]:
    """Lay out what a chat model says of the answers; nothing where none was asked."""
    about = judge.about(run)
    if not about:
        return []
    lines = ["", f"What {_cell(about['model'])} says of the answers, apart from the figures above:", ""]
    lines += ["| figure | value | 95% interval | n |", "|---|--:|---|--:|"]
    for name, figure in judge.summarise(run).items():
        value = "–" if figure.value is None else f"{figure.value:.3f}"
        ends = f"[{figure.interval.low:.3f}, {figure.interval.high:.3f}]" if figure.interval else ""
        why = ", ".join(f"{reason}: {n}" for reason, n in figure.missing.items()) if figure.value is None else ""
        lines.append(f"| {JUDGED[name].title} | {value} | {ends or why} | {figure.n} |")
    return lines


def worse_table(comparison: Comparison) -> list[str]:
    """List the questions that got worse, the largest loss first, and count the rest, in Markdown."""
    worse, better = comparison.worse, comparison.better
    lines = [f"{len(worse)} questions got worse, {len(better)} better."]
    if comparison.only_before or comparison.only_after:
        before, after = len(comparison.only_before), len(comparison.only_after)
        lines.append(f"Not compared: {before} only in the baseline, {after} only in this run.")
    if worse:
        lines += ["", "| got worse | before | now |", "|---|---|---|"]
        lines += [f"| {_cell(a.id)}: {_cell(a.question)} | {b.label} | {a.label} |" for b, a in worse[:_SHOWN_WORSE]]
    if len(worse) > _SHOWN_WORSE:
        lines.append(f"| … and {len(worse) - _SHOWN_WORSE} more | | |")
    return lines


def comparison_table(differences: Sequence[Difference]) -> list[str]:
    """Lay out differences as a Markdown table."""
    lines = [
        "| figure | before | after | change | 95% interval | won | lost | tied | p (Holm) | verdict |",
        "|---|--:|--:|--:|---|--:|--:|--:|--:|---|",
    ]
    for d in differences:
        ends = f"[{d.interval.low:+.3f}, {d.interval.high:+.3f}]" if d.interval else ""
        numbers = f"{d.before:.3f} | {d.after:.3f} | {d.change:+.3f} | {ends} | {d.wins} | {d.losses} | {d.ties}"
        lines.append(f"| {METRICS[d.name].title} | {numbers} | {d.adjusted:.2g} | {_verdict(d)} |")
    return lines


def gate_table(gate: Result) -> list[str]:
    """Lay out the rules of a gate as a Markdown table, those that closed it first."""
    order = {"closed": 0, "undecided": 1, "passed": 2}
    lines = sorted(gate.lines, key=lambda line: order[line.state])
    return [
        "| rule | found | |",
        "|---|---|---|",
        *(f"| {x.rule} | {_cell(x.found)} | {x.state} |" for x in lines),
    ]


def to_junit(run: Run) -> str:
    """Write JUnit XML: a test for each case; a wrong answer is a failure, a failed one an error."""
    counts = labels(run.scores)
    wrong = [s for s in run.scores if s.right == 0 and s.label != "error"]
    suite = ElementTree.Element(
        "testsuite",
        name="bpo eval",
        tests=str(len(run.scores)),
        failures=str(len(wrong)),
        errors=str(counts.get("error", 0)),
        skipped=str(counts.get("not judged", 0)),
    )
    cases, answers = _by_id(run)
    for s in run.scores:
        seconds = f"{s.values.get('latency', 0.0) / 1000:.4f}"
        test = ElementTree.SubElement(suite, "testcase", classname=s.tags.get("kind", "case"), name=s.id, time=seconds)
        if s.label == "not judged":
            ElementTree.SubElement(test, "skipped", message="nothing expected")
        elif s.right == 0:
            told = ElementTree.SubElement(test, "error" if s.label == "error" else "failure", message=s.label)
            told.text = _xml_text(_told(s, cases.get(s.id), answers.get(s.id)))
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def write_reports(run: Run, baseline: Run | None = None, gate: Result | None = None) -> None:
    """Write report.html, summary.md and junit.xml into the folder of a run."""
    (run.folder / "report.html").write_text(to_html(run, baseline, gate), encoding="utf-8")
    (run.folder / "summary.md").write_text(to_markdown(run, baseline, gate), encoding="utf-8")
    (run.folder / "junit.xml").write_text(to_junit(run), encoding="utf-8")


# --- the data of the page -----------------------------------------------------------------------


def _data(run: Run, baseline: Run | None, comparison: Comparison | None, gate: Result | None) -> dict[str, Any]:
    changes = {d.name: d.to_json() for d in comparison.differences} if comparison else {}
    figures = [
        {**METRICS[name]._asdict(), **figure.to_json(), "change": changes.get(name)}
        for name, figure in run.figures.items()
    ]
    points = refusals.risk_coverage(answered(run.scores))
    step = max(1, len(points) // _CURVE_POINTS)
    latencies = [s.values["latency"] for s in run.scores if "latency" in s.values]
    return {
        "title": run.folder.resolve().name,
        "record": run.record,
        "baseline": baseline.folder.resolve().name if baseline else "",
        "figures": figures,
        "labels": labels(run.scores),
        "labels_before": labels(baseline.scores) if baseline else None,
        "gate": {"word": gate.word, "lines": [x._asdict() for x in gate.lines]} if gate else None,
        "slices": [
            {"tag": tag, "value": value, "figure": figure.to_json()} for tag, value, figure in slices(run.scores)
        ],
        "risk": [[round(p.coverage, 4), round(p.risk, 4)] for p in (*points[::step], *points[-1:])],
        "calibration": refusals.calibration([(c, 1 - error) for c, error in answered(run.scores)]),
        "latency": [round(quantile(latencies, q / 100), 2) for q in range(101)] if latencies else [],
        "judge": _judge(run),
        **_cases(run, baseline, comparison),
    }


def _judge(run: Run) -> dict[str, Any] | None:
    about = judge.about(run)
    if not about:
        return None
    figures = [{**JUDGED[name]._asdict(), **figure.to_json()} for name, figure in judge.summarise(run).items()]
    said = {j.id: {"supported": j.supported, "right": j.right, "why": j.why} for j in judge.read(run)}
    return {**about, "figures": figures, "said": said}


def _cases(run: Run, baseline: Run | None, comparison: Comparison | None) -> dict[str, Any]:
    names = sorted({name for s in run.scores for name in (*s.values, *s.reasons)} - SPEED)
    reasons = sorted({reason for s in run.scores for reason in s.reasons.values()})
    place = {reason: number for number, reason in enumerate(reasons)}
    cases, answers = _by_id(run)
    _, old_answers = _by_id(baseline) if baseline else ({}, {})
    before: dict[str, dict[str, Any]] = {}
    for word, pairs in (("worse", comparison.worse), ("better", comparison.better)) if comparison else ():
        for old, new in pairs:
            given = {"label": old.label, "answer": _answer(old_answers.get(old.id))}
            before[new.id] = {"changed": word, "before": given}
    shown = []
    for s in sorted(run.scores, key=_badness):
        told = {
            "values": [round(s.values[n], 4) if n in s.values else None for n in names],
            "reasons": [place[s.reasons[n]] if n in s.reasons else -1 for n in names],
        }
        shown.append({**_case(s, cases.get(s.id), answers.get(s.id)), **before.get(s.id, {}), **told})
    return {"names": names, "reasons": reasons, "cases": shown}


def _case(s: Score, case: Case | None, answer: dict[str, Any] | None) -> dict[str, Any]:
    passages = (answer or {}).get("passages", ())
    return {
        "id": s.id,
        "question": s.question,
        "label": s.label,
        "tags": {**s.tags, "language": s.language},
        "answerable": s.answerable,
        "confidence": s.confidence,
        "changed": "",
        "history": [m._asdict() for m in case.history] if case else [],
        "expected": _expected(case) if case else [],
        "gold": [{"doc": g.doc, "quote": g.quote} for g in case.gold] if case else [],
        "unmet": unmet(case, answer) if case and answer and s.right == 0 else [],
        "answer": _answer(answer),
        "passages": [[p["article"], p["start"], p["end"], p["score"]] for p in passages],
        "covered": s.covered,
    }


def _badness(s: Score) -> tuple[float, int, float, str]:
    """Order the worst first: least utility, then further down the chain, then the most confident errors."""
    return s.values.get("utility", 1.0), -LABELS.index(s.label), -(s.confidence or 0.0), s.id


def _answer(answer: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    return {name: answer[name] for name in ("text", "error", "citations", "conflicts") if answer.get(name)}


def _expected(case: Case) -> list[str]:
    lines = [" or ".join(group) for group in case.answer_groups]
    lines += [" or ".join(case.answers)] if case.answers else []
    return lines + [f"not: {wrong}" for wrong in case.not_answers]


def _by_id(run: Run) -> tuple[dict[str, Case], dict[str, dict[str, Any]]]:
    """Read the cases and answers of a run; a baseline kept without them still compares."""
    cases = run.folder / "cases.jsonl"
    known = {c.id: c for c in read_cases(cases)} if cases.exists() else {}
    return known, {row["id"]: row for row in read_lines(run.folder / "answers.jsonl")}


def _markdown_row(name: str, figure: Figure, change: Difference | None, *, compared: bool) -> str:
    digits = 1 if name in SPEED else 3
    ends = f"[{figure.interval.low:.{digits}f}, {figure.interval.high:.{digits}f}]" if figure.interval else ""
    row = f"| {METRICS[name].title} | {figure.value:.{digits}f} | {ends} | {figure.n} |"
    if not compared:
        return row
    return row + (f" {change.change:+.3f} | {_verdict(change)} |" if change else " | |")


def _verdict(d: Difference) -> str:
    if d.verdict == "no difference found" and d.detectable:
        return f"{d.verdict} (could have missed up to {d.detectable:.3f})"
    return d.verdict


def _told(s: Score, case: Case | None, answer: Mapping[str, Any] | None) -> str:
    lines = [f"question: {s.question}", f"what went wrong: {s.label}"]
    if case:
        lines += [f"expected: {line}" for line in _expected(case)]
        lines += [f"stands in: {g.doc}: {g.quote}" for g in case.gold]
    if answer:
        lines.append(f"given: {answer.get('error') or answer.get('text', '')}")
        lines += [f"cited: {c['article']}: {c['quote']}" for c in answer.get("citations", ())]
    return "\n".join(lines)


def _xml_text(text: str) -> str:
    """Leave out what XML 1.0 cannot hold."""
    return "".join(c for c in text if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff"))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
