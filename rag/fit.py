"""Learn `rag/weights.py` from questions with known answers: `python -m rag.fit [--work=DIR] [NAME=FOLDER ...]`.

From the shipped corpus' questions of the split `tune` and those of `tuning.jsonl`, its near misses of the articles that
no scorer was trained with, and from public sets in the same layout (`docs.jsonl`,
`questions.jsonl`), each given as a folder, of which the documents of `rag.splits` are used. What is learnt, all of it
linear, so that a reader can follow every decision:

* `ranking` and `choosing`: which sentence answers, among all and among the best few. Conditional logit
  over the candidates of a question (McFadden 1974), the right ones sharing the target.
* `answerable`, `right`: whether the candidates answer at all, and whether the best one is right. Logistic regression,
  classes balanced for the former, in which questions of the public sets stand for those on something else.
* `threshold`: the probability of `answerable`, in steps of 0.05, that tells the golden questions with and
  without an answer apart best (Youden's J, 1950); of several that do it as well, the one in the middle.

PLAIN is learnt without the questions that the shipped corpus anticipates, and serves documents that have none;
ANTICIPATED with them; READING judges with what the scorer says of the best sentence as well. The scorer was trained on
the anticipated questions, and has seen none of those of the shipped corpus that are learnt from here; of the public
sets, from which `right` is learnt as well, it has seen the part `train`.
"""

from __future__ import annotations

import pprint
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rag.app import assemble
from rag.evidence import ALONE, SIGNS, Candidate, Evidence, logistic
from rag.features import FEATURES
from rag.index import open_index
from rag.ingest import ingest
from rag.language import detect
from rag.models import DEFAULT_SCORER, Embedder, Scorer, Vectors
from rag.question import Question, read_question
from rag.settings import shipped_corpus
from rag.splits import Part, QuestionSet, near_misses, question_sets, strings
from rag.text import LANGUAGES, Language, figures, fold

Matrix = npt.NDArray[np.float64]
_PASSAGES = 12
_PUBLIC_QUESTIONS = 200
# How much a public question counts beside one of the shipped corpus.
_PUBLIC_WEIGHT = 0.3
NEAR = "near misses"
# There are four times as many as golden questions, and they are nearer to the words of the articles.
_WEIGHTS = {"shipped": 1.0, NEAR: 0.1}
# Questions of each public set, on its own documents, that are asked of the shipped corpus, which has no answer to them.
_STRANGE_QUESTIONS, STRANGE = 60, "strange"
# How much less of Youden's J is as good: about one question of the shipped corpus.
_AS_GOOD = 0.005


@dataclass(frozen=True)
class Example:
    """A question with its candidates, best first."""

    set: str
    part: Part
    case: Mapping[str, Any]
    evidence: Evidence
    question: Question
    vector: Vectors
    found: Sequence[Candidate]

    @property
    def weight(self) -> float:
        """How much it counts."""
        return _WEIGHTS.get(self.set, _PUBLIC_WEIGHT)

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Which candidates answer."""
        return np.array([answers(c, self.case) for c in self.found], dtype=bool)

    def ordered(self, weights: Mapping[Language, Mapping[str, float]]) -> Example:
        """The same with its candidates ordered by other weights of FEATURES."""
        own = weights[self.question.language]
        scored = [replace(c, score=sum(own[n] * c.features[n] for n in FEATURES)) for c in self.found]
        return replace(self, found=sorted(scored, key=lambda c: -c.score))

    def shortlisted(self) -> Example:
        """The same with the best candidates only."""
        return replace(self, found=self.evidence.shortlist(self.vector, self.found))

    def chosen(self, choosing: Mapping[Language, Mapping[str, float]]) -> Example:
        """A shortlist in the order of these weights."""
        return replace(self, found=self.evidence.choose(self.question, self.found, choosing))

    def reread(self, scorer: Scorer) -> Example:
        """The same with those near the first reread."""
        evidence = self.evidence.with_scorer(scorer)
        return replace(self, evidence=evidence, found=evidence.reread(self.question, self.found))


def main(arguments: Sequence[str]) -> None:
    """Fit on the shipped corpus and the public sets named, and write the weights.

    `--work=DIR` keeps the indexes that are built, for the next time; `--scorer=FOLDER` fits for another scorer.
    """
    reader = [a.partition("=")[2] for a in arguments if a.startswith("--scorer=")]
    work = [a.partition("=")[2] for a in arguments if a.startswith("--work=")]
    named = {n: Path(f) for n, _, f in (a.partition("=") for a in arguments if not a.startswith("--"))}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(work[0] if work else temporary)
        embedder, scorer = Embedder.load(), Scorer.load(reader[0] if reader else DEFAULT_SCORER)
        assert scorer is not None, "READING is learnt with a scorer"
        own, *public = question_sets(named, shipped_corpus())
        bare = replace(own, documents=_without_anticipated(own.documents, folder / "bare-corpus"))
        strange = [case for questions in public for case in _strange(questions)]
        examples = {
            "bare": list(_examples(bare, embedder, folder / "bare", strange)),
            "shipped": list(_examples(own, embedder, folder / "shipped", strange)),
            **{q.name: list(_examples(q, embedder, folder / q.name)) for q in public},
        }
    for name, found in examples.items():
        _say(f"{name}: {len(found)} questions")
    elsewhere = [e for questions in public for e in examples[questions.name]]
    plain, anticipated = _order([*examples["bare"], *elsewhere]), _order([*examples["shipped"], *elsewhere])
    read = [e.reread(scorer) for e in anticipated.examples]
    _write(
        PLAIN=(plain, _judge(plain.examples)),
        ANTICIPATED=(anticipated, _judge(anticipated.examples)),
        READING=(None, _judge(read)),
    )


def _strange(questions: QuestionSet) -> list[dict[str, Any]]:
    """Questions on other documents as questions to which the shipped corpus has no answer."""
    learnt = [case for part, case in questions.cases() if part != "test"]
    return [
        {"question": case["question"], "language": case.get("language"), "answerable": False}
        for case in learnt[-_STRANGE_QUESTIONS:]
    ]


def _without_anticipated(corpus: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("articles", "references.yaml"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(corpus.resolve() / name)
    return folder


class Ordering(NamedTuple):
    """Weights that put candidates in order, and the examples so ordered."""

    ranking: Mapping[Language, Mapping[str, float]]
    choosing: Mapping[Language, Mapping[str, float]]
    examples: Sequence[Example]


class Judging(NamedTuple):
    """Weights that tell whether the candidates answer."""

    answerable: Mapping[str, float]
    right: Mapping[str, float]
    threshold: float


def _order(examples: Sequence[Example]) -> Ordering:
    ranking = _fit_both(examples, FEATURES)
    few = [e.ordered(ranking).shortlisted() for e in examples]
    choosing = _fit_both(few, (*FEATURES, ALONE))
    return Ordering(ranking, choosing, [e.chosen(choosing) for e in few if any(c.stated for c in e.found)])


def _judge(final: Sequence[Example]) -> Judging:
    expecting = any(c.features["anticipated"] for e in final for c in e.found)
    signs = [e.evidence.signs(e.question, e.found) for e in final]
    answerable = _fit_logistic(
        [
            (s, bool(e.case.get("answerable", True)), e.weight)
            for s, e in zip(signs, final, strict=True)
            if e.set in ("shipped", STRANGE, NEAR) or (e.set == "clapnq_dev" and not expecting)
        ],
        balanced=True,
    )
    best = [next(n for n, c in enumerate(e.found) if c.stated) for e in final]
    right = _fit_logistic(
        [(s, bool(e.right[n]), e.weight) for s, e, n in zip(signs, final, best, strict=True)], balanced=False
    )
    own = [
        (logistic(answerable, s), bool(e.case.get("answerable", True)))
        for s, e in zip(signs, final, strict=True)
        if e.set == "shipped" and "pair" in e.case["tags"]
    ]
    told_apart = {t / 100: _youden(own, t / 100) for t in range(5, 100, 5)}
    _say("Youden's J by threshold: " + ", ".join(f"{t} {j:.3f}" for t, j in told_apart.items()))
    flat = [t for t, j in told_apart.items() if j >= max(told_apart.values()) - _AS_GOOD]
    return Judging(answerable, right, flat[len(flat) // 2])


def _youden(judged: Sequence[tuple[float, bool]], threshold: float) -> float:
    """Share refused of what has no answer, less share refused of what has one."""
    refused = {answerable: [p < threshold for p, a in judged if a == answerable] for answerable in (True, False)}
    return float(np.mean(refused[False]) - np.mean(refused[True]))


def _fit_both(examples: Sequence[Example], names: Sequence[str]) -> dict[Language, dict[str, float]]:
    return {
        language: _fit_ranking([e for e in examples if e.question.language == language], names)
        for language in LANGUAGES
    }


def _examples(
    questions: QuestionSet, embedder: Embedder, root: Path, strange: Sequence[dict[str, Any]] = ()
) -> Iterator[Example]:
    ingest([questions.documents], root, embedder)
    lexical, retriever, evidence = assemble(open_index(root), embedder)
    most = 10**9 if questions.shipped else _PUBLIC_QUESTIONS
    left = {"train": most, "fit": most, "test": 0}
    cases: list[tuple[str, Part, dict[str, Any]]] = []
    for part, case in questions.cases():
        if left[part]:
            left[part] -= 1
            cases.append((questions.name, part, case))
    near = _near_cases(questions.documents) if questions.shipped else ()
    others = (*((STRANGE, case) for case in strange), *((NEAR, case) for case in near))
    for name, part, case in (*cases, *((name, "fit", case) for name, case in others)):
        language = case.get("language") or detect(case["question"])
        spelled = lexical.respell(case["question"], language)
        question = read_question(spelled, language=language, known_names=evidence.names[language])
        vector = retriever.question_vector(spelled)
        found = evidence.survey(question, vector, retriever.search(spelled, _PASSAGES, language=language))
        if any(c.stated for c in found):
            yield Example(name, part, case, evidence, question, vector, found)


def _near_cases(corpus: Path) -> Iterator[dict[str, Any]]:
    """Both questions of the pairs that are not trained on."""
    for pair in (p for p in near_misses(corpus) if p.part == "fit"):
        own = {"language": pair.article.partition("/")[0]}
        yield {"question": pair.answered, "gold": [{"doc": pair.article, "quotes": [pair.quote]}], **own}
        yield {"question": pair.missed, "answerable": False, **own}


def answers(candidate: Candidate, case: Mapping[str, Any]) -> bool:
    """Whether a sentence is one of the expected, or says all that is expected."""
    if not case.get("answerable", True):
        return False
    sentence, quote = candidate.sentence, candidate.quote
    golds = [g for g in case.get("gold") or [] if (g.get("doc") or g.get("doc_id")) == candidate.article.id]
    for gold in golds:
        start = gold.get("start")
        if start is not None and sentence.start <= start < sentence.end:
            return True
        if any(fold(q) in fold(quote) for q in strings(gold.get("quotes"))):
            return True
    if case.get("answer_groups"):
        return all(any(said(member, quote) for member in group) for group in case["answer_groups"])
    return bool(golds) and any(said(member, quote) for member in case.get("answers") or [])


def said(member: str, quote: str) -> bool:
    """Whether a quote has an expected string: case and accents folded, numbers normalised."""
    if fold(member) in fold(quote):
        return True
    wanted = figures(member)
    return bool(wanted) and not any(c.isalpha() for c in member) and wanted <= figures(quote)


def _fit_ranking(
    examples: Sequence[Example], names: Sequence[str], *, penalty: float = 0.01, steps: int = 600
) -> dict[str, float]:
    """Conditional logit by Adam, from zero: the same data give the same weights."""
    groups = [(e, right) for e in examples if (right := e.right).any()]
    sizes = np.array([len(right) for _, right in groups])
    x = np.array([[c.features[n] for n in names] for e, _ in groups for c in e.found])
    target = np.concatenate([right / right.sum() for _, right in groups])
    group = np.repeat(np.arange(len(groups)), sizes)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    share = np.array([e.weight for e, _ in groups])[group]
    w, first, second = (np.zeros(x.shape[1]) for _ in range(3))
    for step in range(1, steps + 1):
        scores = x @ w
        odds = np.exp(scores - np.maximum.reduceat(scores, starts)[group])
        probability = odds / np.add.reduceat(odds, starts)[group]
        gradient = x.T @ ((probability - target) * share) / share.sum() * sizes.mean() + penalty * w
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        w -= 0.03 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    best = [starts[i] + int(np.argmax(x[starts[i] : starts[i] + n] @ w)) for i, n in enumerate(sizes)]
    hits = np.mean([target[i] > 0 for i in best])
    _say(f"ranking: right first in {hits:.3f} of {len(groups)} training questions that have a right candidate")
    return dict(zip(names, (round(float(v), 3) for v in w), strict=True))


def _fit_logistic(rows: Sequence[tuple[Mapping[str, float], bool, float]], *, balanced: bool) -> dict[str, float]:
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    x = np.array([[signs[name] for name in SIGNS] for signs, *_ in rows])
    y = np.array([label for _, label, _ in rows])
    weights = np.array([w for *_, w in rows])
    if balanced:
        weights = weights * np.where(y, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    held_out = np.zeros(len(y))
    for learnt, left in StratifiedKFold(5).split(x, y):
        intercept, slopes = _logistic_fit(x[learnt], y[learnt], weights[learnt])
        held_out[left] = intercept + x[left] @ slopes
    intercept, slopes = _logistic_fit(x, y, weights)
    _say(
        f"logistic: {len(y)} rows, {y.mean():.2f} positive, "
        f"AUROC by five-fold cross-validation {roc_auc_score(y, held_out):.3f}"
    )
    return {
        "bias": round(intercept, 3),
        **dict(zip(SIGNS, (round(float(v), 3) for v in slopes), strict=True)),
    }


# Signs that speak against an answer, or for neither; all the others speak for one.
_DIRECTION: dict[str, tuple[float | None, float | None]] = {
    **dict.fromkeys(("other_name", "elsewhere", "unsaid", "unknown", "unknown_name"), (None, 0.0)),
    **dict.fromkeys(("share", "spanish", "spanish_meaning"), (None, None)),
}


def _logistic_fit(x: Matrix, y: npt.NDArray[np.bool_], weights: Matrix) -> tuple[float, Matrix]:
    """Logistic regression with a ridge of 1, in which no sign may count against what it is a sign of: a plain fit lets
    correlated signs do so, for a gain on the questions learnt from only.
    """
    from scipy.optimize import minimize

    def loss(w: Matrix) -> tuple[float, Matrix]:
        z = w[0] + x @ w[1:]
        error = weights * (1 / (1 + np.exp(-z)) - y)
        slope = np.concatenate([[error.sum()], x.T @ error + w[1:]])
        return float(np.sum(weights * (np.logaddexp(0, z) - y * z)) + w[1:] @ w[1:] / 2), slope

    bounds = [(None, None), *(_DIRECTION.get(name, (0.0, None)) for name in SIGNS)]
    found = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, bounds=bounds, method="L-BFGS-B")
    return float(found.x[0]), found.x[1:]


_REMARKS = {
    "PLAIN": "Where no question is anticipated, as in most people's documents.",
    "ANTICIPATED": "Where questions are anticipated, as in the shipped corpus.",
    "READING": "The same where a scorer read the best sentence.",
}


def _write(**decisions: tuple[Ordering | None, Judging]) -> None:
    """Rewrite the values of `rag/weights.py`; what stands before them stays."""
    file = Path(__file__).with_name("weights.py")
    head = file.read_text(encoding="utf-8").partition("# Where no question")[0]
    body = ""
    for name, (ordering, judging) in decisions.items():
        values = {**(ordering._asdict() if ordering else {}), **judging._asdict()}
        values.pop("examples", None)
        body += f"# {_REMARKS[name]}\n{name} = " + ("Decisions(\n" if ordering else "replace(\n    ANTICIPATED,\n")
        body += "".join(f"    {n}={_pretty(value)},\n" for n, value in values.items())
        body += ")\n"
    file.write_text(head + body, encoding="utf-8")
    _say(f"wrote {file.name}: to be formatted with `ruff format`")


def _pretty(value: object) -> str:
    return pprint.pformat(value, width=100, sort_dicts=False).replace("'", '"')


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
