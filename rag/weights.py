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
        "coverage": 2.013,
        "context": 2.419,
        "meaning": 3.241,
        "passage": 2.806,
        "pairs": 0.563,
        "names": 0.668,
        "other_name": -0.507,
        "year": 0.882,
        "wanted": 0.571,
        "counted": 0.104,
        "news": 0.067,
        "asks": -0.574,
    },
    "es": {
        "coverage": 3.283,
        "context": 2.26,
        "meaning": 2.541,
        "passage": 2.089,
        "pairs": 1.013,
        "names": 0.759,
        "other_name": -0.438,
        "year": 0.779,
        "wanted": 0.79,
        "counted": 0.241,
        "news": -0.495,
        "asks": -0.131,
    },
}
# Without a scorer.
PLAIN = Decisions(
    choosing={
        "en": {
            "coverage": 1.178,
            "context": 1.809,
            "meaning": 2.213,
            "passage": 2.015,
            "pairs": 0.575,
            "names": 0.462,
            "other_name": -0.279,
            "year": 0.836,
            "wanted": 0.361,
            "counted": 0.042,
            "news": 0.125,
            "asks": -0.42,
            "alone": 2.566,
        },
        "es": {
            "coverage": 2.589,
            "context": 1.759,
            "meaning": 1.745,
            "passage": 1.447,
            "pairs": 0.874,
            "names": 0.599,
            "other_name": -0.197,
            "year": 0.912,
            "wanted": 0.566,
            "counted": 0.41,
            "news": -0.152,
            "asks": -0.102,
            "alone": 2.928,
        },
    },
    answerable={
        "bias": -7.785,
        "score": 1.046,
        "share": 1.487,
        "coverage": -0.367,
        "context": -0.238,
        "meaning": 0.978,
        "passage": 0.35,
        "names": 1.726,
        "other_name": -0.34,
        "wanted": -1.017,
        "year": 0.69,
        "unknown": -1.296,
        "unknown_name": 0.404,
        "best_meaning": 0.907,
        "best_context": -0.929,
        "second": 0.929,
        "best_second": 0.664,
        "spanish": -0.356,
        "spanish_meaning": -0.277,
    },
    right={
        "bias": -4.125,
        "score": 0.21,
        "share": 1.777,
        "coverage": -0.726,
        "context": 0.196,
        "meaning": 0.957,
        "passage": 0.629,
        "names": 0.343,
        "other_name": 0.027,
        "wanted": -0.057,
        "year": 0.586,
        "unknown": -0.51,
        "unknown_name": -0.191,
        "best_meaning": -0.214,
        "best_context": -0.334,
        "second": 2.207,
        "best_second": 0.369,
        "spanish": -0.656,
        "spanish_meaning": 0.121,
    },
    threshold=0.35,
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
            "counted": 0.4,
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
            "counted": 0.4,
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
