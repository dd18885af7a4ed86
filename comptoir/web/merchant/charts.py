"""Charts as SVG, drawn by the server: they need no script, print well, and take their colors from the theme.

Each is an element of the page with a title and a description for who cannot see it; the page shows the same
numbers as a table. Shapes carry classes (`chart-…`), never colors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

#: Units of the drawing; the page scales it.
_WIDTH: Final = 720
_HEIGHT: Final = 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 8, 26, 26

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what stands below it, its value, and the value in words. `mark`: its label is written."""

    label: str
    value: int
    shown: str
    mark: bool = False


def columns(title: str, description: str, found: Sequence[Column], top: str) -> SafeString:
    """Values side by side, the highest one written as `top` above its line.

    On the right, where narrow screens begin.
    """
    highest = max((one.value for one in found), default=0) or 1
    inner_width, inner_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    step = inner_width / max(len(found), 1)
    base = _TOP + inner_height
    bars = format_html_join(
        "",
        '<rect class="chart-bar" x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}: {}</title></rect>',
        (
            (
                _rounded(_LEFT + number * step + step * 0.14),
                _rounded(base - inner_height * one.value / highest),
                _rounded(max(step * 0.72, 1)),
                _rounded(inner_height * one.value / highest),
                one.label,
                one.shown,
            )
            for number, one in enumerate(found)
            if one.value > 0
        ),
    )
    marks = format_html_join(
        "",
        '<text class="chart-text" x="{}" y="{}" text-anchor="middle">{}</text>',
        (
            (_rounded(min(max(_LEFT + (n + 0.5) * step, 28), _WIDTH - 28)), _HEIGHT - 8, one.label)
            for n, one in enumerate(found)
            if one.mark
        ),
    )
    lines = format_html(
        '<path class="chart-line" d="M{0} {2}H{1}M{0} {3}H{1}"/>'
        '<text class="chart-text" x="{1}" y="{4}" text-anchor="end">{5}</text>',
        str(_LEFT),
        str(_WIDTH - _RIGHT),
        str(_TOP),
        str(base),
        str(_TOP - 8),
        top,
    )
    return _drawing(title, description, _WIDTH, _HEIGHT, lines + bars + marks)


def heat(
    title: str, description: str, rows: Sequence[str], cells: dict[tuple[int, int], tuple[int, str]]
) -> SafeString:
    """Seven days by 24 hours: the more, the fuller. `cells` by (row from 0, hour): value, and it in words."""
    side, gap, left, bottom = 24, 4, 60, 26
    highest = max((value for value, _ in cells.values()), default=0) or 1
    width, height = left + 24 * (side + gap), len(rows) * (side + gap) + bottom
    drawn = format_html_join(
        "",
        '<rect class="chart-cell" x="{}" y="{}" width="{}" height="{}" rx="4" fill-opacity="{}">'
        "<title>{}</title></rect>",
        (
            (
                left + hour * (side + gap),
                row * (side + gap),
                side,
                side,
                _opacity(cells.get((row, hour), (0, ""))[0], highest),
                cells.get((row, hour), (0, f"{rows[row]} {hour}:00: 0"))[1],
            )
            for row in range(len(rows))
            for hour in range(24)
        ),
    )
    days = format_html_join(
        "",
        '<text class="chart-text" x="0" y="{}">{}</text>',
        ((row * (side + gap) + 17, name) for row, name in enumerate(rows)),
    )
    hours = format_html_join(
        "",
        '<text class="chart-text" x="{}" y="{}" text-anchor="middle">{}</text>',
        ((left + hour * (side + gap) + side // 2, height - 6, hour) for hour in range(0, 24, 3)),
    )
    return _drawing(title, description, width, height, drawn + days + hours)


def share_bar(part: int, whole: int) -> SafeString:
    """A share as a bar within a table's cell; the number stands beside it, so it is for the eye only."""
    width = _rounded(100 * part / whole) if whole > 0 and part > 0 else 0
    return format_html(
        '<svg class="chart-share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"'
        ' focusable="false"><rect class="chart-rest" width="100" height="8"/>'
        '<rect class="chart-bar" width="{}" height="8"/></svg>',
        width,
    )


def _drawing(title: str, description: str, width: int, height: int, inside: SafeString) -> SafeString:
    number = next(_numbers)
    return format_html(
        '<svg class="chart" viewBox="0 0 {1} {2}" role="img" aria-labelledby="chart{0}-t chart{0}-d">'
        '<title id="chart{0}-t">{3}</title><desc id="chart{0}-d">{4}</desc>{5}</svg>',
        number,
        width,
        height,
        title,
        description,
        inside,
    )


def _opacity(value: int, highest: int) -> str:
    """From hardly there to full; what is not nothing is seen."""
    return "0.07" if value <= 0 else _rounded(0.2 + 0.8 * value / highest)


def _rounded(value: float) -> str:
    """With a point whatever the page's language: `format_html` would write a number as people do."""
    return f"{value:.2f}"
