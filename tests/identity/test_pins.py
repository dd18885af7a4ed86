"""The PIN with which somebody approves: counted, paused, sealed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction

from comptoir.identity import api
from comptoir.identity.models import Person, PersonPin
from comptoir.kernel.ids import new_id

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 11, 23, 9, 20, 36, tzinfo=UTC)
PIN, WRONG = "204681", "918273"


@pytest.fixture
def manager(database: object) -> UUID:
    made = api.create_person(
        "julien", "Julien", api.Role.MANAGER, "peper-koek-1830", now=NOW, merchant_id=new_id()
    )
    api.set_pin(made.id, PIN)
    return made.id


def test_the_right_pin_is_taken_and_never_kept_as_it_is(manager: UUID) -> None:
    api.check_pin(manager, PIN, NOW)
    assert api.has_pin(manager)
    assert PIN.encode() not in bytes(PersonPin.objects.get().sealed_hash)


@pytest.mark.parametrize("pin", ["", "12345", "123456", "777777", "12345a"])
def test_a_pin_that_is_none_is_not_set(manager: UUID, pin: str) -> None:
    before = PersonPin.objects.get().sealed_hash
    with pytest.raises(api.PinUnfit):
        api.set_pin(manager, pin)
    assert PersonPin.objects.get().sealed_hash == before


def test_wrong_ones_are_counted_and_the_fifth_locks(manager: UUID) -> None:
    left = []
    for _ in range(4):
        with pytest.raises(api.PinRefused) as refused:
            api.check_pin(manager, WRONG, NOW)
        left.append(refused.value.tries_left)
    assert left == [4, 3, 2, 1]
    with pytest.raises(api.PinLocked) as locked:
        api.check_pin(manager, WRONG, NOW)
    assert locked.value.locked_until == NOW + timedelta(minutes=15)
    with pytest.raises(api.PinLocked):
        api.check_pin(manager, PIN, NOW + timedelta(minutes=14))
    api.check_pin(manager, PIN, NOW + timedelta(minutes=15))
    assert PersonPin.objects.get().failures == 0
    api.set_pin(manager, "305792")
    with pytest.raises(api.PinRefused):
        api.check_pin(manager, PIN, NOW)


def test_twelve_guesses_at_once_are_five(manager: UUID) -> None:
    start, codes = threading.Barrier(12), []

    def guess() -> None:
        start.wait()
        try:
            api.check_pin(manager, WRONG, NOW)
        except api.PinRefused as refused:
            codes.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (codes.count("identity.pin_wrong"), codes.count("identity.pin_locked")) == (4, 8)
    assert PersonPin.objects.get().failures == 5


def test_who_has_none_or_works_here_no_more_is_refused(manager: UUID) -> None:
    with pytest.raises(api.PinRefused):
        api.check_pin(new_id(), PIN, NOW)
    with pytest.raises(api.PersonUnknown):
        api.set_pin(new_id(), PIN)
    Person.objects.update(is_active=False)
    with pytest.raises(api.PinRefused):
        api.check_pin(manager, PIN, NOW)


def test_a_count_cannot_be_rolled_back(manager: UUID) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        api.check_pin(manager, WRONG, NOW)
