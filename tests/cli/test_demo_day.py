"""The shopping day: its plan, what it needs, and one played for real on port 443."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from comptoir.cli.demo.day import DayImpossible, _running
from comptoir.cli.demo.day.plan import Kind, plan
from comptoir.cli.main import main
from comptoir.config.environment import embedded_url
from tests.cli.processes import Up, free_port, processes_of

pytest.importorskip("com.alipay", reason="the official SDK is not installed")


def test_the_same_seed_plans_the_same_day() -> None:
    assert plan(200, 7) == plan(200, 7)
    assert plan(200, 7) != plan(200, 8)


@pytest.mark.parametrize("payments", [40, 200, 1000])
def test_every_kind_of_story_is_told_and_most_are_simply_paid(payments: int) -> None:
    stories = plan(payments, 1)
    kinds = Counter(one.kind for one in stories)
    assert set(kinds) == set(Kind)
    assert sum(one.payments for one in stories) == payments
    assert kinds[Kind.PAID] >= payments // 2
    assert [one.number for one in stories] == list(range(1, len(stories) + 1))
    assert all(one.amount > 0 for one in stories)


def test_a_day_of_one_payment_is_a_day() -> None:
    assert len(plan(1, 1)) == 1


def test_without_an_installation_the_day_says_what_to_start(tmp_path: Path) -> None:
    with pytest.raises(DayImpossible, match="comptoir up --tls"):
        _running(tmp_path)


@pytest.mark.parametrize(
    ("tls", "words"),
    [(None, "only speaks TLS"), ("https://localhost:8443", "always connects to port 443")],
)
def test_an_installation_that_the_sdk_cannot_reach_is_explained(
    tmp_path: Path, tls: str | None, words: str
) -> None:
    (tmp_path / "demo.json").write_text(json.dumps({"tls": tls, "ca_file": None}))
    with pytest.raises(DayImpossible, match=words):
        _running(tmp_path)


def test_without_a_database_every_demo_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = command(tmp_path, "demo", "day")
    assert done.returncode == 2
    assert "comptoir up" in done.stderr
    assert main(["demo", "day", "--payments", "0"]) == 2
    assert "--payments" in capsys.readouterr().err


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `comptoir …` on a home, as a person would in another terminal."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COMPTOIR_")}
    kept.pop("DATABASE_URL", None)
    # A master key that is never used: this home may not have one yet.
    key = {} if (home / "master.key").exists() else {"COMPTOIR_MASTER_KEY": os.environ["COMPTOIR_MASTER_KEY"]}
    return subprocess.run(
        [sys.executable, "-m", "comptoir.cli.main", *arguments],
        env={**kept, **key, "COMPTOIR_HOME": str(home)},
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
    )


def may_listen_on_443() -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 443))
        except OSError:
            return False
    return True


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    for pid in processes_of(folder):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.skipif(not may_listen_on_443(), reason="the SDK only knows port 443, which is not free here")
def test_a_day_with_the_official_client_over_tls(home: Path) -> None:
    up = Up(home, free_port(), "--tls")
    up.wait_ready()
    demo: dict[str, Any] = json.loads((home / "demo.json").read_text())
    assert demo["tls"] == "https://localhost"
    assert "ECB, 20" in up.said()

    day = command(home, "demo", "day", "--payments", "40", "--seed", "3")
    assert day.returncode == 0, day.stdout + day.stderr
    assert "Surprise" not in day.stdout
    assert "0 with a bad signature" in " ".join(day.stdout.split())
    assert "Everything agrees." in day.stdout

    report = json.loads(command(home, "verify", "--json").stdout)
    assert report["holds"]
    assert report["payments"] == 40
    assert report["refunds"] > 0

    with psycopg.connect(embedded_url(home), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        changed = connection.execute(
            "UPDATE ledger_transfer SET amount = amount - 1 WHERE batch_seq ="
            " (SELECT max(batch_seq) FROM ledger_transfer WHERE amount > 1) RETURNING batch_seq"
        ).fetchone()
    assert changed is not None
    verdict = command(home, "verify")
    assert verdict.returncode == 1
    assert f"batch {changed[0]}" in verdict.stdout
    assert up.stop() == 0
