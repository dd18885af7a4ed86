"""The layout of a code: what every object is called, how long it may be and what it may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final, NamedTuple

from comptoir.standards.emv_qr.errors import EmvQrMalformed
from comptoir.standards.emv_qr.objects import LARGEST_VALUE, DataObject, path_of, read_objects

CRC: Final = "63"
ADDITIONAL: Final = "62"
LANGUAGE: Final = "64"

#: Members of the additional data (62).
STORE: Final = "03"
REFERENCE: Final = "05"
TERMINAL: Final = "07"

#: The member of a template that says whose it is.
GUID: Final = "00"

#: The longest payload of EMVCo MPM, in characters.
_LARGEST_PAYLOAD: Final = 512

#: What the checksum takes of it.
_CHECKSUM: Final = 8

#: Printable ASCII, what the standard calls "alphanumeric special".
_ANS: Final = r"[ -~]+"
_ANY: Final = r"[^\x00-\x1f\x7f]+"
_GUID: Final = r"[0-9A-Fa-f]{10,32}|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
_MAJOR_UNITS: Final = r"[0-9]+(\.[0-9]*)?"

_REQUIRED_ALWAYS: Final = ("53", "58")
_REQUIRED_STRICT: Final = ("52", "53", "58", "59", "60")


class Profile(Enum):
    """How much of the standard a code has to keep."""

    #: EMVCo MPM as written.
    STRICT = "strict"
    #: What national schemes print: category, name and city may be missing; texts may be longer and in any
    #: script, a template need not name its scheme, an amount may be finer than its currency's smallest unit.
    LENIENT = "lenient"


class Spec(NamedTuple):
    """One object: its name, its largest number of characters, the form of its value.

    `always`: the form holds in every profile, because the value could not be understood without it.
    """

    name: str
    largest: int = LARGEST_VALUE
    form: str = _ANY
    always: bool = False


_SPECS: Final = {
    "00": Spec("payload format indicator", 2, "01", always=True),
    "01": Spec("point of initiation method", 2, "11|12", always=True),
    "52": Spec("merchant category code", 4, "[0-9]{4}"),
    "53": Spec("transaction currency", 3, "[0-9]{3}", always=True),
    "54": Spec("transaction amount", 13, _MAJOR_UNITS, always=True),
    "55": Spec("tip or convenience indicator", 2, "01|02|03", always=True),
    "56": Spec("fixed convenience fee", 13, _MAJOR_UNITS, always=True),
    "57": Spec("percentage convenience fee", 5, r"[0-9]{1,2}(\.[0-9]{0,2})?", always=True),
    "58": Spec("country code", 2, "[A-Z]{2}"),
    "59": Spec("merchant name", 25, _ANS),
    "60": Spec("merchant city", 15, _ANS),
    "61": Spec("postal code", 10, _ANS),
    ADDITIONAL: Spec("additional data"),
    "62.01": Spec("bill number", 25, _ANS),
    "62.02": Spec("mobile number", 25, _ANS),
    "62.03": Spec("store label", 25, _ANS),
    "62.04": Spec("loyalty number", 25, _ANS),
    "62.05": Spec("reference label", 25, _ANS),
    "62.06": Spec("customer label", 25, _ANS),
    "62.07": Spec("terminal label", 25, _ANS),
    "62.08": Spec("purpose of transaction", 25, _ANS),
    "62.09": Spec("additional consumer data request", 3, "[AME]{1,3}"),
    "62.10": Spec("merchant tax id", 20, _ANS),
    "62.11": Spec("merchant channel", 3, _ANS),
    CRC: Spec("checksum", 4, "[0-9A-F]{4}", always=True),
    LANGUAGE: Spec("merchant information, other language"),
    "64.00": Spec("language preference", 2, "[A-Za-z]{2}"),
    "64.01": Spec("merchant name, other language", 25),
    "64.02": Spec("merchant city, other language", 15),
}

#: Ids that the standard gives to ranges, and their networks.
_RANGES: Final = (
    (range(2, 4), Spec("account: Visa", form=_ANS)),
    (range(4, 6), Spec("account: Mastercard", form=_ANS)),
    (range(6, 9), Spec("account: reserved by EMVCo", form=_ANS)),
    (range(9, 11), Spec("account: Discover", form=_ANS)),
    (range(11, 13), Spec("account: American Express", form=_ANS)),
    (range(13, 15), Spec("account: JCB", form=_ANS)),
    (range(15, 17), Spec("account: UnionPay", form=_ANS)),
    (range(17, 26), Spec("account: reserved by EMVCo", form=_ANS)),
    (range(26, 52), Spec("account template")),
    (range(65, 80), Spec("reserved for future use")),
    (range(80, 100), Spec("unreserved template")),
)


def is_account(name: str) -> bool:
    """Whether an object says where the money goes."""
    return 2 <= int(name) <= 51


def is_template(name: str) -> bool:
    """Whether the value of an object is objects again."""
    return name in (ADDITIONAL, LANGUAGE) or is_scheme_template(name)


def is_scheme_template(name: str) -> bool:
    """Whether an object is a template of the scheme that its GUID names."""
    return 26 <= int(name) <= 51 or int(name) >= 80


def spec_of(path: str) -> Spec:
    """The layout of the object at a path such as ``54`` or ``62.05``."""
    known = _SPECS.get(path)
    if known is not None:
        return known
    head, _, member = path.partition(".")
    if not member:
        return next(spec for ids, spec in _RANGES if int(head) in ids)
    if head in (ADDITIONAL, LANGUAGE):
        return Spec("reserved, or a payment system's own")
    return Spec("globally unique identifier", 32, _GUID) if member == GUID else Spec("given by the scheme")


def walk(objects: Sequence[DataObject]) -> Iterator[tuple[str, str]]:
    """(path, value) of every object, each template before its members. Raises EmvQrMalformed."""
    for one in objects:
        yield one.id, one.value
        if is_template(one.id):
            for member in read_objects(one.value, one.id):
                yield path_of(one.id, member.id), member.value


def check(objects: Sequence[DataObject], profile: Profile) -> None:
    """Refuse what the profile does not allow, object by object (the checksum apart). EmvQrMalformed."""
    values = dict(walk(objects))
    for path, value in values.items():
        _check_value(path, value, spec_of(path), profile)
    for path in _REQUIRED_STRICT if profile is Profile.STRICT else _REQUIRED_ALWAYS:
        _need(path, values)
    if not any(is_account(one.id) for one in objects):
        raise EmvQrMalformed("no account is given: one of 02 to 51 is needed", field="02")
    _check_tip(values)
    if LANGUAGE in values:
        _need("64.00", values)
        _need("64.01", values)
    if profile is Profile.STRICT:
        _check_strict(objects, values)


def _check_value(path: str, value: str, spec: Spec, profile: Profile) -> None:
    strict = profile is Profile.STRICT
    if strict and len(value) > spec.largest:
        raise EmvQrMalformed(
            f"{path} ({spec.name}) has {len(value)} characters, at most {spec.largest}", field=path
        )
    if (strict or spec.always) and re.fullmatch(spec.form, value) is None:
        raise EmvQrMalformed(f"{path} ({spec.name}) does not have its form", field=path)


def _check_strict(objects: Sequence[DataObject], values: dict[str, str]) -> None:
    for one in objects:
        if is_scheme_template(one.id):
            _need(path_of(one.id, GUID), values)
    if sum(4 + len(one.value) for one in objects) + _CHECKSUM > _LARGEST_PAYLOAD:
        raise EmvQrMalformed(f"the code has more than {_LARGEST_PAYLOAD} characters")


def _check_tip(values: dict[str, str]) -> None:
    """A fixed fee goes with 02, a percentage with 03, and neither without."""
    for path, mode in (("56", "02"), ("57", "03")):
        if (path in values) != (values.get("55") == mode):
            raise EmvQrMalformed(
                f"{path} ({spec_of(path).name}) goes with {mode} in 55 and only so", field=path
            )


def _need(path: str, values: dict[str, str]) -> None:
    if path not in values:
        raise EmvQrMalformed(f"{path} ({spec_of(path).name}) is missing", field=path)
