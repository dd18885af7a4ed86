"""Small tools for child processes: they die with their parent, and they log to a file that stays small."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_PR_SET_PDEATHSIG = 1
_LOG_BYTES = 10_000_000


def die_with_parent(on_death: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` that makes the kernel send `on_death` to the child when its parent is gone.

    So a supervisor that was killed with -9 leaves no orphans. Linux only, None elsewhere. "Parent" means
    the thread that forked: start children from the main thread.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def preexec() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(on_death))
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return preexec


def follow_parent(on_death: signal.Signals) -> None:
    """Make the kernel send `on_death` to this process when its parent is gone. Linux only."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(on_death))


def open_log(path: Path) -> BinaryIO:
    """Open a log for appending, readable by its owner only; one past 10 MB is set aside as `<name>.1`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LOG_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists and is not a zombie waiting for its parent."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return sys.platform != "linux"
    return stat.rpartition(")")[2].split()[0] != "Z"
