"""What a counter prints, as PDF: the receipt of one payment, and the poster with the code for the wall.

Both carry the letters that they use, Latin and Chinese: a viewer or a printer needs no font of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from tempfile import NamedTemporaryFile
from typing import Final

import fpdf

from comptoir.standards import qr_code
from comptoir.web.counter import fonts

_INK: Final = (17, 24, 39)
_SOFT: Final = (75, 85, 99)
_BAND: Final = (16, 88, 76)

#: Millimeters, wide and high.
SIZES: Final = {"A6": (105.0, 148.0), "A5": (148.0, 210.0)}

#: The roll of a receipt printer: 80 mm, of which 72 are printed.
_ROLL: Final = 80.0
_ROLL_MARGIN: Final = 5.0
_GAP: Final = 4.0

_LATIN, _CHINESE = "latin", "chinese"

#: What a poster says to travellers, in every language of the shop.
_CALL: Final = "扫码付款"


@dataclass(frozen=True)
class Receipt:
    """What stands on a receipt, in words. `rows` are pairs of what it is and how much."""

    heading: str
    shop: tuple[str, ...]
    amount: str
    rows: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Poster:
    """What stands on the poster. `address` is what the code says; `chinese_name` may be empty."""

    name: str
    chinese_name: str
    place: str
    address: str
    local_call: str
    steps: tuple[str, ...]
    footer: str


class _Sheet(fpdf.FPDF):
    """One page with the fonts that its texts need, and text that never runs over its width."""

    def __init__(self, size: tuple[float, float], title: str, texts: Iterable[str]) -> None:
        super().__init__(unit="mm", format=size)
        self.set_auto_page_break(False)
        self.set_margin(0)
        self.set_title(title)
        self.add_font(_LATIN, "", fonts.latin())
        self.add_font(_LATIN, "B", fonts.latin(bold=True))
        if letters := fonts.chinese_letters("".join(texts)):
            # Takes fonts by name only, and reads on in the file until the document is done.
            self._chinese = NamedTemporaryFile(suffix=".otf")  # noqa: SIM115
            self._chinese.write(fonts.chinese(letters))
            self._chinese.flush()
            self.add_font(_CHINESE, "", self._chinese.name)
            self.set_fallback_fonts([_CHINESE], exact_match=False)
        self.add_page()

    def line_at(
        self,
        y: float,
        text: str,
        points: float,
        *,
        bold: bool = False,
        color: tuple[int, int, int] = _INK,
        align: str = "C",
        margin: float = 8,
    ) -> float:
        """One line, made smaller until it fits, and cut if it never does; where the next one may begin."""
        width, height = self.w - 2 * margin, _height(points)
        # A context of its own: what a fallback font leaves behind would print the next line in its size.
        with self.local_context():
            self.set_text_color(*color)
            self.set_font(_LATIN, "B" if bold else "", points)
            while points > 6 and self.get_string_width(text) > width:
                points -= 0.5
                self.set_font(_LATIN, "B" if bold else "", points)
            while len(text) > 1 and self.get_string_width(text) > width:
                text = f"{text[:-2]}…"
            self.set_xy(margin, y)
            self.cell(width, height, text, align=align)
        return y + height

    def code_at(self, x: float, y: float, side: float, text: str) -> None:
        """A QR code on the white paper, in a square of `side` mm with its quiet zone."""
        rows = qr_code.modules(text)
        step = side / (len(rows) + 2 * qr_code.QUIET_MODULES)
        self.set_fill_color(0, 0, 0)
        for down, row in enumerate(rows):
            for across, length in _runs(row):
                left = x + (across + qr_code.QUIET_MODULES) * step
                top = y + (down + qr_code.QUIET_MODULES) * step
                # A hair higher, so that no viewer leaves a light line between two dark modules.
                self.rect(left, top, length * step, step * 1.01, style="F")


def poster(content: Poster, size: str) -> bytes:
    """The poster for a table stand or the wall; `size` is one of SIZES."""
    wide, high = SIZES[size]
    scale = wide / 105
    sheet = _Sheet((wide, high), content.name, [_CALL, *_texts_of(content)])
    sheet.set_fill_color(*_BAND)
    sheet.rect(0, 0, wide, 30 * scale, style="F")
    white = (255, 255, 255)
    sheet.line_at(4.5 * scale, _CALL, 30 * scale, color=white)
    sheet.line_at(19.5 * scale, content.local_call, 13 * scale, color=white)
    y = sheet.line_at(34 * scale, content.name, 17 * scale, bold=True)
    if content.chinese_name:
        y = sheet.line_at(y, content.chinese_name, 15 * scale)
    y = sheet.line_at(y, content.place, 9 * scale, color=_SOFT)
    foot = high - 27 * scale
    # The quiet zone reaches into the white above and below.
    side = min(80 * scale, foot - y + 6 * scale)
    sheet.code_at((wide - side) / 2, y + (foot - y - side) / 2, side, content.address)
    y = foot
    for step in content.steps:
        y = sheet.line_at(y, step, 9.5 * scale)
    sheet.line_at(high - 7.5 * scale, content.footer, 6.5 * scale, color=_SOFT)
    return bytes(sheet.output())


def _texts_of(content: Poster) -> list[str]:
    steps = content.steps
    return [content.name, content.chinese_name, content.place, content.local_call, *steps, content.footer]


def receipt(content: Receipt) -> bytes:
    """The receipt on a roll of 80 mm, as long as it has to be."""
    lines = _lines_of(content)
    long = 2 * _ROLL_MARGIN + sum(_GAP if one is None else _height(one.points) + one.after for one in lines)
    sheet = _Sheet((_ROLL, long), content.heading, [one.text for one in lines if one is not None])
    y = _ROLL_MARGIN
    for one in lines:
        if one is None:
            sheet.set_draw_color(200, 204, 210)
            sheet.set_line_width(0.2)
            sheet.line(_ROLL_MARGIN, y + _GAP / 2, _ROLL - _ROLL_MARGIN, y + _GAP / 2)
            y += _GAP
        else:
            y = one.after + sheet.line_at(
                y, one.text, one.points, bold=one.bold, color=one.color, align=one.align, margin=_ROLL_MARGIN
            )
    return bytes(sheet.output())


@dataclass(frozen=True)
class _Line:
    text: str
    points: float
    bold: bool = False
    color: tuple[int, int, int] = _INK
    align: str = "C"
    after: float = 0  # millimeters of air below it


def _lines_of(content: Receipt) -> list[_Line | None]:
    """What is printed one below the other; None is a rule."""
    name, *place = content.shop
    lines: list[_Line | None] = [_Line(name, 13, bold=True)]
    lines += [_Line(text, 9, color=_SOFT) for text in place]
    lines += [None, _Line(content.heading, 11, bold=True), _Line(content.amount, 24, bold=True), None]
    for label, value in content.rows:
        lines.append(_Line(label, 7.5, color=_SOFT, align="L", after=-0.7))
        lines.append(_Line(value, 9.5, align="L", after=0.9))
    return [*lines, None, *(_Line(text, 8, color=_SOFT) for text in content.notes)]


def _height(points: float) -> float:
    """Millimeters from one line to the next."""
    return points * 0.3528 * 1.3


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """Where dark modules begin in a row, and how many stand together."""
    runs: list[tuple[int, int]] = []
    for place, dark in enumerate(row):
        if dark and runs and sum(runs[-1]) == place:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif dark:
            runs.append((place, 1))
    return runs
