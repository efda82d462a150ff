"""The adapted model: fewer pieces, the same reading of what is left; centred; weights of four bits."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import adapt
from rag.adapt import Source, pieces_to_keep, prune, unpack
from rag.models import Embedder
from rag.splits import QuestionSet

LETTERS = "abcdeñó"
WORDS = ["▁ab", "▁cade", "▁ñed", "cad", "▁книга", "книга", "▁1,500", "1,500", "dedaba", "▁dedaba"]


def source() -> Source:
    """A model of a few thousand weights that knows a handful of pieces in two alphabets."""
    from transformers import BertConfig, BertModel

    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *LETTERS, *WORDS, "中", "<mask>"]
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    spec = adapt._unigram([[p, -float(i)] for i, p in enumerate(pieces)])
    spec["added_tokens"].append({**spec["added_tokens"][0], "id": len(pieces) - 1, "content": "<mask>"})
    return Source(BertModel(config, add_pooling_layer=False).eval(), spec)


def read(model: Source, text: str) -> np.ndarray:
    import torch

    tokens = adapt._fast(model.tokenizer)(text, return_tensors="pt")
    with torch.no_grad():
        found: np.ndarray = model.model(input_ids=tokens["input_ids"]).last_hidden_state[0].numpy()
    return found


@pytest.fixture(scope="module")
def pair() -> tuple[Source, Source]:
    whole = source()
    before = Source(copy.deepcopy(whole.model), whole.tokenizer)
    return before, prune(whole, pieces_to_keep(whole, ["ab cade 1,500"]))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["ab", "cade", "1,500", "ñ", "ó", "d", "cad"]), min_size=1, max_size=8))
def test_a_text_of_kept_pieces_is_read_as_before(pair: tuple[Source, Source], words: list[str]) -> None:
    before, after = pair
    assert np.allclose(read(before, " ".join(words)), read(after, " ".join(words)), atol=1e-5)


def test_foreign_pieces_go_and_short_ones_stay(pair: tuple[Source, Source]) -> None:
    left = [piece for piece, _ in pair[1].tokenizer["model"]["vocab"]]
    assert left[:4] == ["<s>", "<pad>", "</s>", "<unk>"]
    assert {*LETTERS, "▁ab", "▁cade", "cad", "1,500", "▁1,500"} <= set(left)
    assert not {"▁книга", "книга", "中", "<mask>", "dedaba"} & set(left)
    assert pair[1].model.config.vocab_size == len(left) == len(pair[1].model.get_input_embeddings().weight)
    assert [t["content"] for t in pair[1].tokenizer["added_tokens"]] == left[:4]


def test_centring_moves_the_mean_over_any_tokens_alike() -> None:
    model = source()
    off = np.linspace(-1, 1, 8, dtype=np.float32)
    before = read(model, "ab cade")
    adapt.centre(model.model, off)
    assert np.allclose(read(model, "ab cade"), before - off, atol=1e-5)


@given(
    st.lists(
        st.tuples(st.floats(-4, 4, width=16), st.lists(st.integers(0, 15), min_size=32, max_size=32)),
        min_size=1,
        max_size=5,
    )
)
def test_four_bits_are_unpacked(blocks: list[tuple[float, list[int]]]) -> None:
    packed = b"".join(
        np.float16(scale).tobytes() + bytes(n[i] | n[i + 16] << 4 for i in range(16)) for scale, n in blocks
    )
    expected = [np.float32(np.float16(scale)) * (n - 8) for scale, numbers in blocks for n in numbers]
    assert np.allclose(unpack(packed), expected)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(SystemExit, match="does not begin with E5S1"):
        adapt.read_source(str(file))


def test_a_folder_is_adapted_and_loads_as_an_embedder(tmp_path: Path) -> None:
    whole = source()
    whole.model.save_pretrained(tmp_path / "whole")
    adapt._fast(whole.tokenizer).save_pretrained(tmp_path / "whole")
    (tmp_path / "docs.jsonl").write_text(json.dumps({"id": "a", "title": "A", "text": "ab cade ab."}), encoding="utf-8")
    questions = [{"id": "q", "question": "cade ab", "gold": [{"doc": "a"}]}]
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, questions)), encoding="utf-8")
    set_ = QuestionSet("own", tmp_path / "docs.jsonl", tmp_path / "questions.jsonl")
    adapt.adapt(str(tmp_path / "whole"), ["dedaba"], [set_], tmp_path / "out")
    own = Embedder.load(str(tmp_path / "out"))
    assert own.dimension == 8
    assert np.allclose(np.linalg.norm(own.encode(["ab", "dedaba cade"]), axis=1), 1, atol=1e-2)
