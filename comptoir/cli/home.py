"""The home folder: who uses it now, the master key, and small files written whole or not at all."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import signal
import time
from pathlib import Path
from typing import IO, Any

from comptoir.cli.processes import is_alive
from comptoir.config.environment import MASTER_KEY_BYTES, Environment
from comptoir.kernel.errors import ComptoirError

_LEFTOVER_SECONDS = 15


class HomeInUse(ComptoirError):
    """Another `comptoir up` runs on the same home folder."""

    code = "cli.home_in_use"


class Home:
    """A home folder and its layout.

    master.key · demo.json · postgres/ · tls/ · logs/<process>.log · run/<process>.pid · run/up.lock
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = path / "run"
        self.logs = path / "logs"
        self._lock: IO[str] | None = None

    def prepare(self) -> None:
        """Make the folders that are missing, closed to other users."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.run, self.logs):
            folder.mkdir(mode=0o700, exist_ok=True)

    def take(self, url: str) -> None:
        """Take the folder for this process until it ends. Raises HomeInUse naming who has it.

        The kernel frees the lock when the process dies, however it dies.
        """
        lock = (self.run / "up.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().split()
            lock.close()
            who = f"pid {holder[0]}, {holder[1]}" if len(holder) == 2 else "another process"
            raise HomeInUse(
                f"Comptoir already runs on {self.path} ({who}). "
                "Stop it first (Ctrl-C there), or give this one another COMPTOIR_HOME and COMPTOIR_PORT."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()} {url}\n")
        lock.flush()
        self._lock = lock

    def end_leftovers(self) -> None:
        """End children of an earlier supervisor that was killed. Call it with the folder taken."""
        pids = [pid for file in self.run.glob("*.pid") if (pid := self._our_process(file)) is not None]
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + _LEFTOVER_SECONDS
            for pid in filter(is_alive, pids):
                os.kill(pid, number)
            while any(map(is_alive, pids)) and time.monotonic() < deadline:
                time.sleep(0.05)
        for file in self.run.glob("*.pid"):
            file.unlink()

    def master_key(self, environment: Environment) -> None:
        """Make the master key unless the environment or the folder has one."""
        if environment.master_key is None:
            key = base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)).decode() + "\n"
            write_whole(environment.key_file, key.encode())

    def _our_process(self, file: Path) -> int | None:
        """The process a pid file names, if it is alive and was started for this home (ids are reused)."""
        try:
            pid = int(file.read_text())
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if os.fsencode(f"COMPTOIR_HOME={self.path}") in variables else None


def write_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file so that a reader, or a crash, sees the old content or the new, never a part."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.chmod(mode)
    fresh.replace(path)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON file for its owner only, whole or not at all."""
    write_whole(path, (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode())
