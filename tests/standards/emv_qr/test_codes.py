"""Codes of our own: what is built can be read, and what is wrong is named by its object."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comptoir.kernel.currencies import EXPONENTS, NUMBERS
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import Money
from comptoir.standards.emv_qr import (
    DataObject,
    EmvQrMalformed,
    MerchantCode,
    OtherLanguage,
    Profile,
    Tip,
    TipMode,
    build,
    checksum,
    parse,
    template,
    validate,
)

ACCOUNT = template("26", [DataObject("00", "br.gov.bcb.pix"), DataObject("01", "key")])
SHOP = MerchantCode(
    accounts=(ACCOUNT,), currency="EUR", country="BE", mcc="5441", name="Chocolaterie", city="Bruxelles"
)

#: A code has many parts to draw.
QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_ans = st.sampled_from([chr(one) for one in range(32, 127)])
_any = st.sampled_from("aZ09 ~éß京最佳运输🍫")


def text(largest: int, of: st.SearchStrategy[str] = _ans) -> st.SearchStrategy[str]:
    return st.text(of, min_size=1, max_size=largest)


def objects(
    ids: st.SearchStrategy[int], values: st.SearchStrategy[str], most: int
) -> st.SearchStrategy[tuple[DataObject, ...]]:
    """Some objects of different ids, in order."""
    found = st.dictionaries(ids.map("{:02d}".format), values, max_size=most)
    return found.map(lambda known: tuple(DataObject(name, known[name]) for name in sorted(known)))


def templates(ids: st.SearchStrategy[int], most: int) -> st.SearchStrategy[tuple[DataObject, ...]]:
    """Some templates with the GUID of a scheme."""
    members = objects(st.integers(1, 99), text(9, _any), 2)
    guids = st.sampled_from(["A000000677010111", "br.gov.bcb.pix", "SG.PAYNOW"])
    values = st.tuples(guids, members).map(
        lambda both: template("26", [DataObject("00", both[0]), *both[1]]).value
    )
    return objects(ids, values, most)


@st.composite
def codes(draw: st.DrawFn) -> MerchantCode:
    """Any code that the strict profile allows and that fits 512 characters."""
    currency = draw(st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
    money = draw(st.none() | st.integers(1, 10**7).map(lambda minor: Money(minor, currency)))
    accounts = draw(templates(st.integers(26, 51), 2)) or draw(objects(st.integers(2, 25), text(20), 1))
    fee = st.integers(1, 9999).map(lambda hundredths: Decimal(hundredths) / 100)
    return MerchantCode(
        accounts=accounts or (ACCOUNT,),
        currency=currency,
        country=draw(st.sampled_from(["BE", "CN", "TH"])),
        mcc=f"{draw(st.integers(0, 9999)):04d}",
        name=draw(text(25)),
        city=draw(text(15)),
        postal_code=draw(st.none() | text(10)),
        is_dynamic=draw(st.sampled_from([None, True, False])),
        amount=money.decimal() if money else None,
        tip=draw(
            st.none()
            | st.just(Tip(TipMode.PROMPT))
            | fee.map(lambda value: Tip(TipMode.PERCENT, value))
            | fee.map(lambda value: Tip(TipMode.FIXED, value))
        ),
        additional=draw(objects(st.integers(1, 7), text(9), 3)),
        other_language=draw(
            st.none() | st.builds(OtherLanguage, st.just("zh"), text(25, _any), st.none() | text(15, _any))
        ),
        others=draw(templates(st.integers(80, 99), 1)),
    )


@QUIET
@given(codes())
def test_what_is_built_is_read_back(code: MerchantCode) -> None:
    for profile in Profile:
        payload = build(code, profile)
        assert parse(payload, profile) == code
        assert payload.startswith("000201")
        assert checksum(payload[:-4]) == payload[-4:]


@given(st.sampled_from(sorted(EXPONENTS)), st.integers(1, 10**13))
def test_an_amount_comes_back_to_the_minor_unit(currency: str, minor: int) -> None:
    money = Money(minor, currency)
    code = replace(SHOP, currency=currency, amount=money.decimal())
    if len(str(money.decimal())) <= 13:
        assert parse(build(code)).money == money
    else:
        with pytest.raises(EmvQrMalformed, match="54"):
            build(code)


@given(st.text() | st.text("0123456789"))
def test_any_other_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse(text, Profile.LENIENT)


@QUIET
@given(codes(), st.data())
def test_a_changed_code_is_refused(code: MerchantCode, data: st.DataObject) -> None:
    payload = build(code)
    at = data.draw(st.integers(0, len(payload) - 1))
    wrong = data.draw(_ans.filter(lambda one: one != payload[at]))
    if payload[at].isascii():  # at most 8 bits changed: a 16-bit checksum sees that always
        with pytest.raises(InvalidValue):
            parse(payload[:at] + wrong + payload[at + 1 :], Profile.LENIENT)


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("EUR", "12", 1200),
        ("EUR", "12.", 1200),
        ("EUR", "12.5", 1250),
        ("JPY", "12", 12),
        ("KWD", "0.001", 1),
    ],
)
def test_an_amount_is_read_in_every_spelling_of_the_standard(currency: str, text: str, minor: int) -> None:
    assert parse(signed(amount=text, currency=NUMBERS[currency])).money == Money(minor, currency)


@pytest.mark.parametrize(
    ("object_id", "changes"),
    [
        ("02", {"accounts": ()}),
        ("26.00", {"accounts": (template("26", [DataObject("01", "key")]),)}),
        ("26.00", {"accounts": (template("26", [DataObject("00", "no guid")]),)}),
        ("26", {"accounts": (DataObject("26", "no objects"),)}),
        ("26", {"accounts": (ACCOUNT, ACCOUNT)}),
        ("26", {"accounts": (DataObject("26", ""),)}),
        ("02", {"accounts": (DataObject("02", "é"),)}),
        ("54", {"accounts": (ACCOUNT, DataObject("54", "1.00"))}),
        ("52", {"mcc": None}),
        ("52", {"mcc": "544"}),
        ("52", {"mcc": "544a"}),
        ("52", {"mcc": "٥٤٤١"}),
        ("53", {"currency": "XXX"}),
        ("54", {"amount": Decimal("0")}),
        ("54", {"amount": Decimal("-1")}),
        ("54", {"amount": Decimal("NaN")}),
        ("54", {"amount": Decimal("0.001")}),
        ("54", {"amount": Decimal("99999999999.99")}),
        ("56", {"tip": Tip(TipMode.FIXED)}),
        ("56", {"tip": Tip(TipMode.FIXED, Decimal("0"))}),
        ("57", {"tip": Tip(TipMode.PERCENT, Decimal("100"))}),
        ("58", {"country": "Be"}),
        ("59", {"name": None}),
        ("59", {"name": ""}),
        ("59", {"name": "x" * 26}),
        ("59", {"name": "Crêperie"}),
        ("59", {"name": "x\n"}),
        ("60", {"city": "x" * 16}),
        ("61", {"postal_code": "x" * 11}),
        ("62.05", {"additional": (DataObject("05", "x" * 26),)}),
        ("62.09", {"additional": (DataObject("09", "X"),)}),
        ("62.05", {"additional": (DataObject("05", "a"), DataObject("05", "b"))}),
        ("64.00", {"other_language": OtherLanguage("chinese", "最佳运输")}),
        ("64.01", {"other_language": OtherLanguage("zh", "最" * 26)}),
        ("59", {"others": (DataObject("59", "Somebody else"),)}),
        ("91.00", {"others": (template("91", [DataObject("01", "x")]),)}),
    ],
)
def test_the_wrong_object_is_named(object_id: str, changes: dict[str, Any]) -> None:
    with pytest.raises(EmvQrMalformed) as refused:
        build(replace(SHOP, **changes))
    assert refused.value.field == object_id
    assert object_id.split(".")[0] in refused.value.message


@pytest.mark.parametrize(
    ("object_id", "text"),
    [
        ("00", "5303978"),
        ("00", "000202"),
        ("59", "00020126090005a.b.c53039785802BE5900"),
        ("59", "00020126090005a.b.c53039785802BE5905abc"),
        (None, "00020126090005a.b.c53039785802BE59"),
        (None, "00020126090005a.b.c53039785802BEx"),
        ("58", "00020126090005a.b.c5303978"),
        ("53", "00020126090005a.b.c5802BE"),
        ("53", "00020126090005a.b.c53039995802BE"),
        ("58", "00020126090005a.b.c53039785802BE5802FR"),
        ("63", "00020126090005a.b.c63041234"),
        ("55", "00020126090005a.b.c53039785802BE550204"),
        ("57", "00020126090005a.b.c53039785802BE5502015703001"),
        ("62", "00020126090005a.b.c53039785802BE6203abc"),
        ("62.05", "00020126090005a.b.c53039785802BE62060509ab"),
        ("01", "00020101021326090005a.b.c53039785802BE"),
    ],
)
def test_where_a_text_breaks_is_named(object_id: str | None, text: str) -> None:
    with pytest.raises(EmvQrMalformed) as refused:
        parse(f"{text}6304{checksum(f'{text}6304')}", Profile.LENIENT)
    assert refused.value.field == object_id


@pytest.mark.parametrize("text", ["", "000201", "0002016304", "6304FFFF", None, 5])
def test_a_text_that_does_not_end_in_its_checksum_is_refused(text: Any) -> None:
    with pytest.raises(EmvQrMalformed) as refused:
        parse(text)
    assert refused.value.field == "63"


def test_the_lenient_profile_forgives_what_schemes_leave_out() -> None:
    loose = replace(SHOP, mcc=None, name="Crêperie " * 4, city=None, country="be")
    assert parse(build(loose, Profile.LENIENT), Profile.LENIENT) == loose
    with pytest.raises(EmvQrMalformed):
        build(loose)


def test_a_code_has_512_characters_at_most() -> None:
    full = tuple(DataObject(str(name), "x" * 99) for name in range(65, 69))
    room = 512 - len(build(replace(SHOP, others=full))) - 4
    longest = build(replace(SHOP, others=(*full, DataObject("70", "x" * room))))
    assert len(longest) == 512
    assert validate(longest) == longest
    with pytest.raises(EmvQrMalformed, match="512"):
        build(replace(SHOP, others=(*full, DataObject("70", "x" * (room + 1)))))


def test_half_a_character_is_refused() -> None:
    with pytest.raises(EmvQrMalformed):
        parse("000201\ud8006304ABCD")


@pytest.mark.parametrize("name", ["", "1", "001", "a1", "١٢"])
def test_an_object_has_an_id_of_two_digits(name: str) -> None:
    with pytest.raises(EmvQrMalformed):
        DataObject(name, "x")


def signed(*, amount: str, currency: str) -> str:
    """The payload of a shop with this text as its amount."""
    head = build(replace(SHOP, amount=None))[:-8].replace(
        "5303978", f"5303{currency}54{len(amount):02d}{amount}"
    )
    return f"{head}6304{checksum(f'{head}6304')}"
