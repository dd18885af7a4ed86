"""`comptoir up` as a person meets it: real processes on a temporary home."""

from __future__ import annotations

import argparse
import json
import os
import signal
import ssl
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from comptoir.cli import main, up
from comptoir.cli.home import Home
from comptoir.cli.supervisor import Supervisor
from comptoir.config.environment import embedded_url, read_environment
from tests.cli.processes import Up, free_port, processes_of, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    for pid in processes_of(folder):
        os.kill(pid, signal.SIGKILL)


def get(url: str, ca: Path | None = None) -> Any:
    context = ssl.create_default_context(cafile=ca) if ca else None
    with urllib.request.urlopen(url, timeout=5, context=context) as reply:
        return reply.status


def answers(url: str) -> bool:
    try:
        return bool(get(url) == 200)
    except OSError:
        return False


def mark(home: Path, value: int) -> None:
    with psycopg.connect(embedded_url(home)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS mark (value int)")
        connection.execute("INSERT INTO mark VALUES (%s)", (value,))


def marks(home: Path) -> list[int]:
    with psycopg.connect(embedded_url(home)) as connection:
        return [row[0] for row in connection.execute("SELECT value FROM mark ORDER BY value")]


def test_start_refuse_a_second_stop_and_start_again(home: Path) -> None:
    port = free_port()
    url = f"http://localhost:{port}"
    first = Up(home, port)
    first.wait_ready()
    assert get(f"{url}/healthz") == 200
    assert stat.S_IMODE((home / "master.key").stat().st_mode) == 0o600
    key = (home / "master.key").read_text()
    mark(home, 1)

    second = Up(home, free_port())
    assert second.process.wait(30) == 2
    assert f"pid {first.process.pid}, {url}" in second.said()
    assert get(f"{url}/healthz") == 200

    assert first.stop(signal.SIGINT) == 0
    assert processes_of(home) == []
    assert not list((home / "run").glob("*.pid"))

    again = Up(home, port)
    again.wait_ready()
    assert marks(home) == [1]
    assert (home / "master.key").read_text() == key
    assert again.stop(signal.SIGTERM) == 0


def test_a_killed_supervisor_leaves_no_orphans_and_the_next_start_recovers(home: Path) -> None:
    port = free_port()
    first = Up(home, port)
    first.wait_ready()
    mark(home, 1)
    first.process.kill()
    first.process.wait()
    wait_for(lambda: processes_of(home) == [])

    again = Up(home, port)
    again.wait_ready()
    assert marks(home) == [1]
    assert again.stop() == 0


def test_what_dies_is_started_again(home: Path) -> None:
    port = free_port()
    up = Up(home, port)
    up.wait_ready()
    mark(home, 1)
    for name in ("serve", "worker", "postgres"):
        before = up.pid_of(name)
        os.kill(before, signal.SIGKILL)
        wait_for(lambda name=name, before=before: up.pid_of(name) != before)
        wait_for(lambda: answers(f"http://localhost:{port}/healthz"))
    assert marks(home) == [1]
    assert up.stop() == 0


def test_tls_under_a_ca_that_is_kept(home: Path) -> None:
    port, tls_port = free_port(), free_port()
    up = Up(home, port, "--tls", "--tls-port", str(tls_port))
    up.wait_ready()
    ca = home / "tls" / "ca.pem"
    made = ca.read_bytes()
    for name in ("localhost", "127.0.0.1"):
        assert get(f"https://{name}:{tls_port}/healthz", ca) == 200
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        get(f"https://localhost:{tls_port}/healthz")
    assert up.stop() == 0

    again = Up(home, port, "--tls", "--tls-port", str(tls_port))
    again.wait_ready()
    assert ca.read_bytes() == made
    assert get(f"https://localhost:{tls_port}/healthz", ca) == 200
    assert again.stop() == 0


@pytest.mark.skipif("demo" not in main.COMMANDS, reason="the demo world is not part of this build")
def test_the_demo_file_is_written_when_ready(home: Path) -> None:
    up = Up(home, free_port())
    up.wait_ready()
    file = home / "demo.json"
    world = json.loads(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert world["http"] == f"http://localhost:{up.port}"
    assert world["tls"] is None
    assert world["ca_file"] is None
    wanted = {
        "client_id",
        "merchant_private_key",
        "platform_public_key",
        "merchant_id",
        "store_id",
        "currency",
    }
    assert world["clients"]
    assert all(wanted <= client.keys() for client in world["clients"])
    assert {"role", "name", "login", "password", "pin"} <= world["people"][0].keys()
    assert up.stop() == 0


def test_a_taken_port_is_refused_in_words(home: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        up = Up(home, port)
        assert up.process.wait(30) == 2
    assert f"cannot listen on 127.0.0.1:{port}" in up.said()
    assert "--port" in up.said()
    assert not (home / "postgres").exists()


@pytest.mark.parametrize("after", ["postgres.log", "serve.log"])
def test_a_stop_during_the_start_is_clean_too(home: Path, after: str) -> None:
    up = Up(home, free_port())
    wait_for((home / "logs" / after).exists)
    assert up.stop(signal.SIGTERM) == 0
    assert processes_of(home) == []


def test_a_database_that_does_not_answer_is_refused_in_words(home: Path) -> None:
    up = Up(home, free_port(), DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert up.process.wait(30) == 2
    assert "the database does not answer" in up.said()
    assert not (home / "postgres").exists()


def test_help_is_fast_and_names_every_command() -> None:
    shown = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "comptoir.cli.main", "--help"],
        check=True,
        capture_output=True,
        text=True,
    )
    first_words = {line.split()[0] for line in shown.stdout.splitlines() if line.strip()}
    assert first_words.issuperset(main.COMMANDS)
    heavy = ("django", "granian", "psycopg", "rich", "starlette")
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in shown.stderr.splitlines()}
    assert loaded.isdisjoint(heavy)


def test_each_process_of_up_shows_its_own_metrics(tmp_path: Path) -> None:
    """The one port that is given is the first of as many as there are processes."""
    supervisor = Supervisor(Home(tmp_path), {}, None)
    arguments = argparse.Namespace(host="127.0.0.1", tls=False)
    environment = read_environment({"COMPTOIR_HOME": str(tmp_path), "COMPTOIR_METRICS": "9464"})
    up._spawn_all(arguments, environment, supervisor)
    shown = {one.name: one.variables["COMPTOIR_METRICS"] for one in supervisor.children}
    assert shown == {"serve": "[127.0.0.1]:9464", "worker": "[127.0.0.1]:9465"}
    read = [read_environment({"COMPTOIR_METRICS": one}).metrics for one in shown.values()]
    assert read == [("127.0.0.1", 9464), ("127.0.0.1", 9465)]
