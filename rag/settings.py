"""Every option, its default and its sentence: `BPO_*` variables and one TOML file."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from rag.errors import UserError

PREFIX = "BPO_"
CONFIG_VARIABLE = "BPO_CONFIG"


def shipped_corpus() -> Path:
    """The corpus that comes with the product: beside the code in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parent
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent / "corpus"


class Settings(BaseSettings):
    """What can be configured. A variable wins over the TOML file, a command-line flag over both."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    corpus: Path | None = Field(
        None,
        description="Folder or file to answer from; default: what was ingested last, else the shipped corpus.",
    )
    index: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("bpo")) / "index",
        description="Folder that holds the index.",
    )
    server: str = Field("", description="Address of a Chroma server (http://host:8000); default: embedded Chroma.")
    embedder: str = Field(
        "bpo-embedder",
        description="A sentence-transformers model by name or folder; the default comes with the product.",
    )
    scorer: str = Field(
        "bpo-scorer",
        description="A cross-encoder of one output by name or folder, which rereads the best sentences; the default "
        "comes with the product; none leaves it out.",
    )
    chat_model: str = Field(
        "",
        description="A chat model that words the answers: openai:NAME, anthropic:NAME, ollama:NAME, any other "
        "provider:NAME of LangChain, or transformers:FOLDER in this process; default: none, and nothing is sent.",
    )
    chat_url: str = Field(
        "",
        description="Address of the chat model's server, such as http://127.0.0.1:8000/v1; default: the provider's.",
    )
    chat_timeout: float = Field(
        8.0, gt=0, le=600, description="Seconds to the first, and to each next, sentence; after that, quotes."
    )
    chat_calls: int = Field(3, ge=1, le=20, description="Most calls of the chat model for one question.")
    chat_tokens: int = Field(
        6000, ge=1000, le=1_000_000, description="Most tokens of one call, evidence and answer together."
    )
    chat_parallel: int = Field(4, ge=1, le=64, description="Questions that `bpo eval` puts to a chat model at once.")
    chat_price: str = Field(
        "",
        description="US dollars for a million tokens in and out, such as 0.25,2; shown in the trace; default: unknown.",
    )
    chat_cache: Path = Field(
        default_factory=lambda: Path(platformdirs.user_cache_dir("bpo")) / "wordings",
        description="Folder where the replies of the chat model are kept, by model, prompt and index version.",
    )
    host: str = Field("127.0.0.1", description="Address the page listens on.")
    port: int = Field(7860, ge=0, le=65535, description="Port the page listens on; 0 takes a free one.")
    auth: str = Field(
        "",
        description="Who may open the page: NAME:PASSWORD (several with a space between), header:NAME behind a proxy "
        "that logs people in, or none for everybody; needed where others can reach the page.",
    )
    conversations: Path | None = Field(
        None,
        description="SQLite file in which the page keeps conversations, each for who is logged in; default: none, "
        "they stay in the browser.",
    )
    log: Literal["", "figures", "questions"] = Field(
        "", description="Log a JSON line for each answer of the page: figures about it, or questions too; default: no."
    )

    @field_validator("index", "corpus", "chat_cache", "conversations")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().resolve() if value is not None else None

    @field_validator("chat_model")
    @classmethod
    def _provider(cls, value: str) -> str:
        provider, colon, model = value.partition(":")
        if value and not (provider and colon and model):
            raise ValueError("expected provider:model, such as ollama:qwen3")
        return value

    @field_validator("chat_price")
    @classmethod
    def _price(cls, value: str) -> str:
        if value and not re.fullmatch(r"\s*\d+(?:\.\d+)?\s*,\s*\d+(?:\.\d+)?\s*", value):
            raise ValueError("expected two numbers, such as 0.25,2")
        return value

    @property
    def price(self) -> tuple[float, float] | None:
        """`chat_price` as numbers."""
        if not self.chat_price:
            return None
        coming, going = (float(part) for part in self.chat_price.split(","))
        return coming, going

    @field_validator("server", "chat_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("expected an address such as http://127.0.0.1:8000")
        return value.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then variables, then the TOML file: no .env file is read behind anybody's back."""
        return (init_settings, env_settings, _TomlFile(settings_cls))


class _TomlFile(PydanticBaseSettingsSource):
    """The file named by BPO_CONFIG, else `bpo.toml` in the current folder, if there is one."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        named = os.environ.get(CONFIG_VARIABLE)
        file = Path(named) if named else Path("bpo.toml")
        if not named and not file.is_file():
            return {}
        try:
            return tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(f"Settings file {file} cannot be read: {error.strerror}.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UserError(f"Settings file {file} is not TOML: {error}.") from None


def read_settings(**flags: Any) -> Settings:
    """Settings from flags (those that are not None), variables and file.

    Raises UserError for an unknown name or a value that does not fit, naming it and what was expected.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG_VARIABLE}
    for variable in sorted(os.environ):
        if variable.upper().startswith(PREFIX) and variable.upper() not in known:
            raise UserError(f"Unknown setting {variable}: there are {', '.join(sorted(known))}.")
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise UserError(
                f"Unknown setting {name!r} in the settings file: there are {', '.join(Settings.model_fields)}."
            ) from None
        raise UserError(f"Setting {name}={first['input']!r}: {first['msg']}.") from None
