"""Secrets are sealed again under a new master key: all of them, once, resumable, and beside live traffic."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection

from comptoir.cli import keys
from comptoir.db.resealing import reseal, versions
from comptoir.db.sealed import CannotUnseal
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.wallet import api as wallet
from tests.conftest import Database
from tests.flows.support import NOW

OLD = bytes(range(32))
NEW = bytes(range(32, 64))


def master(monkeypatch: pytest.MonkeyPatch, version: int, key: bytes, others: dict[int, bytes]) -> None:
    """What COMPTOIR_MASTER_KEY says from now on."""
    changed = replace(settings.COMPTOIR, master_key=key, master_key_version=version, other_master_keys=others)
    monkeypatch.setattr(settings, "COMPTOIR", changed)


@pytest.fixture
def secrets(database: Database) -> Iterator[list[tuple[int, str]]]:
    """A platform key, and three wallets with a PIN and a phone; device and first code of each phone."""
    identity.ensure_platform_key(now=NOW)
    shown = []
    for _ in range(3):
        own = new_id()
        wallet.open_wallet(own, new_id(), "李娜", pin="204681", now=NOW)
        number = wallet.enroll_device(own, "phone", NOW).number
        shown.append((number, wallet.payment_code_for(number, NOW).digits))
    manager = identity.create_person(
        "julien", "Julien", identity.Role.MANAGER, "peper-koek-1830", now=NOW, merchant_id=new_id()
    )
    identity.set_pin(manager.id, "204681")
    user = get_user_model().objects.get()
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(user)
    yield shown
    connection.close()


def test_everything_is_sealed_again_and_opens_under_the_new_key_alone(
    secrets: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    private = identity.platform_key().private_key
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    master(monkeypatch, 2, NEW, {1: OLD})
    columns = keys._columns()
    assert [reseal(column) for column in columns] == [1, 1, 3, 3, 0, 0, 1, 1]
    assert [versions(column) for column in columns] == [
        {2: 1},
        {2: 1},
        {2: 3},
        {2: 3},
        {},
        {},
        {2: 1},
        {2: 1},
    ]
    assert [reseal(column) for column in columns] == [0] * 8
    master(monkeypatch, 2, NEW, {})
    assert identity.platform_key().private_key == private
    identity.check_pin(get_user_model().objects.get().pk, "204681", NOW)
    kept = {one.type: one.wrap() for one in Authenticator.objects.all()}
    assert kept["totp"].validate_code(
        format_hotp_value(hotp_value("JBSWY3DPEHPK3PXP", int(time.time()) // 30))
    )
    assert kept["recovery_codes"].get_unused_codes() == codes
    later = NOW.replace(hour=(NOW.hour + 1) % 24)
    for number, _ in secrets:
        assert wallet.payment_code_for(number, later).digits
    for one in wallet.wallet_summaries(NOW, 10, None):
        wallet.check_pin(one.wallet.id, "204681", NOW)


def test_every_sealed_column_of_the_database_is_walked(database: Database) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE column_name LIKE 'sealed%'"
        )
        found = set(cursor.fetchall())
    assert found == {(column.table, column.column) for column in keys._columns() if not column.within}


def test_what_does_not_open_stops_it_and_stays_as_it_is(
    secrets: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = next(column for column in keys._columns() if column.table == "wallet_device")
    master(monkeypatch, 2, NEW, {1: bytes(32)})
    with pytest.raises(CannotUnseal):
        reseal(seeds)
    assert versions(seeds) == {1: 3}


def test_a_pin_that_is_set_meanwhile_stays(
    secrets: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = next(column for column in keys._columns() if column.table == "wallet_wallet")
    ids = [one.wallet.id for one in wallet.wallet_summaries(NOW, 10, None)]
    master(monkeypatch, 2, NEW, {1: OLD})
    seal_again = reseal.__globals__["seal"]

    def while_the_holder_is_at_it(*arguments: object) -> object:
        wallet.set_pin(ids[0], "913572")
        return seal_again(*arguments)

    monkeypatch.setitem(reseal.__globals__, "seal", while_the_holder_is_at_it)
    assert reseal(pins) == 2
    assert versions(pins) == {2: 3}
    wallet.check_pin(ids[0], "913572", NOW)


def test_a_run_that_is_killed_is_taken_up_where_it_was(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9 in the middle: what was sealed again is, and the next run does the rest."""
    identity.ensure_platform_key(now=NOW)
    own, now = new_id(), utc_now()
    wallet.open_wallet(own, new_id(), "李娜", pin="204681", now=now)
    first = wallet.enroll_device(own, "phone", now)
    for n in range(150):
        wallet.enroll_device(own, f"phone {n}", now)
    both = ",".join(f"{n}:{base64.b64encode(key).decode()}" for n, key in ((2, NEW), (1, OLD)))
    variables = {**os.environ, "DATABASE_URL": database.url, "COMPTOIR_MASTER_KEY": both}
    command = [sys.executable, "-m", "comptoir.cli.main", "keys", "reseal"]
    slowly = (
        "import time, comptoir.db.resealing as r, comptoir.cli.main as m; seal = r.seal\n"
        "r.seal = lambda *a: (time.sleep(0.02), seal(*a))[1]\nm.main(['keys', 'reseal'])"
    )
    seeds = next(column for column in keys._columns() if column.table == "wallet_device")
    killed = subprocess.Popen([sys.executable, "-c", slowly], env=variables, cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 60
    while versions(seeds).get(2, 0) < 20:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    half = versions(seeds)
    assert half[1] > 0
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"wallet.device-seed: {half[1]} sealed again, 0 left" in done.stdout
    assert versions(seeds) == {2: 151}
    master(monkeypatch, 2, NEW, {})
    assert wallet.payment_code_for(first.number, now).digits
