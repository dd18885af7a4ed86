"""A code as a value: `build` writes one, `parse` reads one, `validate` says whether a text is one."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final

from comptoir.kernel.currencies import NUMBERS
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import Money
from comptoir.standards.emv_qr.errors import EmvQrMalformed
from comptoir.standards.emv_qr.layout import (
    ADDITIONAL,
    CRC,
    LANGUAGE,
    Profile,
    check,
    is_account,
)
from comptoir.standards.emv_qr.objects import (
    DataObject,
    checksum,
    read_objects,
    template,
    write_objects,
)

_CURRENCIES: Final = {number: code for code, number in NUMBERS.items()}
_VERSION: Final = "01"
_STATIC: Final = "11"
_DYNAMIC: Final = "12"


class TipMode(Enum):
    """Who says how much is added to the amount."""

    #: The wallet asks the payer.
    PROMPT = "01"
    #: A fixed fee, in major units of the currency.
    FIXED = "02"
    #: A percentage of the amount.
    PERCENT = "03"


@dataclass(frozen=True, slots=True)
class Tip:
    """A tip or convenience fee; `value` is None for PROMPT."""

    mode: TipMode
    value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OtherLanguage:
    """Name and city in a second language (ISO 639-1, two letters), in any script."""

    language: str
    name: str
    city: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantCode:
    """What a merchant-presented code says.

    `accounts` are the objects 02 to 51: to whom the money goes, in each scheme's own words. `currency` is
    alphabetic. `amount` is in major units as the standard has it, `money` in ours. `is_dynamic`: made for
    one purchase (12) or to be used again (11); None where the code does not say. `additional` are the
    members of 62, `others` the objects 65 to 99.
    """

    accounts: tuple[DataObject, ...]
    currency: str
    country: str
    mcc: str | None = None
    name: str | None = None
    city: str | None = None
    postal_code: str | None = None
    is_dynamic: bool | None = None
    amount: Decimal | None = None
    tip: Tip | None = None
    additional: tuple[DataObject, ...] = ()
    other_language: OtherLanguage | None = None
    others: tuple[DataObject, ...] = ()

    @property
    def money(self) -> Money | None:
        """The amount in minor units; None when the payer is to type it.

        Raises EmvQrMalformed for an amount that its currency does not have (999.123 yen).
        """
        if self.amount is None:
            return None
        try:
            return Money.of(self.amount, self.currency)
        except InvalidValue as error:
            raise EmvQrMalformed(f"54 (transaction amount): {error.message}", field="54") from None


def build(code: MerchantCode, profile: Profile = Profile.STRICT) -> str:
    """The payload to draw: objects in order of their ids, the checksum last. Raises EmvQrMalformed."""
    _check_places(code)
    unsigned = f"{write_objects(_objects(code))}{CRC}04"
    # Read back by the same rules: what could not be scanned is not printed.
    return validate(unsigned + checksum(unsigned), profile)


def parse(text: str, profile: Profile = Profile.STRICT) -> MerchantCode:
    """Read a scanned payload, whatever the order of its objects. Raises EmvQrMalformed.

    The checksum comes first: where it is wrong the text was misread or altered, and nothing else that
    could be said of it would help.
    """
    _check_checksum(text)
    objects = read_objects(text[:-8])
    if not objects or objects[0].id != "00":
        raise EmvQrMalformed("00 (payload format indicator) does not come first", field="00")
    if any(one.id == CRC for one in objects):
        raise EmvQrMalformed("63 (checksum) comes before the end", field=CRC)
    check(objects, profile)
    code = _code({one.id: one for one in objects})
    _check_amounts(code, profile)
    return code


def validate(text: str, profile: Profile = Profile.STRICT) -> str:
    """`text` itself if it is a code of this profile. Raises EmvQrMalformed."""
    parse(text, profile)
    return text


def _check_checksum(text: str) -> None:
    """Refuse a text that does not end in its own checksum."""
    if not isinstance(text, str) or text[-8:-4] != f"{CRC}04":
        raise EmvQrMalformed("63 (checksum) does not come last", field=CRC)
    expected = checksum(text[:-4])
    if text[-4:] != expected:
        raise EmvQrMalformed(f"63 (checksum) is not {expected}: misread, or altered", field=CRC)


def _objects(code: MerchantCode) -> list[DataObject]:
    """Every object of a code but the checksum, in order of their ids."""
    number = NUMBERS.get(code.currency)
    if number is None:
        raise EmvQrMalformed("53 (transaction currency) is not in ISO 4217", field="53")
    tip = code.tip.value if code.tip else None
    texts = {
        "00": _VERSION,
        "01": None if code.is_dynamic is None else _DYNAMIC if code.is_dynamic else _STATIC,
        "52": code.mcc,
        "53": number,
        "54": _major(code.amount),
        "55": code.tip.mode.value if code.tip else None,
        "56": _major(tip) if code.tip and code.tip.mode is TipMode.FIXED else None,
        "57": _major(tip) if code.tip and code.tip.mode is TipMode.PERCENT else None,
        "58": code.country,
        "59": code.name,
        "60": code.city,
        "61": code.postal_code,
    }
    objects = [DataObject(name, text) for name, text in texts.items() if text is not None]
    objects += code.accounts
    if code.additional:
        objects.append(template(ADDITIONAL, code.additional))
    if code.other_language:
        objects.append(template(LANGUAGE, _language_members(code.other_language)))
    return sorted([*objects, *code.others], key=lambda one: one.id)


def _check_places(code: MerchantCode) -> None:
    """Accounts are accounts, and no other object takes the place of a named one."""
    for one in code.accounts:
        if not is_account(one.id):
            raise EmvQrMalformed(f"{one.id} is no account: those are 02 to 51", field=one.id)
    for one in code.others:
        if int(one.id) <= int(LANGUAGE):
            raise EmvQrMalformed(f"{one.id} has a meaning of its own: free are 65 to 99", field=one.id)


def _code(found: dict[str, DataObject]) -> MerchantCode:
    texts = {name: one.value for name, one in found.items()}
    currency = _CURRENCIES.get(texts["53"])
    if currency is None:
        raise EmvQrMalformed("53 (transaction currency) is not in ISO 4217", field="53")
    method = texts.get("01")
    return MerchantCode(
        accounts=tuple(one for one in found.values() if is_account(one.id)),
        currency=currency,
        country=texts["58"],
        mcc=texts.get("52"),
        name=texts.get("59"),
        city=texts.get("60"),
        postal_code=texts.get("61"),
        is_dynamic=None if method is None else method == _DYNAMIC,
        amount=_decimal(texts.get("54")),
        tip=_tip(texts),
        additional=read_objects(texts.get(ADDITIONAL, ""), ADDITIONAL),
        other_language=_language(texts.get(LANGUAGE)),
        others=tuple(one for one in found.values() if int(one.id) > int(LANGUAGE)),
    )


def _check_amounts(code: MerchantCode, profile: Profile) -> None:
    """Nothing is paid or added as zero; strictly, an amount is one that the currency has."""
    if code.amount is not None and not code.amount > 0:
        raise EmvQrMalformed("54 (transaction amount) is not above zero", field="54")
    if code.tip and code.tip.value is not None and not code.tip.value > 0:
        field = "56" if code.tip.mode is TipMode.FIXED else "57"
        raise EmvQrMalformed(f"{field} (convenience fee) is not above zero", field=field)
    if profile is Profile.STRICT:
        _ = code.money


def _tip(texts: dict[str, str]) -> Tip | None:
    if "55" not in texts:
        return None
    mode = TipMode(texts["55"])
    return Tip(mode, _decimal(texts.get("56") or texts.get("57")))


def _language(text: str | None) -> OtherLanguage | None:
    if text is None:
        return None
    members = {one.id: one.value for one in read_objects(text, LANGUAGE)}
    return OtherLanguage(members["00"], members["01"], members.get("02"))


def _language_members(other: OtherLanguage) -> list[DataObject]:
    texts = {"00": other.language, "01": other.name, "02": other.city}
    return [DataObject(name, text) for name, text in texts.items() if text is not None]


def _decimal(text: str | None) -> Decimal | None:
    """A number of major units; the standard allows a point with nothing behind it."""
    return None if text is None else Decimal(text.rstrip("."))


def _major(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
