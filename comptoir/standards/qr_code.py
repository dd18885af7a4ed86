"""QR codes as pictures (ISO/IEC 18004:2024, Model 2): a text in, SVG or PNG out.

Error correction M (15 percent may be unreadable), raised where it costs no more room, and the quiet zone
of 4 modules that the standard asks for. Text beyond ASCII is written as UTF-8 without an ECI header:
wallets take UTF-8 for granted, and some older ones stumble over the header.
"""

from __future__ import annotations

import io
from enum import Enum
from typing import Final

import segno

from comptoir.kernel.errors import InvalidValue

QUIET_MODULES: Final = 4


class Picture(Enum):
    """The kinds of picture; the value is the usual suffix of a file."""

    SVG = "svg"
    PNG = "png"


def build(text: str, picture: Picture, *, scale: int = 8) -> bytes:
    """The picture of a text; `scale` is the pixels of one module. Raises InvalidValue when it is too long."""
    drawn = io.BytesIO()
    options = {"nl": False} if picture is Picture.SVG else {}
    _code(text).save(drawn, kind=picture.value, border=QUIET_MODULES, scale=scale, **options)
    return drawn.getvalue()


def build_inline(text: str) -> str:
    """The code as an SVG element for a page, as large as the page lets it be. Raises InvalidValue."""
    return str(_code(text).svg_inline(border=QUIET_MODULES, omitsize=True))


def modules(text: str) -> list[list[bool]]:
    """The code of a text as rows of modules, dark ones true, to be drawn by somebody else.

    Without the quiet zone: `QUIET_MODULES` on each side have to stay light. Raises InvalidValue.
    """
    return [[bool(one) for one in row] for row in _code(text).matrix]


def _code(text: str) -> segno.QRCode:
    try:
        return segno.make(text, error="m", micro=False, encoding="utf-8")
    except segno.DataOverflowError:
        raise InvalidValue("the text is too long for a QR code") from None
