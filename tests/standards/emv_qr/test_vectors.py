"""The published payloads: read as they must be, refused when a single character is another."""

from __future__ import annotations

import string

import pytest

from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import Money
from comptoir.standards.emv_qr import EmvQrMalformed, Profile, build, checksum, parse, validate
from tests.standards.emv_qr.vectors import VECTORS, Vector

ALL = pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one.source[:30])


def test_the_checksum_has_its_published_check_value() -> None:
    assert checksum("123456789") == "29B1"


@ALL
def test_a_published_code_is_read(vector: Vector) -> None:
    assert parse(vector.payload, Profile.LENIENT) == vector.code
    if vector.strict is None:
        assert parse(vector.payload) == vector.code
        assert validate(vector.payload) == vector.payload
    else:
        with pytest.raises(EmvQrMalformed) as refused:
            parse(vector.payload)
        assert refused.value.field == vector.strict


@ALL
def test_what_is_built_of_it_says_the_same(vector: Vector) -> None:
    profile = Profile.LENIENT if vector.strict else Profile.STRICT
    rebuilt = build(vector.code, profile)
    read = parse(rebuilt, profile)
    assert sorted(read.accounts, key=str) == sorted(vector.code.accounts, key=str)
    assert build(read, profile) == rebuilt
    assert len(rebuilt) == len(vector.payload), "the same objects, perhaps in another order"
    if vector.source.startswith(("Banco", "Mastercard")):  # the two whose objects come in order
        assert rebuilt == vector.payload


@ALL
@pytest.mark.parametrize("profile", Profile)
def test_one_other_character_anywhere_is_noticed(vector: Vector, profile: Profile) -> None:
    text = vector.payload
    others = string.digits + string.ascii_letters + "*-. 京"
    for at, right in enumerate(text):
        for wrong in others:
            if wrong != right:
                with pytest.raises(InvalidValue):
                    parse(text[:at] + wrong + text[at + 1 :], profile)


@ALL
def test_a_missing_a_doubled_or_two_swapped_characters_are_noticed(vector: Vector) -> None:
    text = vector.payload
    for at in range(len(text)):
        changed = {text[:at] + text[at + 1 :], text[:at] + text[at] + text[at:]}
        if at + 1 < len(text):
            changed.add(text[:at] + text[at + 1] + text[at] + text[at + 2 :])
        for wrong in changed - {text}:
            with pytest.raises(InvalidValue):
                parse(wrong, Profile.LENIENT)


def test_amounts_are_money_in_minor_units() -> None:
    by_source = {one.source.split()[0]: one.code for one in VECTORS}
    assert by_source["EMVCo"].money == Money(2372, "CNY")
    assert by_source["Mastercard"].money == Money(10000, "USD")
    assert by_source["Banco"].money is None
    with pytest.raises(EmvQrMalformed) as refused:
        _ = by_source["README"].money
    assert refused.value.field == "54"
