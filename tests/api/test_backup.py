"""A backup is taken while shops pay, brought back elsewhere, proven, and served from."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.api.load import SUCCESS, Load
from tests.api.support import ROOT, House
from tests.api.test_keys import two
from tests.api.test_operations import healthy
from tests.cli.processes import processes_of
from tests.conftest import Server as DatabaseServer
from tests.conftest import _DjangoOn

pytestmark = pytest.mark.slow


@contextmanager
def empty_database(server: DatabaseServer) -> Iterator[str]:
    name = f"restored_{uuid4().hex[:12]}"
    url = server.create(name)
    try:
        yield url
    finally:
        server.drop(name)


def comptoir(house: House, url: str, *command: str) -> subprocess.CompletedProcess[str]:
    """What an operator types, on a database."""
    return subprocess.run(
        [sys.executable, "-m", "comptoir.cli.main", *command],
        env=house._environment({"DATABASE_URL": url}), cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_backup_under_load_is_restored_proven_and_served_from(
    house: House, postgres_server: DatabaseServer, tmp_path: Path
) -> None:
    """Every payment and refund that was answered before the backup began is in it, and answers the same."""
    file = tmp_path / "comptoir.backup"
    shop, travellers = house.shop(), two(house)
    load = Load(house, shop, travellers, hands=3)
    with load.running(pause=0.1):
        healthy(load, 30)
        answered = [one for one in list(load.asked) if one.answer and one.answer.kind == SUCCESS]
        taken = comptoir(house, house.url, "backup", str(file))
        assert taken.returncode == 0, taken.stderr
        healthy(load)
    assert set(load.kinds()) == {SUCCESS}
    assert file.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == [file.name]

    with empty_database(postgres_server) as url:
        restored = comptoir(house, url, "restore", str(file))
        assert restored.returncode == 0, restored.stderr
        assert "Everything agrees." in restored.stdout
        assert comptoir(house, url, "verify").returncode == 0
        assert_held_by(url, [one.ref for one in answered])
        gateway = house.gateway(DATABASE_URL=url)
        port = house.ports.pop()
        try:
            with _DjangoOn(url):
                for one in answered[-10:]:
                    again = shop.till.call(one.name, one.body, port=port)
                    assert one.answer is not None
                    assert again.body == one.answer.body
                fresh = shop.till.pay("AFTER", travellers[0].code(), port=port)
                assert fresh.kind == SUCCESS
                house.assert_holds()
        finally:
            gateway.stop()
            house.servers.remove(gateway)
        refused = comptoir(house, url, "restore", str(file))
        assert refused.returncode == 2
        assert "is not empty" in refused.stderr
        assert comptoir(house, url, "verify").returncode == 0


def assert_held_by(url: str, refs: list[str]) -> None:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT request_ref FROM acquiring_payment WHERE state = 'SUCCESS'"
            " UNION ALL SELECT request_ref FROM acquiring_refund WHERE state = 'SUCCESS'"
        ).fetchall()
    assert set(refs) <= {ref for (ref,) in found}


def test_a_file_that_is_there_is_not_overwritten(house: House, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("mine")
    refused = comptoir(house, house.url, "backup", str(file))
    assert (refused.returncode, file.read_text()) == (2, "mine")
    assert "is there already" in refused.stderr
    nowhere = comptoir(house, house.url, "backup", str(tmp_path / "no" / "backup"))
    assert nowhere.returncode == 2
    assert os.listdir(tmp_path) == ["backup"]


def test_a_torn_backup_changes_nothing(house: House, postgres_server: DatabaseServer, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    assert comptoir(house, house.url, "backup", str(file)).returncode == 0
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 2 // 3])
    with empty_database(postgres_server) as url:
        torn = comptoir(house, url, "restore", str(file))
        assert torn.returncode == 2
        assert "pg_restore failed" in torn.stderr
        with psycopg.connect(url) as connection:
            tables = connection.execute(
                "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
            ).fetchone()
        assert tables == (0,)


def test_a_home_folder_gets_a_server_of_its_own(house: House, tmp_path: Path) -> None:
    """Without DATABASE_URL: made, filled, proven, stopped; a second time it is not empty."""
    file, home = tmp_path / "backup", tmp_path / "home"
    assert comptoir(house, house.url, "backup", str(file)).returncode == 0
    variables = house._environment({"COMPTOIR_HOME": str(home)})
    del variables["DATABASE_URL"]

    def restore() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "comptoir.cli.main", "restore", str(file)]
        return subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, check=False)

    first = restore()
    assert first.returncode == 0, first.stderr
    assert "Everything agrees." in first.stdout
    second = restore()
    assert second.returncode == 2
    assert "is not empty" in second.stderr
    assert processes_of(home) == []
