"""Sealed secrets open with the right key for the right purpose, and otherwise not."""

from __future__ import annotations

import pytest
from django.conf import settings

from comptoir.db.sealed import CannotUnseal, Sealer, seal, unseal
from comptoir.kernel.errors import InvalidValue

OLD, NEW = b"o" * 32, b"n" * 32


def test_round_trip_and_no_two_alike() -> None:
    box = Sealer({1: OLD}, 1)
    first, second = box.seal(b"seed", "device seed"), box.seal(b"seed", "device seed")
    assert first != second
    assert b"seed" not in first
    assert len(first) == len(b"seed") + 29
    assert box.unseal(first, "device seed") == box.unseal(memoryview(second), "device seed") == b"seed"


def test_what_must_not_open() -> None:
    box = Sealer({1: OLD}, 1)
    sealed = box.seal(b"seed", "device seed")
    for altered in (
        b"",
        sealed[:-1],
        b"\x02" + sealed[1:],
        sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:],
    ):
        with pytest.raises(CannotUnseal):
            box.unseal(altered, "device seed")
    with pytest.raises(CannotUnseal):
        box.unseal(sealed, "platform key")
    with pytest.raises(CannotUnseal):
        box.unseal(box.seal(b"seed", "device seed", "7"), "device seed", "8")
    with pytest.raises(CannotUnseal):
        Sealer({1: NEW}, 1).unseal(sealed, "device seed")


def test_a_new_master_key_leaves_old_secrets_readable() -> None:
    sealed = Sealer({1: OLD}, 1).seal(b"seed", "p")
    both = Sealer({1: OLD, 2: NEW}, 2)
    assert both.unseal(sealed, "p") == b"seed"
    assert both.seal(b"seed", "p")[0] == 2


def test_keys_that_are_refused() -> None:
    for keys, current in (({1: b"short"}, 1), ({0: OLD}, 0), ({256: OLD}, 256), ({1: OLD}, 2)):
        with pytest.raises(InvalidValue):
            Sealer(keys, current)


def test_the_installation_has_one_and_it_never_prints_its_key() -> None:
    key = settings.COMPTOIR.require_master_key()
    assert unseal(seal(b"x", "p", "7"), "p", "7") == b"x"
    assert Sealer({1: key}, 1).unseal(seal(b"x", "p"), "p") == b"x"
    assert str(key) not in repr(Sealer({1: key}, 1))
