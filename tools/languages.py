"""`make languages`: the pages' texts, taken from code and templates into one catalogue a room and language.

A room is a package of `comptoir.web`; its catalogues are ``locale/<language>/LC_MESSAGES/django.po`` and the
compiled ``django.mo``. Texts in the code are English, so English has none. A new text is added with an empty
translation, one that is gone is dropped; nothing is guessed. The files hold no dates, lines or places, and
are sorted: two people who add texts to two rooms never meet.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

WEB: Final = Path(__file__).parents[1] / "comptoir" / "web"

#: Django's name of a language, as the folder of its catalogues.
LANGUAGES: Final = ("zh_Hans", "nl", "fr", "de")

_KEYWORDS: Final = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_STRING: Final = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL: Final = re.compile(rf"(?<!\w)(?:n?p?gettext|_)\({_STRING}(?:, ?{_STRING})*(?:, ?count)?\)")
_SAME: Final = datetime(2026, 1, 1, tzinfo=UTC)
_TEXTS: Final = ("*.html", "*.txt", "*.webmanifest", "*.js")


def rooms() -> list[Path]:
    """The packages of the people's doors, by name."""
    return sorted(path.parent for path in WEB.glob("*/__init__.py"))


def extracted(room: Path) -> Catalog:
    """Every text of a room, untranslated."""
    found = Catalog(fuzzy=False)
    for source in sorted(room.rglob("*.py")):
        if "migrations" not in source.parts:
            _collect(found, source.read_bytes())
    for pattern in _TEXTS:
        for source in sorted((room / "templates").rglob(pattern)):
            _collect(found, _as_python(source))
    return found


def _collect(catalog: Catalog, code: bytes) -> None:
    options = {"encoding": "utf-8"}
    for _line, message, _comments, context in extract("python", io.BytesIO(code), _KEYWORDS, (), options):
        catalog.add(message, context=context)


def _as_python(template: Path) -> bytes:
    """A template's texts as calls of gettext, which Django's own tool makes of it."""
    from django.utils.translation.template import templatize

    made = templatize(template.read_text(), origin=str(template))
    # All else has become letters in a row, of which nothing is Python.
    return "\n".join(_CALL.findall(made)).encode()


def catalogue(room: Path, language: str) -> Catalog:
    """What a room has in a language now."""
    path = _po(room, language)
    if not path.exists():
        return _empty(language)
    with path.open("rb") as file:
        return _dateless(read_po(file, locale=language))


def updated(room: Path, language: str) -> Catalog:
    """What it has to have: all its texts, with the translations that are there."""
    known, wanted = catalogue(room, language), _empty(language)
    for message in extracted(room):
        if message.id:
            old = known.get(_single(message), context=message.context)
            same = old is not None and old.pluralizable == message.pluralizable
            wanted.add(
                message.id,
                old.string if old is not None and same else None,
                context=message.context,
                flags=old.flags - {"python-format", "python-brace-format"} if old is not None else (),
            )
    return wanted


def missing(catalog: Catalog) -> list[str]:
    """The texts that are not translated, or not surely."""
    return [str(_single(one)) for one in catalog if one.id and (not _is_whole(one) or one.fuzzy)]


def po_bytes(catalog: Catalog) -> bytes:
    """The catalogue for people."""
    file = io.BytesIO()
    write_po(file, catalog, width=110, no_location=True, omit_header=True, sort_output=True)
    return file.getvalue()


def mo_bytes(catalog: Catalog) -> bytes:
    """The catalogue for the program."""
    file = io.BytesIO()
    write_mo(file, _dateless(catalog))
    return file.getvalue()


def main() -> int:
    """Write all catalogues; 1 if a translation is missing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comptoir.config.settings")
    import django

    django.setup()
    lacking = 0
    only = set(sys.argv[1:])
    for room in rooms():
        if only and room.name not in only:
            continue
        for language in LANGUAGES:
            made = updated(room, language)
            path = _po(room, language)
            if not any(one.id for one in made):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(po_bytes(made))
            path.with_suffix(".mo").write_bytes(mo_bytes(made))
            for text in missing(made):
                lacking += 1
                print(f"{path.relative_to(WEB)}: {text}")
    print(f"{lacking} translations are missing" if lacking else "Every text is there in every language.")
    return 1 if lacking else 0


def paths(room: Path, language: str) -> Iterator[Path]:
    """Where a room's catalogue of a language is: for people, for the program."""
    yield _po(room, language)
    yield _po(room, language).with_suffix(".mo")


def _po(room: Path, language: str) -> Path:
    return room / "locale" / language / "LC_MESSAGES" / "django.po"


def _empty(language: str) -> Catalog:
    return _dateless(Catalog(locale=language, fuzzy=False))


def _dateless(catalog: Catalog) -> Catalog:
    catalog.creation_date = catalog.revision_date = _SAME
    catalog.project, catalog.version = "Comptoir", "1"
    return catalog


def _single(message: Message) -> str:
    return message.id[0] if isinstance(message.id, tuple | list) else str(message.id)


def _is_whole(message: Message) -> bool:
    given = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return all(given)


if __name__ == "__main__":
    raise SystemExit(main())
