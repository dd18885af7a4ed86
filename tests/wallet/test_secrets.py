"""Seeds, PINs and codes are nowhere to be read: not in tables, reprs, errors or logs."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import psycopg
import pytest
from django.db import connection as django_connection

from comptoir.db import pins as db_pins
from comptoir.db.sealed import CannotUnseal, seal
from comptoir.standards.payment_code import Form, build
from comptoir.wallet import api as wallet
from comptoir.wallet.api import PinRefused
from comptoir.wallet.models import Device, Wallet
from comptoir.wallet.operations import pins
from comptoir.wallet.queries.engine import SEED_PURPOSE
from tests.wallet.support import NOW, PIN, device_view, make_wallet, present

WRONG = "918273"


def forms(secret: bytes) -> list[str]:
    return [repr(secret), repr(secret)[2:-1], secret.hex(), secret.hex().upper(), str(list(secret))]


def test_a_dump_of_the_tables_gives_no_seed_pin_or_code(
    database: Any, connection: psycopg.Connection[Any]
) -> None:
    wallet_id = make_wallet()
    device = wallet.enroll_device(wallet_id, "phone", NOW)
    code = build(Form.SHORT, *device, NOW, 0)
    assert isinstance(present(code, NOW), wallet.CodeUse)
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'wallet%'").fetchall()
    assert len(tables) == 9
    dump = "\n".join(
        str(row[0])
        for (table,) in tables
        for row in connection.execute(f"SELECT row_to_json(t)::text FROM {table} t")
    )
    assert wallet_id.hex in dump.replace("-", "")
    # The code's last part, the password: device number and counter are no secrets.
    for secret in (device.seed.hex(), PIN, code[-7:], "argon2"):
        assert secret not in dump


def test_a_sealed_seed_is_of_one_device_and_one_purpose(database: Any) -> None:
    first, second = (wallet.enroll_device(make_wallet(), "phone", NOW) for _ in range(2))
    kept = bytes(Device.objects.get(number=first.number).sealed_seed)
    Device.objects.filter(number=second.number).update(sealed_seed=kept)
    with pytest.raises(CannotUnseal):
        device_view(second.number, NOW)
    other = seal(first.seed, SEED_PURPOSE + "x", str(first.number))
    Device.objects.filter(number=first.number).update(sealed_seed=other)
    with pytest.raises(CannotUnseal):
        device_view(first.number, NOW)


def test_the_pin_of_one_wallet_does_not_open_another(database: Any) -> None:
    """Whoever can write to the table cannot plant a hash they know."""
    mine, yours = make_wallet(), make_wallet()
    kept = bytes(Wallet.objects.get(id=mine).sealed_pin_hash)
    Wallet.objects.filter(id=yours).update(sealed_pin_hash=kept)
    with pytest.raises(CannotUnseal):
        wallet.check_pin(yours, PIN, NOW)


def test_what_is_printed_tells_no_secret(database: Any) -> None:
    device = wallet.enroll_device(make_wallet(), "phone", NOW)
    view = device_view(device.number, NOW)
    assert view is not None
    shown = wallet.payment_code_for(device.number, NOW)
    for printed in (repr(device), str(device), repr(view), str(view), f"{[view]}", repr(shown), str(shown)):
        assert not any(form in printed for form in forms(device.seed))
        assert shown.digits[-7:] not in printed
    assert str(device.number) in repr(device)


def test_errors_and_logs_tell_no_secret(
    database: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "django.db.backends")
    django_connection.force_debug_cursor = True  # every statement with its parameters goes to the log
    try:
        wallet_id = make_wallet()
        device = wallet.enroll_device(wallet_id, "phone", NOW)
        code = wallet.payment_code_for(device.number, NOW).digits
        present(code, NOW)
        told = []
        with pytest.raises(PinRefused) as refused:
            wallet.check_pin(wallet_id, WRONG, NOW)
        told.append("".join(traceback.format_exception_only(refused.value)))
        wallet.set_pin(wallet_id, WRONG)
    finally:
        django_connection.force_debug_cursor = False
    told.extend([caplog.text, *capfd.readouterr()])
    assert "wallet_wallet" in caplog.text
    for secret in (PIN, WRONG, code, code[-7:], "argon2", *forms(device.seed)):
        assert secret not in "".join(told)


def test_the_hash_is_argon2id_of_the_strength_we_say(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bytes] = []
    monkeypatch.setattr(db_pins, "seal", lambda secret, *_: kept.append(secret) or b"sealed")
    first, second = pins.seal_pin(new_wallet := make_wallet(), PIN), pins.seal_pin(new_wallet, PIN)
    assert first == second == b"sealed"
    assert all(one.startswith(b"$argon2id$v=19$m=19456,t=4,p=1$") for one in kept)
    assert kept[-1] != kept[-2]
