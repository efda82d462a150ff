"""Words taken over from an original: what must be our own is compared with what was read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from rag.corpus import Problem, corpus_files
from rag.text import fold

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_MARK = re.compile(r"\[@[^\]\n]*\]")


def copied_runs(corpus: Path, originals: Path | Iterable[Path], n: int = 8) -> list[Problem]:
    """Find every run of `n` or more consecutive words that an article shares with an original.

    `corpus` is a corpus folder (or any folder of articles), `originals` a folder of texts, or files. Letters
    are compared without case and accents. Each problem names the article, the line and the words.
    """
    files = sorted(originals.rglob("*")) if isinstance(originals, Path) and originals.is_dir() else originals
    known: dict[tuple[str, ...], str] = {}
    for file in [files] if isinstance(files, Path) else files:
        if file.is_file():
            words = _words(file.read_text(encoding="utf-8-sig", errors="replace"))
            for i in range(len(words) - n + 1):
                known.setdefault(tuple(words[i : i + n]), file.name)
    problems: list[Problem] = []
    for file in corpus_files(corpus):
        if file.suffix == ".md":
            for number, line in enumerate(file.read_text(encoding="utf-8-sig").split("\n"), 1):
                problems.extend(Problem(str(file), number, m) for m in _runs(_words(line), known, n))
    return problems


def _words(text: str) -> list[str]:
    return [fold(w) for w in _WORD.findall(_MARK.sub(" ", text))]


def _runs(words: list[str], known: dict[tuple[str, ...], str], n: int) -> list[str]:
    messages = []
    i = 0
    while i + n <= len(words):
        origin = known.get(tuple(words[i : i + n]))
        if origin is None:
            i += 1
            continue
        end = i + n
        while end < len(words) and tuple(words[end - n + 1 : end + 1]) in known:
            end += 1
        messages.append(f"{end - i} consecutive words of {origin}: {' '.join(words[i:end])!r}")
        i = end
    return messages
