"""A whole Comptoir in a temporary folder: PostgreSQL (fsync on), tables, and real gateway processes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import machine

HOST = "127.0.0.1"
_READY_SECONDS = 60
_STOP_SECONDS = 15


@dataclass
class Gateway:
    """One running `comptoir serve`, for machines or people: the process that starts the servers."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def pids(self) -> list[int]:
        """The supervisor and every process below it."""
        return machine.family(self.process.pid)

    def stop(self) -> None:
        """Ask it to stop; make it, when that takes too long."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class House:
    """The temporary installation. Django in this process is set up on its database."""

    home: Path
    postgres: Any
    database_url: str

    @property
    def postgres_pids(self) -> list[int]:
        """The database server and all its processes."""
        return machine.family(self.postgres.pid)

    @contextmanager
    def gateway(self, **variables: str) -> Iterator[Gateway]:
        """A gateway process of its own, as `comptoir up` starts it, with more environment variables."""
        with self.serve("gateway", variables) as gateway:
            yield gateway

    @contextmanager
    def serve(self, door: str, variables: Mapping[str, str]) -> Iterator[Gateway]:
        """A process of its own that answers HTTP at one of our doors."""
        import signal

        from comptoir.cli.processes import die_with_parent

        port = _free_port()
        command = [
            *(sys.executable, "-m", "comptoir.cli.main", "serve", door),
            *("--drain", "0", "--port", str(port)),
        ]
        log = self.home / "logs" / f"{door}-{port}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one prctl, no lock is taken
            )
        gateway = Gateway(process, port, log)
        try:
            _wait_ready(gateway)
            yield gateway
        finally:
            gateway.stop()


@contextmanager
def open_house() -> Iterator[House]:
    """Make the installation, and remove every trace of it in the end."""
    home = Path(tempfile.mkdtemp(prefix="comptoir-bench-"))
    postgres = None
    try:
        _take_environment(home)
        from comptoir.cli.home import Home
        from comptoir.cli.postgres import EmbeddedPostgres
        from comptoir.config.environment import embedded_data_dir, read_environment

        folder = Home(home)
        folder.prepare()
        folder.master_key(read_environment())
        postgres = EmbeddedPostgres(embedded_data_dir(home), log_file=folder.logs / "postgres.log")
        postgres.ensure()
        _migrate()
        yield House(home, postgres, postgres.url())
    finally:
        if postgres is not None:
            postgres.stop()
            shutil.rmtree(postgres.socket_dir, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def _take_environment(home: Path) -> None:
    """Nothing of the caller's installation is used: not its home, not its database, not its keys."""
    for name in list(os.environ):
        if name.startswith("COMPTOIR_") or name == "DATABASE_URL":
            del os.environ[name]
    os.environ["COMPTOIR_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "comptoir.config.settings"


def _migrate() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_ready(gateway: Gateway) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{gateway.port}/healthz", timeout=2):
                return
        except OSError:
            if gateway.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the gateway did not start:\n{gateway.log.read_text()[-3000:]}") from None
            time.sleep(0.05)
