"""Every option, its default and its sentence: `BPO_*` variables and one TOML file."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

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
        "all-MiniLM-L6-v2",
        description="A sentence-transformers model by name or folder; the default comes with the product.",
    )
    host: str = Field("127.0.0.1", description="Address the page listens on.")
    port: int = Field(7860, ge=0, le=65535, description="Port the page listens on; 0 takes a free one.")

    @field_validator("index", "corpus")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().resolve() if value is not None else None

    @field_validator("server")
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
