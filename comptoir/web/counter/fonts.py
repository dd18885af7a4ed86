"""The fonts of what is printed: Source Sans for Latin, Greek and Cyrillic, Noto Sans SC for Chinese."""

from __future__ import annotations

import io
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from fontTools import subset, ttLib

_SHOPS: Final = 256


def latin(*, bold: bool = False) -> Path:
    """The file of the font for everything but Chinese."""
    name = "SourceSansPro-Bold.ttf" if bold else "SourceSansPro-Regular.ttf"
    return Path(str(files("font_source_sans_pro") / "files" / name))


@cache
def _letters_of_latin() -> frozenset[int]:
    with ttLib.TTFont(latin(), lazy=True) as font:
        return frozenset(font.getBestCmap())


def chinese_letters(texts: str) -> frozenset[str]:
    """The letters of a text that only the Chinese font may have."""
    return frozenset(letter for letter in texts if ord(letter) not in _letters_of_latin())


@lru_cache(_SHOPS)
def chinese(letters: frozenset[str]) -> bytes:
    """The Chinese font with these letters alone, as a file's content.

    All of it has 30,000, and taking them apart for each receipt kept a till waiting for most of a second. The
    receipts of a shop use the same few.
    """
    options = subset.Options(layout_features=[], notdef_outline=True)
    small = subset.Subsetter(options)
    small.populate(text="".join(letters))
    content = io.BytesIO()
    with ttLib.TTFont(str(files("pylopdf_fonts_zh_cn") / "NotoSansSC-Regular.otf"), lazy=True) as font:
        small.subset(font)
        font.save(content)
    return content.getvalue()
