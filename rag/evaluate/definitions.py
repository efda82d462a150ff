"""Every figure of a run: its name, which way is better, and how it is computed."""

from __future__ import annotations

from typing import Literal, NamedTuple

Better = Literal["higher", "lower", "neither"]


class Metric(NamedTuple):
    """What a figure is called, which way is better, how it is computed (with its source), and its family."""

    family: str
    name: str
    title: str
    better: Better
    meaning: str


_ALL = (
    Metric(
        "overall",
        "utility",
        "Utility",
        "higher",
        "Mean of 1 for a right answer or a right refusal, 0 for refusing in vain, −1 for a wrong "
        "answer or a failure, the share met for an incomplete one; after CRAG's truthfulness "
        "(Yang et al. 2024).",
    ),
    Metric(
        "overall",
        "right",
        "Right",
        "higher",
        "Share of cases answered or refused rightly; failures count as wrong.",
    ),
    Metric(
        "retrieval",
        "article.recall@1",
        "Article first",
        "higher",
        "Expected articles in rank 1 / expected articles.",
    ),
    Metric(
        "retrieval",
        "article.recall@5",
        "Articles in 5",
        "higher",
        "Expected articles in the first 5 / expected articles.",
    ),
    Metric(
        "retrieval",
        "article.recall@10",
        "Articles in 10",
        "higher",
        "Expected articles in the first 10 / expected.",
    ),
    Metric(
        "retrieval",
        "article.mrr",
        "Article MRR",
        "higher",
        "Mean of 1 / rank of the first expected article.",
    ),
    Metric(
        "retrieval",
        "article.ndcg@10",
        "Article nDCG@10",
        "higher",
        "Σ grade / log2(rank + 1) over the first 10, divided by that of the best order (Järvelin "
        "and Kekäläinen 2002, as trec_eval).",
    ),
    Metric(
        "retrieval",
        "sentence.recall@1",
        "Sentences in 1",
        "higher",
        "Expected sentences held by the first passage / expected sentences; a passage holds one "
        "when it has half of its characters.",
    ),
    Metric(
        "retrieval",
        "sentence.recall@5",
        "Sentences in 5",
        "higher",
        "Expected sentences in 5 passages / expected.",
    ),
    Metric(
        "retrieval",
        "sentence.recall@10",
        "Sentences in 10",
        "higher",
        "Expected sentences in 10 passages / expected.",
    ),
    Metric(
        "retrieval",
        "sentence.all@10",
        "All sentences in 10",
        "higher",
        "Share of cases with every expected sentence in the first 10 passages.",
    ),
    Metric(
        "retrieval",
        "sentence.mrr",
        "Sentence MRR",
        "higher",
        "Mean of 1 / rank of the first expected sentence.",
    ),
    Metric(
        "retrieval",
        "sentence.ndcg@10",
        "Sentence nDCG@10",
        "higher",
        "nDCG over expected sentences; a passage counts for those it is the first to hold.",
    ),
    Metric(
        "answers",
        "groups",
        "Groups met",
        "higher",
        "Groups of wordings of which a member is said / groups; case and accents folded, figures read.",
    ),
    Metric(
        "answers",
        "figures",
        "Figures right",
        "higher",
        "Share of cases in which every expected figure is given exactly, after reading "
        "separators, scales and percent signs.",
    ),
    Metric(
        "answers",
        "exact",
        "Exact match",
        "higher",
        "SQuAD's EM; a refusal is the empty answer (SQuAD 2.0).",
    ),
    Metric(
        "answers",
        "f1",
        "Token F1",
        "higher",
        "SQuAD's F1 of words, best reference; a refusal is the empty answer.",
    ),
    Metric(
        "answers",
        "answer.recall",
        "Words recalled",
        "higher",
        "Words of the best reference that are said / its words.",
    ),
    Metric(
        "answers",
        "wrong_value",
        "Wrong value stated",
        "lower",
        "Share of cases in which a value named as wrong is stated outside a conflict.",
    ),
    Metric(
        "answers",
        "first",
        "First sentence right",
        "higher",
        "Share of answerable cases whose answer opens with an expected sentence, or with one that says all that is "
        "expected; a refusal does not.",
    ),
    Metric(
        "answers",
        "words",
        "Words",
        "neither",
        "Mean number of words of an answer.",
    ),
    Metric(
        "citations",
        "quotes_exact",
        "Quotes exact",
        "higher",
        "Citations whose quote stands in the article at the very characters given / citations.",
    ),
    Metric(
        "citations",
        "sources_right",
        "Sources right",
        "higher",
        "Citations that name exactly the publications behind those characters / citations.",
    ),
    Metric(
        "citations",
        "cited.article",
        "Right article cited",
        "higher",
        "Share of answerable cases that cite an expected article.",
    ),
    Metric(
        "citations",
        "cited.precision",
        "Citation precision",
        "higher",
        "Cited sentences that are expected / cited.",
    ),
    Metric(
        "citations",
        "cited.recall",
        "Citation recall",
        "higher",
        "Expected sentences that are cited / expected.",
    ),
    Metric(
        "citations",
        "cited.char_precision",
        "Citation precision (characters)",
        "higher",
        "Cited characters that are expected / cited characters.",
    ),
    Metric(
        "citations",
        "cited.char_recall",
        "Citation recall (characters)",
        "higher",
        "Expected characters that are cited / expected characters.",
    ),
    Metric(
        "citations",
        "supported",
        "Supported",
        "higher",
        "Sentences whose words and figures stand in what they cite / sentences; see rag.evaluate.support.",
    ),
    Metric(
        "refusals",
        "refusal.precision",
        "Refusal precision",
        "higher",
        "Right refusals / refusals.",
    ),
    Metric(
        "refusals",
        "refusal.recall",
        "Refusal recall",
        "higher",
        "Refused unanswerable / unanswerable.",
    ),
    Metric(
        "refusals",
        "over_refusal",
        "Refused in vain",
        "lower",
        "Refused answerable / answerable.",
    ),
    Metric(
        "refusals",
        "refusal.auroc",
        "Refusal AUROC",
        "higher",
        "Chance that an unanswerable question is surer to be refused than an answerable one (Mann–Whitney); "
        "surety of refusing is the confidence of a refusal, and 1 − the confidence of an answer.",
    ),
    Metric(
        "refusals",
        "confidence.auroc",
        "Confidence AUROC",
        "higher",
        "Chance that a right answer has more confidence than a wrong one (Mann–Whitney).",
    ),
    Metric(
        "refusals",
        "confidence.aurc",
        "Risk–coverage area",
        "lower",
        "Mean error over all coverages, most confident answers first (El-Yaniv and Wiener 2010).",
    ),
    Metric(
        "refusals",
        "confidence.error",
        "Calibration error",
        "lower",
        "Mean |confidence − share right| over 10 bins of equal size (ECE).",
    ),
    Metric(
        "conflicts",
        "conflict.recall",
        "Conflicts shown",
        "higher",
        "Conflicts shown / cases tagged `conflict`.",
    ),
    Metric(
        "conversation",
        "followup.right",
        "Follow-ups right",
        "higher",
        "Share right of the cases with a history.",
    ),
    Metric(
        "languages",
        "language",
        "Same language",
        "higher",
        "Answers in the language of the question / answers.",
    ),
    Metric(
        "languages",
        "language.gap",
        "English − Spanish",
        "neither",
        "Mean over questions in both languages of right in English − right in Spanish.",
    ),
    Metric(
        "speed",
        "latency.p50",
        "Latency p50 (ms)",
        "lower",
        "Nearest-rank median of the time of an answer.",
    ),
    Metric(
        "speed",
        "latency.p95",
        "Latency p95 (ms)",
        "lower",
        "Nearest-rank 95th percentile, from 40 cases.",
    ),
    Metric(
        "speed",
        "latency.p99",
        "Latency p99 (ms)",
        "lower",
        "Nearest-rank 99th percentile, from 200 cases.",
    ),
)
METRICS: dict[str, Metric] = {m.name: m for m in _ALL}
SPEED = frozenset(m.name for m in _ALL if m.family == "speed")
# What a chat model says of answers (`bpo eval judge`), and how far it agrees with the figures above.
JUDGED: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric(
            "judge",
            "judge.supported",
            "Sentences supported, says the judge",
            "higher",
            "Mean over judged answers of the share of sentences that their quotes state, as a chat model sees it.",
        ),
        Metric(
            "judge",
            "judge.right",
            "Right, says the judge",
            "higher",
            "Share of judged answers that say what a right one says, as a chat model sees it.",
        ),
        Metric(
            "judge",
            "judge.supported.agreement",
            "Agreement on support",
            "higher",
            "Share of sentences of which the judge and `supported` say the same.",
        ),
        Metric(
            "judge",
            "judge.supported.kappa",
            "Agreement on support beyond chance",
            "higher",
            "Cohen's kappa of the same, (po − pe) / (1 − pe) (Cohen 1960): 0 is chance, 1 is always.",
        ),
        Metric(
            "judge",
            "judge.right.agreement",
            "Agreement on right",
            "higher",
            "Share of judged answers of which the judge and `right` say the same.",
        ),
        Metric(
            "judge",
            "judge.right.kappa",
            "Agreement on right beyond chance",
            "higher",
            "Cohen's kappa of the same (Cohen 1960).",
        ),
    )
}
