"""Whether to ship: a TOML file of floors and allowed losses, held against a run.

```toml
strict = false                 # true: what cannot be decided closes the gate too (exit code 4)
max_error_rate = 0.0           # share of cases that may fail before the run counts as incomplete (3)

[absolute]                     # the run by itself; `bound`: "point" (default), "lower" or "upper" end
quotes_exact = { min = 1.0 }
utility = { min = 0.45, bound = "lower" }
"latency.p95" = { max = 1500 }

[relative]                     # against the baseline, case by case
right = { max_drop = 0.0 }     # closes when the loss is more than that, and more than chance

[rows]
must_pass = ["id-7", "kind:figure"]   # ids, or tag:value
max_newly_wrong = 3            # cases right in the baseline and not now
no_new_errors = true
no_lost_evidence = true        # every expected sentence still stands in the corpus
```

In CI, with the baseline that `bpo eval keep` wrote into the repository:

```sh
bpo eval run questions.jsonl --out runs/ci
bpo eval gate runs/ci --policy gate.toml --baseline baseline >> "$GITHUB_STEP_SUMMARY"
```

The step fails when the gate closes; `runs/ci/junit.xml` and `runs/ci/report.html` are worth keeping. A loss
closes a relative rule only when it is more than chance (p < 0.05 after Holm): a difference that so many
cases could not have shown does not.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rag.errors import UserError
from rag.evaluate.comparison import COMPARED, LEVEL, Comparison, Difference, compare
from rag.evaluate.definitions import METRICS
from rag.evaluate.run import Run
from rag.evaluate.scoring import Score
from rag.evaluate.summary import Figure

PASSED, CLOSED, INCOMPLETE, INCONCLUSIVE = 0, 1, 3, 4
_TOP = {"strict": bool, "max_error_rate": (int, float), "absolute": dict, "relative": dict, "rows": dict}
_ROWS = {"must_pass": list, "max_newly_wrong": int, "no_new_errors": bool, "no_lost_evidence": bool}
_BOUNDS = ("point", "lower", "upper")


class Line(NamedTuple):
    """One rule and what became of it."""

    rule: str
    found: str
    state: str  # "passed", "closed" or "undecided"


class Result(NamedTuple):
    """What the gate says: its exit code, and every rule with what was found."""

    code: int
    lines: tuple[Line, ...]

    @property
    def word(self) -> str:
        """Say the result in a word."""
        words = ("passed", "closed", "", "incomplete", "undecided")
        return words[self.code]


def read_policy(file: Path) -> dict[str, Any]:
    """Read and check a gate file. Raises UserError naming the wrong entry and what is allowed there."""
    try:
        policy = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: not TOML: {error}.") from None
    try:
        _check(policy)
    except ValueError as error:
        raise UserError(f"{file}: {error}.") from None
    return policy


def hold(run: Run, policy: Mapping[str, Any], baseline: Run | None = None) -> Result:
    """Hold a run against a policy. Raises UserError when rules need a baseline and there is none."""
    rows = policy.get("rows", {})
    compares = policy.get("relative") or "max_newly_wrong" in rows or rows.get("no_new_errors")
    if compares and baseline is None:
        raise UserError("The gate compares with a baseline: give one with --baseline.")
    absolute = policy.get("absolute", {})
    lines = [_absolute(name, rule, run.figures[name]) for name, rule in absolute.items()]
    if baseline is not None:
        relative = policy.get("relative", {})
        comparison = compare(baseline.scores, run.scores, tuple(relative) or COMPARED)
        lines += _relative(relative, comparison)
        lines += _against(rows, comparison)
        lines += _same_cases(run, comparison)
    lines += [_must_pass(entry, run.scores) for entry in rows.get("must_pass", ())]
    if rows.get("no_lost_evidence"):
        lost = [s for s in run.scores if s.lost]
        lines.append(Line("no lost evidence", _named(lost), "closed" if lost else "passed"))
    failed = sum(s.label == "error" for s in run.scores) / len(run.scores)
    if failed > policy.get("max_error_rate", 0.0):
        allowed = policy.get("max_error_rate", 0.0)
        lines.append(Line(f"failed cases ≤ {allowed:.1%}", f"{failed:.1%}", "closed"))
        return Result(INCOMPLETE, tuple(lines))
    states = {line.state for line in lines}
    if "closed" in states:
        return Result(CLOSED, tuple(lines))
    undecided = "undecided" in states and policy.get("strict", False)
    return Result(INCONCLUSIVE if undecided else PASSED, tuple(lines))


def _check(policy: Mapping[str, Any]) -> None:
    _fields(policy, _TOP, "the file")
    _fields(policy.get("rows", {}), _ROWS, "[rows]")
    for part, allowed in (("absolute", {"min", "max", "bound"}), ("relative", {"max_drop"})):
        for name, rule in policy.get(part, {}).items():
            known = METRICS if part == "absolute" else COMPARED
            if name not in known:
                raise ValueError(f"[{part}] {name!r} is no metric here: there are {', '.join(known)}")
            if not isinstance(rule, dict) or not rule or set(rule) - allowed:
                raise ValueError(f"[{part}] {name!r}: expected a table of {', '.join(sorted(allowed))}")
            numbers = [v for k, v in rule.items() if k != "bound"]
            if not numbers or not all(isinstance(v, (int, float)) for v in numbers):
                raise ValueError(f"[{part}] {name!r}: expected numbers")
            if rule.get("bound", "point") not in _BOUNDS:
                raise ValueError(f"[{part}] {name!r}: bound is one of {', '.join(_BOUNDS)}")


def _fields(table: Mapping[str, Any], known: Mapping[str, Any], where: str) -> None:
    for name, value in table.items():
        if name not in known:
            raise ValueError(f"{where} has {name!r}: there are {', '.join(known)}")
        if not isinstance(value, known[name]):
            raise ValueError(f"{where}: {name!r} cannot be {value!r}")


def _absolute(name: str, rule: Mapping[str, Any], figure: Figure) -> Line:
    bound = rule.get("bound", "point")
    limits = [f"≥ {rule['min']:g}" if "min" in rule else "", f"≤ {rule['max']:g}" if "max" in rule else ""]
    of = "" if bound == "point" else f" ({bound} end)"
    text = f"{name}{of} {' and '.join(limit for limit in limits if limit)}"
    if figure.value is None:
        why = ", ".join(f"{reason}: {n}" for reason, n in figure.missing.items())
        return Line(text, f"no value ({why})", "closed")
    value = figure.value
    if bound != "point":
        if figure.interval is None:
            return Line(text, f"{value:.4g}, without an interval", "undecided")
        value = figure.interval.low if bound == "lower" else figure.interval.high
    kept = rule.get("min", value) <= value <= rule.get("max", value)
    return Line(text, f"{value:.4g} (n = {figure.n})", "passed" if kept else "closed")


def _relative(rules: Mapping[str, Any], comparison: Comparison) -> list[Line]:
    found = {d.name: d for d in comparison.differences}
    return [_drop(name, rule["max_drop"], found.get(name)) for name, rule in rules.items()]


def _drop(name: str, allowed: float, found: Difference | None) -> Line:
    """Close when the test and the whole interval say that too much is lost; leave open what may be chance."""
    text = f"{name} loses ≤ {allowed:g}"
    if found is None:
        return Line(text, "no case has it in both runs", "closed")
    sign = -1 if METRICS[name].better == "lower" else 1
    ends = found.interval or (found.change, found.change)
    least = -max(sign * end for end in ends)  # the smallest loss that the interval allows
    lost = -sign * found.change
    text_found = f"{found.before:.4g} → {found.after:.4g}, p = {found.adjusted:.2g}"
    if lost <= allowed:
        return Line(text, text_found, "passed")
    certain = found.adjusted < LEVEL and (least > allowed or allowed == 0)
    return Line(text, text_found, "closed" if certain else "undecided")


def _against(rows: Mapping[str, Any], comparison: Comparison) -> list[Line]:
    lines = []
    if "max_newly_wrong" in rows:
        wrong = comparison.newly_wrong
        state = "passed" if len(wrong) <= rows["max_newly_wrong"] else "closed"
        lines.append(Line(f"newly wrong ≤ {rows['max_newly_wrong']}", _named([s for _, s in wrong]), state))
    if rows.get("no_new_errors"):
        errors = comparison.new_errors
        lines.append(Line("no new errors", _named([s for _, s in errors]), "closed" if errors else "passed"))
    return lines


def _same_cases(run: Run, comparison: Comparison) -> list[Line]:
    """Leave open whether cases that were asked before would pass, unless only a part was meant to be asked."""
    gone, asked = comparison.only_before, len(run.scores)
    if not gone or run.record.get("of", asked) > asked:
        return []
    return [Line("same cases", f"{len(gone)} missing now: {', '.join(gone[:5])}", "undecided")]


def _must_pass(entry: str, scores: Sequence[Score]) -> Line:
    tag, colon, value = entry.partition(":")
    chosen = [s for s in scores if s.id == entry or (colon and s.tags.get(tag) == value)]
    wrong = [s for s in chosen if s.right != 1]
    if not chosen:
        return Line(f"{entry} passes", "no such case", "closed")
    return Line(f"{entry} passes", f"{len(chosen) - len(wrong)} of {len(chosen)}", "closed" if wrong else "passed")


def _named(scores: Sequence[Score]) -> str:
    shown = ", ".join(s.id for s in scores[:5])
    return f"{len(scores)}{': ' + shown if shown else ''}{', …' if len(scores) > 5 else ''}"
