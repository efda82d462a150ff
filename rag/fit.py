"""Learn `rag/weights.py` from questions with known answers: `python -m rag.fit [NAME=FOLDER ...]`.

From the shipped corpus' questions of the split `tune`, and from public sets in the same layout (`docs.jsonl`,
`questions.jsonl`), each given as a folder, of which the half of the documents that hashes to 0 is used. What is
learnt, all of it linear, so that a reader can follow every decision:

* RANKING, CHOOSING: which sentence answers, among all and among the best few. Conditional logit over the candidates
  of a question (McFadden 1974), the right ones sharing the target.
* ANSWERABLE, RIGHT: whether the candidates answer at all, and whether the best one is right. Logistic regression,
  classes balanced for the former, so that its threshold is one half.
"""

from __future__ import annotations

import hashlib
import json
import pprint
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.evidence import FEATURES, REREAD, SIGNS, Candidate, Evidence
from rag.index import open_index
from rag.ingest import ingest
from rag.models import Embedder, Vectors
from rag.question import Question, read_question
from rag.retrieve import HybridRetriever, LexicalRetriever
from rag.settings import shipped_corpus
from rag.text import LANGUAGES, Language, detect, figures, fold
from rag.weights import THRESHOLD

Matrix = npt.NDArray[np.float64]
_PASSAGES = 12
_PUBLIC_QUESTIONS = 700
# How much a public question counts beside one of the shipped corpus.
_PUBLIC_WEIGHT = 0.3


@dataclass(frozen=True)
class Example:
    """A question with its candidates, best first."""

    set: str
    case: Mapping[str, Any]
    evidence: Evidence
    question: Question
    vector: Vectors
    found: Sequence[Candidate]

    @property
    def weight(self) -> float:
        """How much it counts."""
        return 1.0 if self.set == "shipped" else _PUBLIC_WEIGHT

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Which candidates answer."""
        return np.array([_answers(c, self.case) for c in self.found], dtype=bool)

    def ordered(self, weights: Mapping[Language, Mapping[str, float]]) -> Example:
        """The same with its candidates ordered by other weights of FEATURES."""
        own = weights[self.question.language]
        scored = [replace(c, score=sum(own[n] * c.features[n] for n in FEATURES)) for c in self.found]
        return replace(self, found=sorted(scored, key=lambda c: -c.score))

    def reread(self, weights: Mapping[Language, Mapping[str, float]]) -> Example:
        """The same with its best candidates read by themselves, and ordered by these weights of REREAD."""
        return replace(self, found=self.evidence.reread(self.question, self.vector, self.found, weights))


def main(arguments: Sequence[str]) -> None:
    """Fit on the shipped corpus and the public sets named, and write the weights.

    `--work=DIR` keeps the indexes that are built, for the next time.
    """
    work = [a.partition("=")[2] for a in arguments if a.startswith("--work=")]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(work[0] if work else temporary)
        corpus = shipped_corpus()
        sets = [("shipped", corpus, corpus / "questions.jsonl")]
        for argument in (a for a in arguments if not a.startswith("--")):
            name, _, where = argument.partition("=")
            sets.append((name, Path(where) / "docs.jsonl", Path(where) / "questions.jsonl"))
        embedder = Embedder.load()
        examples = []
        for name, documents, questions in sets:
            found = list(_examples(name, [documents], questions, embedder, folder / name))
            _say(f"{name}: {len(found)} questions")
            examples += found
    ranking = _fit_both(examples, FEATURES)
    surveyed = [e.ordered(ranking) for e in examples]
    any_order = {language: dict.fromkeys(REREAD, 0.0) for language in LANGUAGES}
    choosing = _fit_both([e.reread(any_order) for e in surveyed], REREAD)
    final = [e.reread(choosing) for e in surveyed]
    signs = [e.evidence.signs(e.question, e.found) for e in final]
    answerable = _fit_logistic(
        [
            (s, bool(e.case.get("answerable", True)), e.weight)
            for s, e in zip(signs, final, strict=True)
            if e.set in ("shipped", "clapnq_dev")
        ],
        balanced=True,
    )
    right = _fit_logistic([(s, bool(e.right[0]), e.weight) for s, e in zip(signs, final, strict=True)], balanced=False)
    _write(ranking, choosing, answerable, right)


def _fit_both(examples: Sequence[Example], names: Sequence[str]) -> dict[Language, dict[str, float]]:
    return {
        language: _fit_ranking([e for e in examples if e.question.language == language], names)
        for language in LANGUAGES
    }


def _examples(
    name: str, documents: Sequence[Path], questions: Path, embedder: Embedder, root: Path
) -> Iterator[Example]:
    ingest(documents, root, embedder)
    index = open_index(root)
    lexical = LexicalRetriever(index=index)
    retriever = HybridRetriever(index=index, embedder=embedder, lexical=lexical)
    evidence = Evidence(index, lexical, embedder)
    cases = [json.loads(line) for line in questions.read_text(encoding="utf-8").splitlines() if line.strip()]
    chosen = [c for c in cases if not c.get("history") and _is_for_training(c, name)]
    for case in chosen if name == "shipped" else chosen[:_PUBLIC_QUESTIONS]:
        language = case.get("language") or detect(case["question"])
        spelled = lexical.respell(case["question"], language)
        question = read_question(spelled, language=language, known_names=evidence.names[language])
        vector = retriever.question_vector(spelled)
        found = evidence.survey(question, vector, retriever.search(spelled, _PASSAGES, language=language))
        if found:
            yield Example(name, case, evidence, question, vector, found)


def _is_for_training(case: Mapping[str, Any], name: str) -> bool:
    """The shipped `tune` split; of a public set the documents whose hash says so, never single questions."""
    tags = case.get("tags") or {}
    if name == "shipped":
        return bool(tags.get("split") == "tune")
    gold = case.get("gold") or [{}]
    group = tags.get("title") or tags.get("context_doc") or gold[0].get("doc") or gold[0].get("doc_id") or case["id"]
    return int(hashlib.sha256(str(group).encode()).hexdigest(), 16) % 2 == 0


def _answers(candidate: Candidate, case: Mapping[str, Any]) -> bool:
    """Whether a sentence is one of the expected, or says all that is expected."""
    if not case.get("answerable", True):
        return False
    sentence, quote = candidate.sentence, candidate.quote
    golds = [g for g in case.get("gold") or [] if (g.get("doc") or g.get("doc_id")) == candidate.article.id]
    for gold in golds:
        start = gold.get("start")
        if start is not None and sentence.start <= start < sentence.end:
            return True
        if any(fold(q) in fold(quote) for q in _strings(gold.get("quotes"))):
            return True
    if case.get("answer_groups"):
        return all(any(said(member, quote) for member in group) for group in case["answer_groups"])
    return bool(golds) and any(said(member, quote) for member in case.get("answers") or [])


def _strings(value: object) -> list[str]:
    """All the strings in nested lists."""
    if isinstance(value, str):
        return [value]
    return [text for part in value for text in _strings(part)] if isinstance(value, list) else []


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
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import cross_val_predict

    x = np.array([[signs[name] for name in SIGNS] for signs, *_ in rows])
    y = np.array([label for _, label, _ in rows])
    weights = np.array([w for *_, w in rows])
    model = LogisticRegression(C=1.0, max_iter=5000, class_weight="balanced" if balanced else None)
    held_out = cross_val_predict(model, x, y, cv=5, method="decision_function", params={"sample_weight": weights})
    model.fit(x, y, sample_weight=weights)
    _say(
        f"logistic: {len(y)} rows, {y.mean():.2f} positive, "
        f"AUROC by five-fold cross-validation {roc_auc_score(y, held_out):.3f}"
    )
    return {
        "bias": round(float(model.intercept_[0]), 3),
        **dict(zip(SIGNS, (round(float(v), 3) for v in model.coef_[0]), strict=True)),
    }


def _write(
    ranking: Mapping[Language, Mapping[str, float]],
    choosing: Mapping[Language, Mapping[str, float]],
    answerable: Mapping[str, float],
    right: Mapping[str, float],
) -> None:
    file = Path(__file__).with_name("weights.py")
    body = '"""What was learnt from questions with known answers: see `rag.fit`, which writes this file."""\n\n'
    body += "from rag.text import Language\n\n"
    for name, kind, value in (
        ("RANKING", "dict[Language, dict[str, float]]", dict(ranking)),
        ("CHOOSING", "dict[Language, dict[str, float]]", dict(choosing)),
        ("ANSWERABLE", "dict[str, float]", dict(answerable)),
        ("RIGHT", "dict[str, float]", dict(right)),
    ):
        body += f"{name}: {kind} = {pprint.pformat(value, width=100, sort_dicts=False)}\n".replace("'", '"')
    body += (
        "# Below this probability of being answerable the answer is a refusal. Among 0.3, 0.35 ... 0.55 the lowest\n"
        "# whose utility (right +1, wrong -1, refused 0) on the `tune` questions is within 0.01 of the highest.\n"
        f"THRESHOLD = {THRESHOLD}\n"
    )
    file.write_text(body, encoding="utf-8")
    _say(f"wrote {file.name}")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
