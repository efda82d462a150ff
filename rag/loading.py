"""Importing large libraries without what they load or do at import and this product never uses."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any


def load(library: str, *, later: Sequence[str]) -> None:
    """Import a library, and some modules that it imports only when something of them is called.

    Where the library of another version wants more of them at once, it is imported as it wants to be.
    """
    try:
        with deferring(*later):
            importlib.import_module(library)
    except ImportError:
        importlib.import_module(library)


@contextmanager
def deferring(*names: str) -> Iterator[None]:
    """Import libraries for which these modules are only loaded when something of them is called.

    For modules of which only functions and constructors are imported (`from name import function`). One that is
    loaded already, or that is imported elsewhere later, is the real one.
    """
    later = {name: _Later(name) for name in names if name not in sys.modules}
    sys.modules.update(later)
    try:
        yield
    finally:
        for name, module in later.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


class _Later(ModuleType):
    """Stands for a module: what is taken from it loads the module when it is called."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has not been loaded")

        def call(_: type, *args: Any, **named: Any) -> Any:
            return getattr(importlib.import_module(self.__name__), name)(*args, **named)

        return type(name, (), {"__new__": call})  # a class: annotations may join it with `|`


@contextmanager
def without(module: str, function: str) -> Iterator[None]:
    """Import libraries of which one module's function does nothing. Has no effect where the module is loaded."""
    finder = _Without(module, function)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Without(MetaPathFinder):
    def __init__(self, module: str, function: str) -> None:
        self._module = module
        self._function = function

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the one module as Python does, and have its function replaced as soon as it is loaded."""
        if fullname != self._module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path, self._function)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, function: str) -> None:
        super().__init__(fullname, path)
        self._function = function

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, then put a function in its place that does nothing."""
        super().exec_module(module)
        if not hasattr(module, self._function):
            raise ImportError(f"{module.__name__} has no {self._function} any more", name=module.__name__)
        setattr(module, self._function, lambda *_, **__: None)


def collect_rarely() -> None:
    """Have Python look for garbage among young objects rarely: a start makes a million that stay."""
    gc.set_threshold(100_000, 20, 20)


def keep_for_good() -> None:
    """Let no later collection look through what is there now: libraries, models and indexes stay to the end."""
    gc.freeze()
