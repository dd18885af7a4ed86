"""The payment PIN: counted, paused, and never more than five guesses, however many come at once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from comptoir.db import pins
from comptoir.kernel.ids import new_id
from comptoir.wallet import api as wallet
from comptoir.wallet.api import PinLocked, PinRefused, PinUnfit, WalletUnknown
from comptoir.wallet.models import Wallet
from tests.wallet.support import NOW, PIN, make_wallet

pytestmark = pytest.mark.usefixtures("module_database")

WRONG = "918273"


@pytest.fixture
def wallet_id() -> UUID:
    return make_wallet()


def fail(wallet_id: UUID, times: int, now: Any = NOW) -> None:
    for _ in range(times):
        with pytest.raises(PinRefused):
            wallet.check_pin(wallet_id, WRONG, now)


def failures(wallet_id: UUID) -> int:
    return Wallet.objects.get(id=wallet_id).pin_failures


def test_the_right_pin_is_right(wallet_id: UUID) -> None:
    wallet.check_pin(wallet_id, PIN, NOW)
    assert failures(wallet_id) == 0


def test_wrong_pins_are_counted_down_to_a_lock(wallet_id: UUID) -> None:
    left = []
    for _ in range(4):
        with pytest.raises(PinRefused) as refused:
            wallet.check_pin(wallet_id, WRONG, NOW)
        assert (refused.value.code, refused.value.field) == ("wallet.pin_wrong", "pin")
        left.append(refused.value.tries_left)
    assert left == [4, 3, 2, 1]
    with pytest.raises(PinLocked) as locked:
        wallet.check_pin(wallet_id, WRONG, NOW)
    assert locked.value.code == "wallet.pin_locked"
    assert locked.value.locked_until == NOW + timedelta(minutes=15)


def test_a_right_pin_is_refused_while_locked_and_not_compared(
    wallet_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(wallet_id, 5)
    monkeypatch.setattr(pins, "is_right", lambda *_: pytest.fail("compared while locked"))
    for minutes in (0, 14.99):
        with pytest.raises(PinLocked):
            wallet.check_pin(wallet_id, PIN, NOW + timedelta(minutes=minutes))
    assert failures(wallet_id) == 5


def test_after_the_lock_the_right_pin_starts_afresh(wallet_id: UUID) -> None:
    fail(wallet_id, 5)
    wallet.check_pin(wallet_id, PIN, NOW + timedelta(minutes=15))
    assert failures(wallet_id) == 0
    fail(wallet_id, 4, NOW + timedelta(minutes=16))
    wallet.check_pin(wallet_id, PIN, NOW + timedelta(minutes=16))


def test_the_second_lock_is_twice_as_long(wallet_id: UUID) -> None:
    fail(wallet_id, 5)
    fail(wallet_id, 4, NOW + timedelta(minutes=15))
    with pytest.raises(PinLocked) as locked:
        wallet.check_pin(wallet_id, WRONG, NOW + timedelta(minutes=15))
    assert locked.value.locked_until == NOW + timedelta(minutes=45)


def test_twenty_parallel_guesses_are_five_guesses(wallet_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    compare = pins.is_right
    monkeypatch.setattr(pins, "is_right", lambda *given: compared.append(1) or compare(*given))
    start = threading.Barrier(20)
    codes: list[str] = []

    def guess() -> None:
        start.wait()
        try:
            wallet.check_pin(wallet_id, WRONG, NOW)
        except PinRefused as refused:
            codes.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(compared) == 5
    assert (codes.count("wallet.pin_wrong"), codes.count("wallet.pin_locked")) == (4, 16)
    assert failures(wallet_id) == 5


def test_a_count_cannot_be_rolled_back_by_a_caller(wallet_id: UUID) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        wallet.check_pin(wallet_id, WRONG, NOW)


@pytest.mark.parametrize("text", ["", "12345", "2046811", "20468１", "abcdef"])
def test_what_is_no_pin_is_refused_uncounted(wallet_id: UUID, text: str) -> None:
    with pytest.raises(PinUnfit):
        wallet.check_pin(wallet_id, text, NOW)
    assert failures(wallet_id) == 0


def test_a_new_pin_replaces_the_old_and_lifts_the_lock(wallet_id: UUID) -> None:
    fail(wallet_id, 5)
    wallet.set_pin(wallet_id, WRONG)
    wallet.check_pin(wallet_id, WRONG, NOW)
    with pytest.raises(PinRefused):
        wallet.check_pin(wallet_id, PIN, NOW)


def test_an_unfit_pin_changes_nothing(wallet_id: UUID) -> None:
    with pytest.raises(PinUnfit):
        wallet.set_pin(wallet_id, "123456")
    wallet.check_pin(wallet_id, PIN, NOW)


def test_no_wallet_no_pin() -> None:
    with pytest.raises(WalletUnknown):
        wallet.check_pin(new_id(), PIN, NOW)
    with pytest.raises(WalletUnknown):
        wallet.set_pin(new_id(), PIN)
