"""Data objects: two digits of id, two of length, then the value. A template's value is objects again.

The length counts characters, not bytes (EMVCo MPM; its own sample counts 最佳运输 as 4), while the
checksum runs over the bytes of UTF-8.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from comptoir.standards.emv_qr.errors import EmvQrMalformed

#: What two digits of length can say.
LARGEST_VALUE: Final = 99

_HEAD: Final = re.compile("([0-9]{2})([0-9]{2})")


@dataclass(frozen=True, slots=True)
class DataObject:
    """An id of two digits and a value. Raises EmvQrMalformed for an id that is none."""

    id: str
    value: str

    def __post_init__(self) -> None:
        if re.fullmatch("[0-9]{2}", self.id) is None:
            raise EmvQrMalformed("the id of a data object is two digits")


def read_objects(text: str, within: str = "") -> tuple[DataObject, ...]:
    """Take a payload apart, or the value of the template `within`. No id may come twice in it.

    Raises EmvQrMalformed naming the object at which the text stops making sense.
    """
    found: dict[str, DataObject] = {}
    at = 0
    while at < len(text):
        head = _HEAD.match(text, at)
        if head is None:
            raise EmvQrMalformed(_where(within, at) + "no object begins here", field=within or None)
        name, length = head[1], int(head[2])
        path = path_of(within, name)
        if name in found:
            raise EmvQrMalformed(f"{path} comes twice", field=path)
        value = text[head.end() : head.end() + length]
        if not length or len(value) < length:
            raise EmvQrMalformed(f"{path} says {length} characters and has {len(value)}", field=path)
        found[name] = DataObject(name, value)
        at = head.end() + length
    return tuple(found.values())


def write_objects(objects: Iterable[DataObject], within: str = "") -> str:
    """The text of some objects, in their order. Raises EmvQrMalformed for a value of 0 or over 99."""
    parts = []
    for one in objects:
        if not 0 < len(one.value) <= LARGEST_VALUE:
            path = path_of(within, one.id)
            raise EmvQrMalformed(
                f"{path} has {len(one.value)} characters, not 1 to {LARGEST_VALUE}", field=path
            )
        parts.append(f"{one.id}{len(one.value):02d}{one.value}")
    return "".join(parts)


def template(name: str, members: Iterable[DataObject]) -> DataObject:
    """The object `name` that holds `members`. Raises EmvQrMalformed."""
    return DataObject(name, write_objects(members, name))


def path_of(within: str, name: str) -> str:
    """How an object is named in messages: its template's id first."""
    return f"{within}.{name}" if within else name


def checksum(text: str) -> str:
    """CRC-16/CCITT-FALSE of the UTF-8 bytes, as 4 hex digits in capitals.

    Polynomial 0x1021, initial value 0xFFFF, nothing reflected, nothing added at the end (ISO/IEC 13239
    as EMVCo MPM uses it). Raises EmvQrMalformed for text that is no Unicode.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise EmvQrMalformed("the code holds half a character") from None
    return f"{binascii.crc_hqx(data, 0xFFFF):04X}"


def _where(within: str, at: int) -> str:
    return f"at character {at + 1}{f' of {within}' if within else ''} "
