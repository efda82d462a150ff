"""A run in two small files, to be kept in a repository as the baseline of a gate.

    run.json     what was run: hashes, versions, settings without paths
    scores.csv   a line a case: its label and the figures that a comparison needs

Lines come in the order of the cases, so that a diff shows which questions changed and how. Answers, reasons
and times are left out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from rag.evaluate.comparison import COMPARED, IN_A_CASE
from rag.evaluate.definitions import METRICS
from rag.evaluate.scoring import Score

_ABOUT = ("id", "question", "language", "group", "turn", "answerable", "refused", "confidence", "label")
_FIGURES = tuple(dict.fromkeys(IN_A_CASE.get(name, name) for name in COMPARED))
_VALUE = "value."  # before the name of a figure: one is called as what is told about a case, "language"
_DIGITS = 6
_YES_NO = {"1": True, "0": False, "": None}


def write_scores(scores: Sequence[Score], file: Path) -> None:
    """Write what a comparison needs of scores; figures to six digits."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow([*_ABOUT, *(_VALUE + name for name in _FIGURES)])
    for s in scores:
        about = [getattr(s, name) for name in _ABOUT]
        table.writerow([_cell(v) for v in (*about, *(s.values.get(name) for name in _FIGURES))])
    file.write_text(out.getvalue(), encoding="utf-8")


def read_scores(file: Path) -> tuple[Score, ...]:
    """Read what `write_scores` wrote. Raises KeyError or ValueError for anything else."""
    with file.open(encoding="utf-8", newline="") as lines:
        return tuple(_score(row) for row in csv.DictReader(lines, strict=True))


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, str) else f"{float(value):.{_DIGITS}g}"  # type: ignore[arg-type]


def _score(row: dict[str, str]) -> Score:
    values = {name: float(row[_VALUE + name]) for name in _FIGURES if row[_VALUE + name]}
    return Score(
        id=row["id"],
        label=row["label"],
        values=values,
        reasons={name: "not kept" for name in (*METRICS, *_FIGURES, "latency") if name not in values},
        question=row["question"],
        language=row["language"],
        group=row["group"],
        turn=int(row["turn"]),
        answerable=_YES_NO[row["answerable"]],
        refused=row["refused"] == "1",
        confidence=float(row["confidence"]) if row["confidence"] else None,
    )
