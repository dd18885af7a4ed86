"""Helpers to start real processes and to wait for what they do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Wait until `condition()` is true; fail loudly when that does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {seconds} s: {condition}")
        time.sleep(0.05)


class Up:
    """A `comptoir up` in a process of its own."""

    def __init__(self, home: Path, port: int, *arguments: str, **variables: str) -> None:
        self.home, self.port = home, port
        self.output = home.parent / f"up-{time.monotonic_ns()}.out"
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "comptoir.cli.main", "up", *arguments],
                env=_environment({"COMPTOIR_HOME": str(home), "COMPTOIR_PORT": str(port), **variables}),
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        """Everything it printed so far."""
        return self.output.read_text()

    def wait_ready(self) -> None:
        """Wait for its screen."""
        wait_for(lambda: "Comptoir is ready" in self.said() or self.process.poll() is not None)
        assert self.process.poll() is None, self.said()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def pid_of(self, name: str) -> int:
        """Process id of one of its children."""
        return int((self.home / "run" / f"{name}.pid").read_text())


def _environment(changes: Mapping[str, str]) -> dict[str, str]:
    dropped = ("COMPTOIR_", "DATABASE_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, **changes}


def processes_of(home: Path) -> list[int]:
    """Ids of all processes that work for a home folder: its children, and its database's postmaster."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environ = (entry / "environ").read_bytes().split(b"\0")
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"COMPTOIR_HOME={home}".encode() in environ or f"{home}/postgres/data".encode() in command:
            found.append(int(entry.name))
    return found
