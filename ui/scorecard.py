"""Runs of an evaluation -> HTML: the form, the run under way, the figures of one run beside those of another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote as percent

from rag.evaluate.comparison import Comparison, Difference, compare
from rag.evaluate.definitions import METRICS
from rag.evaluate.run import Run
from rag.evaluate.summary import Figure, labels
from rag.text import Language
from ui.render import safe
from ui.words import figure, say, verdict

FILES = ("report.html", "summary.md", "metrics.json", "answers.jsonl", "cases.jsonl", "junit.xml")
SHOWN_CHANGED = 12
HEADLINE = (
    "utility", "right", "sentence.recall@10", "cited.precision", "cited.recall", "quotes_exact", "supported",
    "refusal.precision", "refusal.recall", "confidence.auroc", "followup.right", "language.gap", "latency.p95",
)  # fmt: skip


def form(sources: Sequence[str], language: Language) -> str:
    """Show what starts a run: which cases, how many."""
    options = "".join(f'<option value="{name}">{say(f"eval_{name}", language)}</option>' for name in sources)
    options += f'<option value="upload">{say("eval_upload", language)}</option>'
    sizes = "".join(
        f'<option value="{n}">{say("eval_about", language, n=n) if n else say("eval_all", language)}</option>'
        for n in (50, 150, 0)
    )
    return (
        f'<form class="eval-start"><label>{say("eval_cases", language)}<select name="cases">{options}</select></label>'
        f'<label class="eval-file">{say("eval_file", language)}'
        '<input type="file" name="file" accept=".jsonl,.csv,application/x-ndjson,text/csv"></label>'
        f'<label>{say("eval_number", language)}<select name="sample">{sizes}</select></label>'
        f'<button>{say("eval_run", language)}</button><p class="failure" role="alert" hidden></p></form>'
    )


def one(run: Run, before: Run | None, names: Sequence[str], language: Language) -> Iterator[str]:
    """Show a run, beside an earlier one if there is one: figures, labels, what got worse, its files."""
    name = run.folder.name
    found = compare(before.scores, run.scores) if before is not None else None
    yield f"<section><h3>{safe(name)}</h3>{_choice(name, before.folder.name if before else '', names, language)}"
    yield f'<p class="quiet">{say("eval_facts", language, n=f"{len(run.scores):,}", index=_version(run))}</p>'
    yield _scorecard(run, found, language)
    counted = "".join(
        f"<li><span>{safe(verdict(label, language))}</span> <b>{n}</b></li>" for label, n in labels(run.scores).items()
    )
    yield f'<h4>{say("eval_labels", language)}</h4><ul class="eval-labels">{counted}</ul>'
    if found is not None:
        yield _changed(found, language)
    yield _downloads(name, before.folder.name if before else "", language) + "</section>"


def _version(run: Run) -> str:
    return safe(str(run.record.get("identity", {}).get("index_version", "")))


def _choice(name: str, against: str, names: Sequence[str], language: Language) -> str:
    def options(chosen: str, others: Sequence[str]) -> str:
        return "".join(
            f'<option value="{safe(n)}"{" selected" if n == chosen else ""}>{safe(n) or say("eval_nothing", language)}'
            "</option>"
            for n in others
        )

    listed = names if name in names else [name, *names]
    others = ["", *(n for n in listed if n != name)]
    return (
        f'<form class="view-form eval-choice"><label>{say("eval_shown", language)}'
        f'<select name="run">{options(name, listed)}</select></label>'
        f'<label>{say("eval_against", language)}<select name="against">{options(against, others)}</select></label>'
        f"<button>{say('eval_show', language)}</button></form>"
    )


def _scorecard(run: Run, found: Comparison | None, language: Language) -> str:
    changes = {d.name: d for d in found.differences} if found else {}
    heads = ["eval_figure", "eval_value", "eval_interval", "eval_n", *(("eval_change",) if found else ())]
    rows = "".join(
        f"<tr>{_head(name, language)}"
        f"{_cells(name, run.figures[name])}{_change(changes.get(name), language) if found else ''}</tr>"
        for name in HEADLINE
        if run.figures[name].value is not None
    )
    top = "".join(f'<th scope="col">{say(key, language)}</th>' for key in heads)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{say("eval_figure", language)}">'
        f"<table><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _head(name: str, language: Language) -> str:
    title, meaning = figure(name, METRICS[name].title, METRICS[name].meaning, language)
    return f'<th scope="row"><details><summary>{safe(title)}</summary>{safe(meaning)}</details></th>'


def _cells(name: str, figure: Figure) -> str:
    digits = 0 if name.startswith("latency") else 3
    ends = f"{figure.interval.low:.{digits}f} – {figure.interval.high:.{digits}f}" if figure.interval else ""
    return f"<td>{figure.value:.{digits}f}</td><td>{ends}</td><td>{figure.n:,}</td>"


def _change(change: Difference | None, language: Language) -> str:
    if change is None:
        return "<td></td>"
    word = {"better": "eval_better", "worse": "eval_worse"}.get(change.verdict, "eval_same")
    return f'<td class="{word}">{change.change:+.3f} · {say(word, language)}</td>'


def _changed(found: Comparison, language: Language) -> str:
    lead = say("eval_changed", language, worse=len(found.worse), better=len(found.better))
    rows = "".join(
        f'<tr><td lang="{safe(after.language)}">{safe(after.question)}</td>'
        f"<td>{safe(verdict(before.label, language))}</td><td>{safe(verdict(after.label, language))}</td></tr>"
        for before, after in found.worse[:SHOWN_CHANGED]
    )
    heads = "".join(f'<th scope="col">{say(k, language)}</th>' for k in ("eval_question", "eval_before", "eval_now"))
    table = f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    return f"<h4>{lead}</h4>{table if rows else ''}"


def _downloads(name: str, against: str, language: Language) -> str:
    where = f"./evaluation/{percent(name)}"
    query = f"?against={percent(against)}" if against else ""
    links = "".join(f'<a href="{where}/{file}" download="{name}-{file}">{file}</a> ' for file in FILES)
    return (
        f'<p><a class="eval-report" href="{where}/report.html{query}" target="_blank" rel="noopener">'
        f'{say("eval_read", language)}</a></p><p class="quiet">{say("eval_download", language)} {links}</p>'
    )


def unfinished(names: Sequence[str], language: Language) -> str:
    """List the runs that were cut off, to be continued."""
    rows = "".join(
        f'<li>{safe(name)} <button type="button" class="eval-continue" value="{safe(name)}">'
        f"{say('eval_continue', language)}</button></li>"
        for name in names
    )
    return f"<section><h3>{say('eval_unfinished', language)}</h3><ul>{rows}</ul></section>" if rows else ""
