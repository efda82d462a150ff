"""One case and its answer -> every figure that can be told from the two, and one word for what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rag.corpus import Article
from rag.evaluate import expected, ranking
from rag.evaluate.cases import Case
from rag.evaluate.grounds import Grounds, grounds, overlap, sentences_of, union
from rag.evaluate.support import SUPPORTED, support

# What can have happened to a question, best first. Exactly one for each case; the first that fits.
LABELS = (
    "right",  # what is expected is said, and the expected evidence (where known) is cited
    "right but uncited",  # it is said, and other evidence is cited
    "right refusal",
    "incomplete",  # a part of what is expected is said, or some of its evidence cited
    "should have answered",  # refused, with the evidence among the passages
    "not retrieved",  # the expected evidence is not among the first ten passages
    "retrieved, not used",  # it is, and another article is cited
    "wrong sentence",  # its article is cited, at another place
    "wrong",  # no expected evidence is known that would say more
    "wrong value",  # a value named as wrong is stated
    "not in the corpus",  # the expected evidence is not there to be found
    "should have refused",
    "error",  # the engine failed
    "not judged",  # nothing was expected
)
RIGHT = frozenset({"right", "right but uncited", "right refusal"})
_LONG = 6  # words from which a reference is a text to be covered rather than a wording to be found
_COVERED = 0.7  # share of such a reference's words that a right answer says


@dataclass(frozen=True, slots=True)
class Score:
    """What one answer is worth. `values` and `reasons` together name every metric of a case, each once."""

    id: str
    label: str
    values: Mapping[str, float]
    reasons: Mapping[str, str]
    question: str = ""
    language: str = ""
    group: str = ""
    turn: int = 1
    answerable: bool | None = None
    refused: bool = False
    confidence: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    covered: tuple[int, ...] = ()
    lost: int = 0  # pieces of expected evidence that no longer stand in the corpus

    @property
    def right(self) -> float | None:
        """Whether the answer is right: 1, 0, or None where nothing was expected."""
        return self.values.get("right")

    def to_json(self) -> dict[str, Any]:
        """Give the score as a line of `scores.jsonl`."""
        plain = {name: getattr(self, name) for name in Score.__slots__}
        by_reason: dict[str, list[str]] = {}
        for name, reason in self.reasons.items():
            by_reason.setdefault(reason, []).append(name)
        values = {name: int(v) if v == int(v) else round(v, 10) for name, v in self.values.items()}
        return {**plain, "values": values, "reasons": by_reason, "covered": list(self.covered)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Score:
        """Read the score that `to_json` wrote down."""
        values = {name: float(v) for name, v in data["values"].items()}
        reasons = {name: reason for reason, names in data["reasons"].items() for name in names}
        return cls(**{**data, "values": values, "reasons": reasons, "covered": tuple(data["covered"])})


class _Sheet:
    """Values and reasons while they are being written down."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.reasons: dict[str, str] = {}

    def put(self, names: str, value: float | None, reason: str = "") -> None:
        for name in names.split():
            if value is None:
                self.reasons[name] = reason
            else:
                self.values[name] = float(value)


def score(case: Case, answer: Mapping[str, Any], articles: Mapping[str, Article]) -> Score:
    """Score an answer in the contract's JSON; one with the key `error` is a case that failed."""
    failed = "error" in answer
    ground = grounds(case, articles)
    sheet = _Sheet()
    found = _retrieval(sheet, case, answer, ground)
    refused = not failed and not answer["answered"]
    _answers(sheet, case, answer, refused=refused)
    _citations(sheet, case, answer, articles, ground, refused=refused)
    _conduct(sheet, case, answer, refused=refused)
    label = _label(case, answer, sheet, ground, refused=refused)
    right = None if label == "not judged" else float(label in RIGHT)
    sheet.put("right", right, "nothing expected")
    sheet.put("utility", _utility(label, sheet, refused=refused), "nothing expected")
    return Score(
        id=case.id,
        label=label,
        values=sheet.values,
        reasons=sheet.reasons,
        question=case.question,
        language=case.spoken,
        group=case.group,
        turn=1 + sum(m.role == "user" for m in case.history),
        answerable=case.answerable,
        refused=refused,
        confidence=None if failed else float(answer["confidence"]),
        tags=case.tags,
        covered=tuple(rank for rank, here in enumerate(found, 1) if here),
        lost=len(ground.absent),
    )


def _said(answer: Mapping[str, Any]) -> str:
    """Join what is stated as true: the claims, without marks."""
    return " ".join(claim["text"] for claim in answer.get("claims", ()))


def _shown(answer: Mapping[str, Any]) -> str:
    """Join everything stated: the claims and the sides of conflicts."""
    sides = [s["text"] for c in answer.get("conflicts", ()) for s in c["statements"]]
    return " ".join([_said(answer), *sides])


def _retrieval(sheet: _Sheet, case: Case, answer: Mapping[str, Any], ground: Grounds) -> list[list[int]]:
    passages = [(p["article"], p["start"], p["end"]) for p in answer.get("passages", ())]
    found = ranking.newly_found(passages, ground.sentences)
    why = "unanswerable" if case.answerable is False else "no gold"
    by_article = ground.articles if case.answerable is not False else {}
    grades = ranking.article_grades([doc for doc, _, _ in passages], by_article)
    for k in (1, 5, 10):
        value = ranking.recall(grades, len(by_article), k) if by_article else None
        sheet.put(f"article.recall@{k}", value, why)
    sheet.put("article.mrr", ranking.reciprocal_rank(grades) if by_article else None, why)
    ideal = list(by_article.values())
    sheet.put("article.ndcg@10", ranking.ndcg(grades, ideal, 10) if by_article else None, why)
    # Expected words that no longer stand in the corpus cannot be found: they count as not found.
    lost = sum(bool(g.quote or g.start >= 0) for g in ground.absent)
    total = (len(ground.sentences) + lost) if case.answerable is not False else 0
    why = "no expected sentence" if case.answerable is not False else "unanswerable"
    for k in (1, 5, 10):
        held = ranking.found_within(found, k)
        sheet.put(f"sentence.recall@{k}", held / total if total else None, why)
    sheet.put("sentence.all@10", (ranking.found_within(found, 10) == total) if total else None, why)
    graded = ranking.sentence_grades(found, ground.sentences)
    sheet.put("sentence.mrr", ranking.reciprocal_rank(graded) if total else None, why)
    ideal = [g.grade for g in ground.sentences] + [1] * lost
    sheet.put("sentence.ndcg@10", ranking.ndcg(graded, ideal, 10) if total else None, why)
    return found


def _answers(sheet: _Sheet, case: Case, answer: Mapping[str, Any], *, refused: bool) -> None:
    said, shown = _said(answer), _shown(answer)
    groups = case.answer_groups
    sheet.put("groups", expected.groups_met(shown, groups) if groups else None, "no answer groups")
    with_figures = [g for g in (*groups, case.answers) if g and expected.expected_figures([g])]
    met = expected.figures_met(shown, with_figures) if with_figures else None
    sheet.put("figures", met, "no figures expected")
    references = ("",) if case.answerable is False else case.answers
    if references:
        # SQuAD 2.0: the right answer to an unanswerable question is the empty one. A failure is never right.
        wrong = "error" in answer
        sheet.put("exact", 0.0 if wrong else expected.exact_match(said, references, case.spoken))
        sheet.put("f1", 0.0 if wrong else expected.token_f1(said, references, case.spoken))
    else:
        sheet.put("exact f1", None, "no reference answers")
    recalled = expected.token_recall(said, case.answers, case.spoken) if case.answers else None
    sheet.put("answer.recall", recalled, "no reference answers")
    conflicting = {s["text"] for c in answer.get("conflicts", ()) for s in c["statements"]}
    asserted = [c["text"] for c in answer.get("claims", ()) if c["text"] not in conflicting]
    wrong_ones = [w for w in case.not_answers if any(expected.says(text, w) for text in asserted)]
    # In SQuAD 2.0 they are plausible answers to unanswerable questions: giving one is failing to refuse.
    sheet.put("wrong_value", bool(wrong_ones) if case.not_answers else None, "no wrong values named")
    sheet.put("words", None if refused or "error" in answer else len(said.split()), "no answer")


def _citations(
    sheet: _Sheet,
    case: Case,
    answer: Mapping[str, Any],
    articles: Mapping[str, Article],
    ground: Grounds,
    *,
    refused: bool,
) -> None:
    citations = answer.get("citations", ())
    why = "refused" if refused else "error" if "error" in answer else "no citation"
    exact = [_is_exact(c, articles) for c in citations]
    sheet.put("quotes_exact", sum(exact) / len(exact) if exact else None, why)
    sources = [_has_its_sources(c, articles) for c in citations]
    sheet.put("sources_right", sum(sources) / len(sources) if sources else None, why)
    quotes = {c["n"]: c["quote"] for c in citations}
    claims = answer.get("claims", ())
    carried = [support(c["text"], [quotes[n] for n in c["citations"] if n in quotes]) >= SUPPORTED for c in claims]
    sheet.put("supported", sum(carried) / len(carried) if carried else None, why)
    gold = {(g.doc, g.start, g.end) for g in ground.sentences}
    of_articles = {c["article"] for c in citations} & set(ground.articles)
    expects_article = bool(ground.articles) and case.answerable is not False
    sheet.put("cited.article", bool(of_articles) if expects_article else None, "no expected article")
    if not gold or case.answerable is False:
        reason = "unanswerable" if case.answerable is False else "no expected sentence"
        sheet.put("first", None, reason)
        sheet.put("cited.precision cited.recall cited.char_precision cited.char_recall", None, reason)
        return
    cited = _sentences(citations, articles)
    opening: Mapping[str, Any] = claims[0] if claims else {"text": "", "citations": ()}
    opened = _sentences([c for c in citations if c["n"] in opening["citations"]], articles)
    sheet.put("first", bool(opened & gold) or _says_all(case, opening["text"]))
    sheet.put("cited.precision", len(cited & gold) / len(cited) if cited else None, why)
    sheet.put("cited.recall", len(cited & gold) / len(gold))
    shown = union([(c["article"], c["start"], c["end"]) for c in citations])
    wanted = union(sorted(gold))
    common = sum(overlap(*a, *b) for doc in shown for a in shown[doc] for b in wanted.get(doc, ()))
    characters = _length(shown)
    sheet.put("cited.char_precision", common / characters if characters else None, why)
    sheet.put("cited.char_recall", common / _length(wanted))


def _sentences(citations: Sequence[Mapping[str, Any]], articles: Mapping[str, Article]) -> set[tuple[str, int, int]]:
    """The sentences that are cited, each as (article, start, end)."""
    return {
        (c["article"], a, b)
        for c in citations
        if c["article"] in articles
        for a, b in sentences_of(articles[c["article"]], c["start"], c["end"])
    }


def _says_all(case: Case, text: str) -> bool:
    """Whether one sentence meets every group of wordings; without groups, whether it says an expected answer."""
    if case.answer_groups:
        return expected.groups_met(text, case.answer_groups) == 1.0
    return any(_is_covered(text, reference, case.spoken) for reference in case.answers)


def _conduct(sheet: _Sheet, case: Case, answer: Mapping[str, Any], *, refused: bool) -> None:
    failed = "error" in answer
    known = case.answerable is not None
    sheet.put("refused", refused if known else None, "not said whether answerable")
    spoken = case.spoken
    sheet.put("language", None if failed else answer["language"] == spoken, "error")
    expects = _expects_conflict(case)
    shown = bool(answer.get("conflicts"))
    sheet.put("conflict.shown", shown if expects and case.answerable is not False else None, "no conflict expected")
    timing = answer.get("timings_ms", {}).get("total")
    sheet.put("latency", None if failed or timing is None else timing, "error" if failed else "not timed")


def _expects_conflict(case: Case) -> bool:
    return case.tags.get("conflict", "false") not in ("false", "no", "0", "")


def _is_exact(citation: Mapping[str, Any], articles: Mapping[str, Article]) -> bool:
    article = articles.get(citation["article"])
    return article is not None and article.text[citation["start"] : citation["end"]] == citation["quote"]


def _has_its_sources(citation: Mapping[str, Any], articles: Mapping[str, Article]) -> bool:
    article = articles.get(citation["article"])
    if article is None:
        return False
    theirs = {s.id for s in article.sources_of(citation["start"], citation["end"])}
    return bool(theirs) and {s["id"] for s in citation["sources"]} == theirs


def _length(ranges: Mapping[str, list[tuple[int, int]]]) -> int:
    return sum(b - a for spans in ranges.values() for a, b in spans)


def _is_met(case: Case, answer: Mapping[str, Any], sheet: _Sheet) -> bool | None:
    """Whether the wording expected is there; None when no wording is expected."""
    if not case.answers and not case.answer_groups:
        return None
    met = sheet.values.get("groups", 1.0) == 1.0
    if case.answers:
        met = met and any(_is_covered(_shown(answer), reference, case.spoken) for reference in case.answers)
    return met and not sheet.values.get("wrong_value")


def _is_covered(said: str, reference: str, language: str) -> bool:
    if expected.says(said, reference):
        return True
    long = len(reference.split()) >= _LONG
    return long and expected.token_recall(said, [reference], language) >= _COVERED


def _label(case: Case, answer: Mapping[str, Any], sheet: _Sheet, ground: Grounds, *, refused: bool) -> str:
    if "error" in answer:
        return "error"
    if case.answerable is False:
        return "right refusal" if refused else "should have refused"
    met = _is_met(case, answer, sheet)
    cited = sheet.values.get("cited.recall")
    if met is None and cited is None and not _is_gone(ground):
        return "not judged"
    if not refused and (met or (met is None and cited)):
        return "right but uncited" if cited == 0.0 else "right"
    if sheet.values.get("wrong_value"):
        return "wrong value"
    return _where_it_broke(sheet, ground, answer, refused=refused)


def _is_gone(ground: Grounds) -> bool:
    """Whether all of the expected evidence is missing from the corpus."""
    return bool(ground.absent) and not ground.sentences


def _where_it_broke(sheet: _Sheet, ground: Grounds, answer: Mapping[str, Any], *, refused: bool) -> str:
    """Follow an unmet expectation along the chain: corpus, retrieval, use, sentence."""
    if ground.absent and not sheet.values.get("sentence.recall@10"):
        return "not in the corpus"
    retrieved = _retrieved(sheet, ground)
    if not refused and (sheet.values.get("groups", 0.0) > 0 or sheet.values.get("cited.recall", 0.0) > 0):
        return "incomplete"
    if retrieved is False:
        return "not retrieved"
    if refused:
        return "should have answered"
    if retrieved is None:
        return "wrong"
    used = {c["article"] for c in answer["citations"]}
    return "wrong sentence" if used & set(ground.articles) else "retrieved, not used"


def _retrieved(sheet: _Sheet, ground: Grounds) -> bool | None:
    if ground.sentences:
        return sheet.values["sentence.recall@10"] > 0
    return sheet.values["article.recall@10"] > 0 if ground.articles else None


def _utility(label: str, sheet: _Sheet, *, refused: bool) -> float | None:
    """Give 1 for right (refusing rightly too), 0 for refusing in vain, −1 for wrong, the share met else.

    After the truthfulness score of CRAG (Yang et al. 2024): an honest silence is worth more than an error.
    """
    if label == "not judged":
        return None
    if label in RIGHT:
        return 1.0
    if refused:
        return 0.0
    if label == "incomplete":
        return sheet.values.get("groups", sheet.values.get("cited.recall", 0.0))
    return -1.0


def unmet(case: Case, answer: Mapping[str, Any]) -> list[str]:
    """List the expectations that an answer does not meet, in words for a report."""
    shown = _shown(answer)
    missing = [" / ".join(g) for g in case.answer_groups if not any(expected.says(shown, m) for m in g)]
    if case.answers and not any(_is_covered(shown, r, case.spoken) for r in case.answers):
        missing.append(" / ".join(case.answers))
    return missing
