"""Every text of the pages is there in every language, whole and sure, and no page says one in passing."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from tools import languages

ROOMS = languages.rooms()
BOTH = [(room, language) for room in ROOMS for language in languages.LANGUAGES]

each = pytest.mark.parametrize(
    ("room", "language"), BOTH, ids=[f"{room.name}-{language}" for room, language in BOTH]
)


def texts(room: Path, language: str) -> list[Message]:
    return [one for one in languages.updated(room, language) if one.id]


@each
def test_nothing_is_missing_or_unsure(room: Path, language: str) -> None:
    assert not languages.missing(languages.updated(room, language)), "run `make languages`, then translate"


@each
def test_the_files_are_in_step_with_the_code(room: Path, language: str) -> None:
    made = languages.updated(room, language)
    if not texts(room, language):
        return
    po, mo = languages.paths(room, language)
    assert po.read_bytes() == languages.po_bytes(made), "run `make languages`"
    assert mo.read_bytes() == languages.mo_bytes(made), "run `make languages`"


@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_rooms_agree_on_what_they_all_say(language: str) -> None:
    """Pages look a text up in all rooms' catalogues together: of two translations one wins everywhere."""
    said: dict[tuple[str | None, str], dict[str, str]] = {}
    for room in ROOMS:
        for message in texts(room, language):
            key = message.context, str(message.id)
            said.setdefault(key, {})[room.name] = str(message.string)
    differing = {key: found for key, found in said.items() if len(set(found.values())) > 1}
    assert not differing, "translate alike, or give the text of one room a context"


_PLACE = re.compile(r"%\([a-z_]+\)[sd]|%[sd%]|\{[a-z_]*\}")


@each
def test_what_is_put_in_is_put_in_everywhere(room: Path, language: str) -> None:
    for message in texts(room, language):
        wanted = [message.id] if isinstance(message.id, str) else list(message.id)
        given = [message.string] if isinstance(message.string, str) else list(message.string)
        # A plural form may say the number in words or not at all; every other one has all of its places.
        places = {place for text in wanted for place in _PLACE.findall(text)}
        for text in given:
            found = set(_PLACE.findall(text))
            assert found <= places, (message.id, text)
            assert found == places or len(given) > 1, (message.id, text)


_BLOCK = re.compile(r"{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}", re.S)
#: Blocks of components/base.html that hold classes and attributes.
_CLASSES = re.compile(r"{%\s*block (?:page_style|shell|body_attributes|lang)\s*%}.*?{%\s*endblock\s*%}", re.S)
_COMMENT = re.compile(r"{#.*?#}|{%\s*comment\b.*?{%\s*endcomment\s*%}", re.S)
_TAG = re.compile(r"{%.*?%}|{{.*?}}", re.S)
_WORD = re.compile(r"[^\W\d_]{2,}")
_SAID = ("alt", "aria-label", "placeholder", "title", "label")
#: Names, and what people type or read off a label: the same in every language.
_NAMES = re.compile(r"Comptoir|QR|PIN|CNY|EUR|PDF|CSV|XLSX|URL|API|Alipay\+?|WeChat|https?")


class _Said(HTMLParser):
    """The words that stand in a template itself, outside code and outside an element in a named language."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in ("meta", "link", "img", "input", "br", "hr", "path"):
            silent = tag in ("script", "style", "code", "svg") or ("lang" in given and tag != "html")
            if self._silent or silent:
                self._silent.append(tag)
        if not self._silent:
            self._hear(" ".join(value or "" for name, value in attrs if name in _SAID))

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._hear(data)

    def _hear(self, text: str) -> None:
        self.words += _WORD.findall(_NAMES.sub("", text))


TEMPLATES = [path for room in ROOMS for path in sorted(room.rglob("templates/**/*.html"))]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(languages.WEB)))
def test_no_page_says_anything_in_one_language_alone(template: Path) -> None:
    said = _Said()
    text = template.read_text()
    for pattern in (_COMMENT, _CLASSES, _BLOCK, _TAG):
        text = pattern.sub("", text)
    said.feed(text)
    said.close()
    assert not said.words, f"use {{% translate %}} for {said.words}"
