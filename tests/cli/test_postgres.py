"""The embedded PostgreSQL through crashes."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from comptoir.cli import postgres
from comptoir.cli.postgres import EmbeddedPostgres, PostgresFailed
from comptoir.config.environment import socket_folder
from tests.cli.processes import wait_for

pytestmark = pytest.mark.slow

_SMALL = {"shared_buffers": "16MB", "fsync": "off"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    made = EmbeddedPostgres(tmp_path / "pg" / "data", log_file=tmp_path / "postgres.log", settings=_SMALL)
    made.ensure()
    yield made
    made.stop()


def count(server: EmbeddedPostgres) -> int:
    with psycopg.connect(server.url()) as connection:
        row = connection.execute("SELECT count(*) FROM mark").fetchone()
        assert row is not None
        return int(row[0])


def add(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS mark (value int)")
        connection.execute("INSERT INTO mark VALUES (1)")


@pytest.mark.parametrize(("memory_gb", "buffers"), [(0.5, "128MB"), (4, "512MB"), (64, "1024MB")])
def test_pages_are_kept_in_an_eighth_of_the_memory(
    monkeypatch: pytest.MonkeyPatch, memory_gb: float, buffers: str
) -> None:
    has = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": int(memory_gb * 2**30) // 4096}
    monkeypatch.setattr(os, "sysconf", has.__getitem__)
    assert postgres._shared_buffers() == buffers


def test_settings_and_folders(server: EmbeddedPostgres, tmp_path: Path) -> None:
    with psycopg.connect(server.url()) as connection:
        shown = {
            name: connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
            for name in ("listen_addresses", "synchronous_commit", "full_page_writes", "jit", "TimeZone")
        }
    assert shown == {
        "listen_addresses": ("",),
        "synchronous_commit": ("on",),
        "full_page_writes": ("on",),
        "jit": ("off",),
        "TimeZone": ("UTC",),
    }
    assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.data_dir.parent.stat().st_mode) == 0o700
    # Others may walk through the folders above, never list them.
    assert not stat.S_IMODE(tmp_path.stat().st_mode) & stat.S_IROTH


def test_only_the_user_who_runs_it_may_connect(server: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"authentication failed|no pg_hba\.conf entry"):
        psycopg.connect(server.url().replace("comptoir@", "somebody@"))


def test_no_statement_value_or_row_reaches_the_log(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE pins (pin text CHECK (pin = ''))")
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("INSERT INTO pins VALUES (%s)", ("secret-one",))
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("INSERT INTO pins VALUES ('secret-two')")
    log = server.log_file.read_text()
    assert "violates check constraint" in log
    assert "secret" not in log


def test_data_survives_a_killed_postmaster(server: EmbeddedPostgres) -> None:
    add(server)
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not server.running)
    server.ensure()
    assert server.pid != pid
    assert count(server) == 1


def test_a_server_left_behind_is_ended_first(server: EmbeddedPostgres) -> None:
    add(server)
    orphan = server.pid
    other = EmbeddedPostgres(server.data_dir, log_file=server.log_file, settings=_SMALL)
    other.ensure()
    try:
        assert not server.running
        assert other.pid != orphan
        assert count(other) == 1
    finally:
        other.stop()


def test_a_pid_file_that_names_a_stranger_is_cleared(server: EmbeddedPostgres) -> None:
    add(server)
    assert server.pid is not None
    pid_file = server.data_dir / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: not server.running)
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    wait_for(lambda: _starts(server))
    assert count(server) == 1


def _starts(server: EmbeddedPostgres) -> bool:
    # Until the last child of the killed postmaster is gone the file is kept, and the start refused.
    try:
        server.ensure()
    except PostgresFailed:
        return False
    return True


def test_a_long_home_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60) / "data"
    server = EmbeddedPostgres(deep, log_file=tmp_path / "log", settings=_SMALL)
    server.ensure()
    try:
        assert len(str(server.socket_dir)) < 60
        add(server)
        assert count(server) == 1
    finally:
        server.stop()
        socket_folder(deep).rmdir()


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / ("f" * 60) / ("g" * 60) / "data"
    trap = socket_folder(deep)
    trap.symlink_to(tmp_path)
    try:
        with pytest.raises(PostgresFailed, match="belongs to somebody else"):
            EmbeddedPostgres(deep, log_file=tmp_path / "log").ensure()
    finally:
        trap.unlink()


def test_an_interrupted_first_start_leaves_no_half_cluster(tmp_path: Path) -> None:
    half = tmp_path / "pg" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(tmp_path / "pg" / "data", log_file=tmp_path / "log", settings=_SMALL)
    server.ensure()
    try:
        add(server)
        assert not half.exists()
    finally:
        server.stop()
