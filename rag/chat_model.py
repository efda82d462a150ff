"""A chat model, wherever it runs: any that LangChain speaks to, or a transformers model in this process.

The one module that talks to chat models. Everything that can go wrong with one becomes a `ModelFailure` that says
in one word what it was; whatever a server does, nobody waits longer than he was willing to.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from rag.errors import UserError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

IN_PROCESS = "transformers"
# What goes wrong with a model, as `words.MODEL_FAILED` says it.
Reason = Literal["timeout", "refused", "limit", "unreachable", "cut", "empty", "failed", "unsupported", "endless"]
# What the classes of the providers call the same thing.
_MOST_TOKENS = ("max_tokens", "num_predict", "max_output_tokens", "max_completion_tokens")
_PIECES = 512  # pieces of a reply that wait to be read before the sender is held up


class ModelFailure(Exception):  # noqa: N818 - it is what happened to the model, not a mistake of this program
    """What went wrong with a model; `detail` is for the trace."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


@dataclass
class Usage:
    """What was used: calls, tokens in and out (counted by the model, else estimated), seconds, US dollars if known."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    cost: float | None = None
    estimated: bool = False

    def add(self, other: Usage) -> None:
        """Add what another call used."""
        self.calls += other.calls
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.seconds += other.seconds
        self.estimated |= other.estimated
        if other.cost is not None:
            self.cost = (self.cost or 0.0) + other.cost

    def to_json(self) -> dict[str, Any]:
        """Plain data for the trace."""
        return {
            "calls": self.calls,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "tokens_estimated": self.estimated,
            "seconds": round(self.seconds, 3),
            "cost_usd": None if self.cost is None else round(self.cost, 6),
        }


@dataclass
class Reply:
    """A reply as it comes. `read` gives its next piece, "" at its end; `close` stops asking for more."""

    usage: Usage
    taken: bool = True  # False once the server has said that it does nothing: then nothing was used
    whole: bool = False  # the model said that it had finished, by itself
    began: float = field(default_factory=time.perf_counter)
    _pieces: queue.Queue[str | ModelFailure | None] = field(default_factory=lambda: queue.Queue(_PIECES))
    _closed: threading.Event = field(default_factory=threading.Event)

    def read(self, seconds: float) -> str:
        """The next piece of text, or "" when there will be none. Raises ModelFailure, at the latest in `seconds`."""
        try:
            piece = self._pieces.get(timeout=max(0.001, seconds))
        except queue.Empty:
            raise ModelFailure("timeout") from None
        if isinstance(piece, ModelFailure):
            raise piece
        return piece or ""

    def put(self, piece: str | ModelFailure | None) -> bool:
        """Hand over a piece, its failure or its end (None); False when nobody reads any more."""
        while not self._closed.is_set():
            if piece == "":
                return True
            try:
                self._pieces.put(piece, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def close(self) -> None:
        """Stop the sender at its next piece; nobody waits for it."""
        self._closed.set()


class ChatModel:
    """A chat model by the name that the user gave it; `where` is the server that prompts go to, "" for none."""

    def __init__(
        self,
        name: str,
        model: BaseChatModel,
        *,
        price: tuple[float, float] | None = None,
        plainer: Callable[[], BaseChatModel] | None = None,
        where: str = "",
    ) -> None:
        self.name = name
        self.where = where
        self._model = model
        self._price = price
        self._plainer = plainer
        self._changing = threading.Lock()

    @classmethod
    def load(
        cls,
        name: str,
        *,
        url: str = "",
        timeout: float = 8.0,
        tokens: int = 800,
        price: tuple[float, float] | None = None,
    ) -> ChatModel:
        """Open `provider:model` at its own address or at `url`; `transformers:FOLDER` runs in this process.

        `price` is US dollars for a million tokens in and out. Nothing is sent yet. Raises UserError when there is
        no such provider, its package is not installed, or it misses its key.
        """
        provider, _, model = name.partition(":")
        if provider == IN_PROCESS:
            return cls(name, _in_process(model, tokens), price=price)
        return cls(
            name,
            _remote(name, url, timeout, tokens),
            price=price,
            plainer=lambda: _remote(name, url, timeout, tokens, temperature=None),
            where=urlsplit(url).netloc.rpartition("@")[2] if url else provider,
        )

    @property
    def window(self) -> int | None:
        """How many tokens fit into its prompt, if LangChain knows."""
        profile = getattr(self._model, "profile", None) or {}
        size = profile.get("max_input_tokens")
        return int(size) if size else None

    def make_room(self, tokens: int) -> None:
        """Have prompts and replies of so many tokens together fit: Ollama cuts off what its window does not hold."""
        fields = type(self._model).model_fields
        if "num_ctx" in fields and getattr(self._model, "num_ctx", None) is None:
            setattr(self._model, "num_ctx", tokens)  # noqa: B010 - a field that not every provider has

    def settle(self, reply: Reply, asked: int, said: int) -> Usage:
        """What a reply has used that was read to its end or closed, for so many characters asked and said."""
        used = reply.usage
        used.seconds = used.seconds or time.perf_counter() - reply.began
        if not used.output_tokens and reply.taken:
            used.input_tokens = used.input_tokens or asked // 4
            used.output_tokens, used.estimated = said // 4, True
        if self._price:
            used.cost = (used.input_tokens * self._price[0] + used.output_tokens * self._price[1]) / 1e6
        return used

    def stream(self, system: str, user: str) -> Reply:
        """Ask. The reply is read from a thread of its own, so that a server that hangs holds up nobody."""
        from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

        messages: list[BaseMessage] = [SystemMessage(system), HumanMessage(user)]
        reply = Reply(Usage(calls=1))
        threading.Thread(target=self._send, args=(messages, reply), daemon=True).start()
        return reply

    def _send(self, messages: Sequence[Any], reply: Reply) -> None:
        said, end, model = 0, None, self._model
        try:
            for piece, finished in self._pieces(model, messages, reply):
                reply.whole |= finished
                said += len(piece)
                if not reply.put(piece):
                    return
            if not reply.whole:
                end = ModelFailure("cut" if said else "empty")
        except Exception as error:  # noqa: BLE001 - clients raise whatever their libraries do: it is told, not hidden
            if "temperature" in str(error) and not said and self._without_temperature(model):
                self._send(messages, reply)
                return
            end = ModelFailure(_reason(error, said), _first_line(error))
            reply.taken = bool(said) or not (getattr(error, "status_code", None) or end.reason == "unreachable")
        reply.usage.seconds = time.perf_counter() - reply.began
        reply.put(end)

    def _without_temperature(self, refused: BaseChatModel) -> bool:
        """Go on with a model that keeps its own temperature; False where that was tried. Several may ask at once."""
        with self._changing:
            if self._plainer is not None and self._model is refused:
                self._model, self._plainer = self._plainer(), None
            return self._model is not refused

    def _pieces(self, model: BaseChatModel, messages: Sequence[Any], reply: Reply) -> Iterator[tuple[str, bool]]:
        """Pieces of the reply and whether one says that it is finished."""
        for chunk in model.stream(list(messages)):
            used = getattr(chunk, "usage_metadata", None)
            if used:
                reply.usage.input_tokens += used.get("input_tokens", 0)
                reply.usage.output_tokens += used.get("output_tokens", 0)
            about = chunk.response_metadata or {}
            finished = any(about.get(k) for k in ("finish_reason", "stop_reason", "done_reason", "done"))
            yield str(chunk.text), finished


# --- opening --------------------------------------------------------------------------------------


def _remote(name: str, url: str, timeout: float, tokens: int, *, temperature: float | None = 0.0) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    address: dict[str, Any] = {"base_url": url} if url else {}
    if url and name.startswith("openai:") and not os.environ.get("OPENAI_API_KEY"):
        address["api_key"] = "none"  # a server of one's own asks for no key, its client for any
    try:
        plain = init_chat_model(name, **address)
        known = set(type(plain).model_fields) | {f.alias for f in type(plain).model_fields.values() if f.alias}
        wanted: dict[str, Any] = {
            "temperature": temperature,
            "timeout": timeout,
            "max_retries": 0,
            "stream_usage": True,
            **dict.fromkeys(_MOST_TOKENS[:1], tokens),
        }
        options = {key: value for key, value in wanted.items() if key in known and value is not None}
        if not known & set(_MOST_TOKENS[:1]):
            options |= {key: tokens for key in _MOST_TOKENS[1:] if key in known}
        if "num_predict" in known:  # Ollama: what a model says to itself first would take the time and the tokens
            options["reasoning"] = False
        if "timeout" not in known and "client_kwargs" in known:
            options["client_kwargs"] = {"timeout": timeout}
        opened: BaseChatModel = init_chat_model(name, **address, **options)
        return opened
    except ImportError as error:
        provider = name.partition(":")[0]
        raise UserError(
            f"BPO_CHAT_MODEL={name!r} needs a package that is not installed ({_first_line(error)} "
            f"Try: pip install 'bpo[{provider}]', or the package that LangChain names for it."
        ) from None
    except Exception as error:  # noqa: BLE001 - every provider has errors of its own for a missing key or a bad name
        raise UserError(
            f"BPO_CHAT_MODEL={name!r} cannot be opened: {_first_line(error)} "
            "Expected provider:model such as openai:gpt-5-mini, anthropic:claude-sonnet-5, ollama:qwen3 or "
            "transformers:FOLDER, with the provider's own key in its variable."
        ) from None


def _in_process(folder: str, tokens: int) -> BaseChatModel:
    """A transformers model that runs here. Nothing is downloaded for a folder."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    local = Path(folder).expanduser().is_dir()
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=local, trust_remote_code=False)
        network: Any = AutoModelForCausalLM.from_pretrained(folder, local_files_only=local, trust_remote_code=False)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise UserError(
            f"BPO_CHAT_MODEL='transformers:{folder}' is no causal language model: {_first_line(error)}"
        ) from None
    network.eval()
    return _hosted(tokenizer, network, tokens)


def _hosted(tokenizer: Any, network: Any, tokens: int) -> BaseChatModel:  # noqa: C901 - a class, where its libraries are
    """A causal language model of this process behind LangChain's interface."""
    from langchain_core.callbacks import CallbackManagerForLLMRun
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
    from langchain_core.messages.ai import UsageMetadata
    from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
    from transformers import StoppingCriteria, StoppingCriteriaList, TextIteratorStreamer

    window = int(getattr(network.config, "max_position_embeddings", 4096))
    turn = threading.Lock()  # one reply at a time: two would share the same processors

    class Stop(StoppingCriteria):
        def __init__(self, asked: threading.Event) -> None:
            self._asked = asked

        def __call__(self, *_: Any, **__: Any) -> bool:
            return self._asked.is_set()

    class InProcess(BaseChatModel):
        @property
        def _llm_type(self) -> str:
            return IN_PROCESS

        def _generate(
            self,
            messages: list[BaseMessage],
            stop: list[str] | None = None,
            run_manager: CallbackManagerForLLMRun | None = None,
            **kwargs: Any,
        ) -> ChatResult:
            text = "".join(str(c.message.text) for c in self._stream(messages, stop, run_manager, **kwargs))
            return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])

        def _stream(
            self,
            messages: list[BaseMessage],
            stop: list[str] | None = None,  # noqa: ARG002
            run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
            **kwargs: Any,  # noqa: ARG002
        ) -> Iterator[ChatGenerationChunk]:
            roles = {"system": "system", "human": "user", "ai": "assistant"}
            turns = [{"role": roles[m.type], "content": str(m.text)} for m in messages]
            if getattr(tokenizer, "chat_template", None):
                prompt = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
            else:
                prompt = "\n\n".join(t["content"] for t in turns) + "\n\n"
            room = window - tokens
            inputs = tokenizer(prompt, return_tensors="pt", truncation=True, max_length=max(16, room))
            inputs.pop("token_type_ids", None)
            streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
            asked, problems = threading.Event(), []

            def generate() -> None:
                try:
                    with turn:
                        network.generate(
                            **inputs,
                            streamer=streamer,
                            max_new_tokens=tokens,
                            do_sample=False,
                            pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id or 0,
                            stopping_criteria=StoppingCriteriaList([Stop(asked)]),
                        )
                except Exception as error:  # noqa: BLE001 - raised again where the reply is read
                    problems.append(error)
                    streamer.end()  # type: ignore[no-untyped-call]

            threading.Thread(target=generate, daemon=True).start()
            said = 0
            try:
                for piece in streamer:
                    said += 1
                    yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
            finally:
                asked.set()
            if problems:
                raise problems[0]
            asked_for = int(inputs["input_ids"].shape[1])
            used = UsageMetadata(input_tokens=asked_for, output_tokens=said, total_tokens=asked_for + said)
            yield ChatGenerationChunk(
                message=AIMessageChunk(content="", usage_metadata=used, response_metadata={"finish_reason": "stop"})
            )

    return InProcess(profile={"max_input_tokens": window})


# --- what went wrong ------------------------------------------------------------------------------


def _reason(error: BaseException, said: int) -> Reason:
    """One word for an error of any client, by its status code and the names of its classes."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status >= 400:
        return "refused" if status in (401, 403) else "limit" if status == 429 else "failed"
    names = " ".join(k.__name__ for e in _chain(error) for k in type(e).__mro__)
    if "Timeout" in names:
        return "timeout"
    if "RemoteProtocolError" in names or "IncompleteRead" in names or "ReadError" in names:
        return "cut" if said else "unreachable"
    if "ConnectError" in names or "ConnectionError" in names:
        return "unreachable"
    return "cut" if said else "failed"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:300] + "."
