"""Whether files are still those that were read: told by their sizes and times, without reading them again.

A snapshot can only ever say "nothing has changed"; where it differs, the files are read and their content decides.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from rag.corpus import corpus_files

# A change within this time of another may leave a file with the same times (2 s on FAT, less elsewhere).
_TICK_NS = 2_000_000_000

Snapshot = dict[str, Any]


def take(paths: Sequence[Path]) -> Snapshot:
    """What reading `paths` depends on, but for the content: the files, and the code that reads them.

    Of each file size, time of change, time of its inode's change and inode; plain data that JSON holds. To be taken
    before the files are read: what changes in between makes the next snapshot differ.
    """
    taken = time.time_ns()
    files: list[list[str | int]] = []
    for file in (f for path in paths for f in corpus_files(path)):
        try:
            found = file.stat()
        except OSError:  # removed since it was listed
            files.append([str(file)])
        else:
            files.append([str(file), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino])
    return {"taken": taken, "reader": _reader(), "paths": [str(p) for p in paths], "files": files}


def is_settled(snapshot: Snapshot) -> bool:
    """Whether every later change must show: no file was changed so shortly before that a change of the same size
    could have left the same times (what Git calls "racily clean", https://git-scm.com/docs/racy-git).
    """
    newest = max((time_ for file in snapshot["files"] for time_ in file[2:4]), default=0)
    return bool(newest < snapshot["taken"] - _TICK_NS)


def is_same(one: Snapshot, other: Snapshot) -> bool:
    """Whether nothing has changed between two snapshots."""
    return {**one, "taken": 0} == {**other, "taken": 0}


@cache
def _reader() -> str:
    """The hash of our own code: another version of it may read the same files differently."""
    code = hashlib.sha256(sys.version.encode())
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        code.update(file.name.encode() + file.read_bytes())
    return code.hexdigest()
