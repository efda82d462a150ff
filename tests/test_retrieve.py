"""Words and meaning, fused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chat import Chatbot
from rag.index import open_index
from rag.ingest import ingest
from rag.likeness import Likeness
from rag.models import Embedder
from rag.retrieve import HybridRetriever, LexicalRetriever, Words, fuse, top, translation

scores = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30)


@given(scores, st.integers(1, 40))
def test_top_is_the_sorted_head_with_ties_by_position(values: list[float], k: int) -> None:
    array = np.array(values, np.float32)
    assert top(array, k) == sorted(range(len(values)), key=lambda i: (-array[i], i))[:k]


@given(scores, st.floats(0, 1))
def test_fusing_a_score_with_itself_changes_nothing(values: list[float], share: float) -> None:
    array = np.array(values, np.float32)
    assert np.allclose(fuse(array, array, np.full(len(array), share, np.float32)), array, atol=1e-6)


@given(scores, scores)
def test_a_fused_score_lies_between_the_two(one: list[float], other: list[float]) -> None:
    n = min(len(one), len(other))
    a, b = np.array(one[:n], np.float32), np.array(other[:n], np.float32)
    fused = fuse(a, b, np.full(n, 0.3, np.float32))
    assert np.all(fused <= np.maximum(a, b) + 1e-6)
    assert np.all(fused >= np.minimum(a, b) - 1e-6)


TEXTS = [
    "The harbor has 14 cranes",
    "Entry to the museum costs money",
    "Cranes lift timber in the harbor harbor",
]


@given(st.lists(st.sampled_from(["harbor", "crane", "museum", "whale", "cost", "the", "of"]), max_size=6).map(" ".join))
def test_words_never_score_above_their_ceiling(question: str) -> None:
    found = Words(TEXTS, "en").scores(question)
    assert np.all(found >= 0)
    assert np.all(found <= 1)


def test_words_know_nothing_of_an_empty_corpus_or_an_unknown_question() -> None:
    assert Words([], "en").scores("harbor").shape == (0,)
    assert not Words(TEXTS, "en").scores("whales").any()
    assert not Words(TEXTS, "en").scores("").any()


def test_a_slip_is_mended_and_a_name_is_not() -> None:
    words = Words(["salaries in contact centers", "attrition of the personnel"], "en")
    assert words.nearest("salarries") == "salaries"
    assert words.nearest("atrition") == "attrition"
    assert words.nearest("zanzibar") == ""


def test_spanish_is_mended_by_its_sound() -> None:
    words = Words(["las vacaciones de la hermana", "decisión de cobrar"], "es")
    assert words.nearest("bacaciones") == "vacaciones"
    assert words.nearest("ermana") == "hermana"
    assert words.nearest("desicion") == "decision"


def test_a_place_that_no_article_names_is_no_slip(chatbot: Chatbot) -> None:
    assert chatbot.look("cuantos call center hay en tampico", "es")[0].text.endswith("tampico")


def test_translation_swaps_the_language_folder() -> None:
    assert translation("en/attrition") == "es/attrition"
    assert translation("es/a/b") == "en/a/b"
    assert translation("harbor.txt") == translation("fr/x") == translation("en") == ""


def test_the_retrievers_are_langchain_retrievers(library: Path, tmp_path: Path, embedder: Embedder) -> None:
    ingest([library], tmp_path / "i", embedder)
    index = open_index(tmp_path / "i")
    lexical = LexicalRetriever(index=index, k=2)
    hybrid = HybridRetriever(index=index, embedder=embedder, lexical=lexical, likeness=Likeness(index), k=3)
    assert lexical.invoke("museum entry")[0].metadata["article"] == "museum"
    assert lexical.invoke("zebra") == []
    assert hybrid.invoke("How long is the bridge?")[0].metadata["article"] in (
        "bridge",
        "puente",
    )
    assert len(hybrid.batch(["bridge", "harbor"])) == 2
    index.close()


def test_a_document_in_one_language_is_found_from_the_other(library: Path, tmp_path: Path, embedder: Embedder) -> None:
    (library / "more.jsonl").unlink()
    ingest([library], tmp_path / "i", embedder)
    index = open_index(tmp_path / "i")
    lexical = LexicalRetriever(index=index)
    hybrid = HybridRetriever(index=index, embedder=embedder, lexical=lexical, likeness=Likeness(index))
    assert hybrid.search("¿Cuántas grúas tiene el puerto de Alden?")[0].passage.metadata["article"] == "harbor.txt"
    index.close()


@pytest.mark.parametrize("language", ["en", "es"])
def test_questions_meet_articles_of_their_own_language(
    chatbot: Chatbot, golden: list[dict[str, object]], language: str
) -> None:
    questions = [q for q in golden if q["language"] == language and not q.get("history")][::40]
    for question in questions:
        hits = chatbot.search(str(question["question"]), 10)
        assert len(hits) == 10
        assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
        assert len({h.passage.id for h in hits}) == 10
    assert questions


def test_the_same_question_finds_the_same(chatbot: Chatbot) -> None:
    one, other = (chatbot.search("attrition in Tijuana", 10) for _ in range(2))
    assert [(h.passage.id, h.score) for h in one] == [(h.passage.id, h.score) for h in other]
