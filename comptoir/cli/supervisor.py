"""Runs the processes of one installation: starts them, starts again what dies, stops them in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from comptoir.cli.home import Home, write_whole
from comptoir.cli.postgres import EmbeddedPostgres
from comptoir.cli.processes import die_with_parent, open_log
from comptoir.kernel.errors import ComptoirError

_TICK_SECONDS = 0.1
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
#: A process that lived this long was well: its next death starts with a short pause again.
_WELL_SECONDS = 30.0
_STOP_SECONDS = 15.0
_DEATHS_BEFORE_READY = 5


class StartFailed(ComptoirError):
    """A process did not get ready."""

    code = "cli.start_failed"


class StopAsked(Exception):
    """Not an error: a signal asked the supervisor to stop while it was starting."""


@dataclass(slots=True)
class Child:
    """One supervised process: `comptoir <arguments>`, with `variables` of its own. Its log and pid file carry
    its name."""

    name: str
    arguments: list[str]
    variables: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    pause: float = _FIRST_PAUSE_SECONDS
    start_at: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Keeps `children` (stopped in the order given) and the embedded PostgreSQL (stopped last) running.

    Single-threaded on purpose: the children die with the thread that started them.
    """

    home: Home
    variables: Mapping[str, str]
    postgres: EmbeddedPostgres | None
    children: list[Child] = field(default_factory=list)
    signals: int = 0
    ready: bool = False

    def listen(self) -> None:
        """Note SIGINT, SIGTERM and SIGHUP from now on: the first asks to stop, a second one forces."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def start_postgres(self) -> None:
        """Start the embedded database, if it is ours to run."""
        if self.postgres is not None:
            self.postgres.ensure()
            self._write_pid("postgres", self.postgres.pid)
        self._stop_if_asked()

    def once(self, name: str, arguments: list[str]) -> None:
        """Run `comptoir <arguments>` to its end. Raises StartFailed with the end of its log."""
        log = self.home.logs / f"{name}.log"
        process = self._spawn(log, arguments)
        while process.poll() is None:
            if self.signals:
                process.kill()
            time.sleep(_TICK_SECONDS / 4)
        self._stop_if_asked()
        if process.returncode:
            raise StartFailed(f"`comptoir {' '.join(arguments)}` failed:\n{_end_of(log)}")

    def wait_ready(self, is_ready: Callable[[], bool], seconds: float) -> None:
        """Watch over the children until `is_ready()`. Raises StartFailed when that does not come."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            self.tick()
            self._stop_if_asked()
            failing = [one for one in self.children if one.deaths >= _DEATHS_BEFORE_READY]
            if failing or time.monotonic() > deadline:
                one = failing[0] if failing else self.children[0]
                log = self.home.logs / f"{one.name}.log"
                raise StartFailed(f"{one.name} does not get ready; the end of {log}:\n{_end_of(log)}")
            time.sleep(_TICK_SECONDS)
        self.ready = True

    def watch(self) -> None:
        """Keep everything running until a signal asks to stop."""
        while not self.signals:
            self.tick()
            time.sleep(_TICK_SECONDS)

    def tick(self) -> None:
        """Start again what died. A process that dies at once waits longer each time, up to 10 seconds."""
        if self.postgres is not None and not self.postgres.running:
            self._say("postgres died, starting it again")
            self.start_postgres()
        now = time.monotonic()
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                self._bury(child, now)
            if child.process is None and now >= child.start_at:
                log = self.home.logs / f"{child.name}.log"
                child.process = self._spawn(log, child.arguments, child.variables)
                child.started = now
                self._write_pid(child.name, child.process.pid)

    def stop(self) -> None:
        """Stop the children one after the other, then PostgreSQL. A second signal kills what is left."""
        asked = max(self.signals, 1)
        for child in self.children:
            process = child.process
            if process is None:
                continue
            process.terminate()
            deadline = time.monotonic() + _STOP_SECONDS
            while process.poll() is None and time.monotonic() < deadline and self.signals <= asked:
                time.sleep(_TICK_SECONDS / 4)
            if process.poll() is None:
                process.kill()
                process.wait()
            (self.home.run / f"{child.name}.pid").unlink(missing_ok=True)
        if self.postgres is not None:
            self.postgres.stop(patient=self.signals <= asked)
            (self.home.run / "postgres.pid").unlink(missing_ok=True)

    def _bury(self, child: Child, now: float) -> None:
        assert child.process is not None  # noqa: S101
        if now - child.started > _WELL_SECONDS:
            child.pause = _FIRST_PAUSE_SECONDS
        self._say(f"{child.name} ended with {child.process.returncode}, again in {child.pause:.1f} s")
        child.deaths += 1
        child.start_at = now + child.pause
        child.pause = min(child.pause * 2, _LONGEST_PAUSE_SECONDS)
        child.process = None

    def _spawn(
        self, log_file: Path, arguments: list[str], variables: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        # -P: the folder we were started in is not a place to import from.
        command = [sys.executable, "-P", "-m", "comptoir.cli.main", *arguments]
        with open_log(log_file) as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.variables, **(variables or {})},
                start_new_session=True,  # Ctrl-C in the terminal is ours to pass on, in order
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one prctl, no lock is taken
            )

    def _write_pid(self, name: str, pid: int | None) -> None:
        write_whole(self.home.run / f"{name}.pid", f"{pid}\n".encode())

    def _say(self, text: str) -> None:
        with open_log(self.home.logs / "up.log") as log:
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n".encode())

    def _note(self, number: int, frame: object) -> None:
        self.signals += 1

    def _stop_if_asked(self) -> None:
        if self.signals:
            raise StopAsked


def _end_of(log: Path, size: int = 3000) -> str:
    try:
        return log.read_bytes()[-size:].decode(errors="replace").strip()
    except FileNotFoundError:
        return "(nothing was logged)"
