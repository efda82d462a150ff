"""What was learnt from questions with known answers: see `rag.fit`, which writes this file."""

from collections.abc import Mapping
from dataclasses import dataclass

from rag.text import Language


@dataclass(frozen=True)
class Decisions:
    """Linear weights of a second reading (`choosing`), of the judgement whether the candidates answer at all
    (`answerable`) and whether the best one is right (`right`), and the probability of `answerable` below which an
    answer is a refusal.
    """

    choosing: Mapping[Language, Mapping[str, float]]
    answerable: Mapping[str, float]
    right: Mapping[str, float]
    threshold: float


RANKING: dict[Language, dict[str, float]] = {
    "en": {
        "coverage": 1.762,
        "context": 2.177,
        "meaning": 3.68,
        "passage": 2.496,
        "pairs": 0.553,
        "names": 0.576,
        "other_name": -0.53,
        "year": 1.007,
        "wanted": 0.541,
        "news": 0.071,
        "asks": -0.509,
    },
    "es": {
        "coverage": 3.334,
        "context": 2.42,
        "meaning": 1.509,
        "passage": 1.982,
        "pairs": 1.042,
        "names": 0.933,
        "other_name": -0.542,
        "year": 0.817,
        "wanted": 0.855,
        "news": -0.434,
        "asks": -0.131,
    },
}
# Without a scorer.
PLAIN = Decisions(
    choosing={
        "en": {
            "coverage": 1.039,
            "context": 1.808,
            "meaning": 2.428,
            "passage": 1.796,
            "pairs": 0.549,
            "names": 0.39,
            "other_name": -0.318,
            "year": 0.949,
            "wanted": 0.426,
            "news": 0.196,
            "asks": -0.406,
            "alone": 1.861,
        },
        "es": {
            "coverage": 2.936,
            "context": 2.05,
            "meaning": 1.015,
            "passage": 1.488,
            "pairs": 0.984,
            "names": 0.862,
            "other_name": -0.278,
            "year": 1.097,
            "wanted": 0.539,
            "news": -0.278,
            "asks": -0.122,
            "alone": 1.345,
        },
    },
    answerable={
        "bias": -5.57,
        "score": 1.027,
        "share": 0.653,
        "coverage": -0.007,
        "context": -0.311,
        "meaning": 0.05,
        "passage": 0.152,
        "names": 1.931,
        "other_name": -0.223,
        "wanted": -0.723,
        "year": 0.595,
        "unknown": -1.342,
        "unknown_name": 0.609,
        "best_meaning": -0.222,
        "best_context": -0.872,
        "second": 0.556,
        "best_second": 0.25,
        "spanish": -0.13,
        "spanish_meaning": 0.307,
    },
    right={
        "bias": -2.836,
        "score": 0.156,
        "share": 1.917,
        "coverage": -0.147,
        "context": 0.352,
        "meaning": 0.592,
        "passage": 0.682,
        "names": 0.75,
        "other_name": 0.157,
        "wanted": -0.041,
        "year": 0.59,
        "unknown": -0.821,
        "unknown_name": 0.387,
        "best_meaning": -0.44,
        "best_context": -0.991,
        "second": 1.191,
        "best_second": -0.195,
        "spanish": -0.256,
        "spanish_meaning": -0.268,
    },
    threshold=0.4,
)
# With a scorer trained by `rag.train`.
SCORED = Decisions(
    choosing={
        "en": {
            "coverage": 0.911,
            "context": 0.849,
            "meaning": 2.193,
            "passage": 1.455,
            "pairs": 0.309,
            "names": 0.295,
            "other_name": -0.009,
            "year": 0.791,
            "wanted": 0.386,
            "news": -0.061,
            "asks": -0.491,
            "read": 2.235,
        },
        "es": {
            "coverage": 1.863,
            "context": 0.89,
            "meaning": 0.855,
            "passage": 0.91,
            "pairs": 0.688,
            "names": 0.879,
            "other_name": -0.003,
            "year": 0.808,
            "wanted": 0.39,
            "news": -0.203,
            "asks": -0.003,
            "read": 2.322,
        },
    },
    answerable={
        "bias": -3.895,
        "score": 1.378,
        "share": -0.238,
        "coverage": 0.924,
        "context": -0.483,
        "meaning": 0.15,
        "passage": -0.112,
        "names": 1.53,
        "other_name": -0.531,
        "wanted": -0.795,
        "year": 0.722,
        "unknown": -0.642,
        "unknown_name": 0.603,
        "best_meaning": 0.027,
        "best_context": -0.863,
        "second": -0.64,
        "best_second": -1.201,
        "spanish": 0.24,
        "spanish_meaning": 0.438,
    },
    right={
        "bias": -2.574,
        "score": 0.462,
        "share": 1.07,
        "coverage": -0.085,
        "context": 0.01,
        "meaning": 0.836,
        "passage": 0.57,
        "names": 0.554,
        "other_name": -0.382,
        "wanted": -0.073,
        "year": 0.468,
        "unknown": -0.353,
        "unknown_name": 0.17,
        "best_meaning": -0.338,
        "best_context": -0.894,
        "second": -0.203,
        "best_second": -0.286,
        "spanish": -0.152,
        "spanish_meaning": 0.031,
    },
    threshold=0.45,
)
