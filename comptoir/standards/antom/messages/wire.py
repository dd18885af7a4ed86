"""How every message is read and written.

In: unknown members are ignored, null counts as absent, and so does an empty text where no text belongs
(some SDKs send both); booleans and numbers may be quoted (the documentation quotes every scalar, the SDKs
do not); what is wrong is named in the caller's own
dotted spelling. Out: absent members are left out, prices are numbers, amounts strings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from msgspec import inspect

from comptoir.standards.antom.errors import NotSupported, ParamIllegal

#: Required text, 1 to n characters. Lengths: docs.antom.com and the OpenAPI mirror, November 2026.
Text32 = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
Text64 = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Text256 = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]

#: Optional text, 0 to n characters: some SDKs send an empty string for what is not there.
Max3 = Annotated[str, msgspec.Meta(max_length=3)]
Max16 = Annotated[str, msgspec.Meta(max_length=16)]
Max32 = Annotated[str, msgspec.Meta(max_length=32)]
Max64 = Annotated[str, msgspec.Meta(max_length=64)]
Max128 = Annotated[str, msgspec.Meta(max_length=128)]
Max256 = Annotated[str, msgspec.Meta(max_length=256)]
Max1024 = Annotated[str, msgspec.Meta(max_length=1024)]
Max2048 = Annotated[str, msgspec.Meta(max_length=2048)]


class Message(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", repr_omit_defaults=True
):
    """Base of everything on the wire: camelCase outside, absent members omitted."""


class WrongMember(ValueError):
    """Raised while a struct checks itself: `member` (relative, wire spelling) breaks `reason`."""

    def __init__(self, member: str, reason: str) -> None:
        super().__init__(reason)
        self.member = member


class Digits(str):
    """A number that travels as text. A JSON integer is taken too; a fraction or exponent never."""

    __slots__ = ()


class NotOpen:
    """The type of a member that is not open here and would change what is done with money or goods.

    Whatever asks for something there refuses the request. What asks for nothing (false, an empty text, an
    object of such) counts as absent: some SDKs send it.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        return False


class _NotOpenHere(ValueError):
    """Raised while a message is read: what stands at this place is not open."""


_M = TypeVar("_M")

_PATH = re.compile(r" - at `\$\.?([^`]*)`\Z")
_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")

#: What msgspec calls things, in a merchant's words.
_WORDS: Final = (
    ("Expected `str` of length >= 1", "must not be empty"),
    ("Expected `str` of length <= ", "is longer than the maximum, "),
    ("Expected `str | null`, got ", "must be a string, not "),
    ("Expected `str`, got ", "must be a string, not "),
    ("Expected ", "must be "),
    (", got ", ", not "),
    ("Invalid enum value", "does not know the value"),
)


class Codec(Generic[_M]):
    """Reads one kind of message. Build it once; `decode` costs tens of microseconds."""

    def __init__(self, kind: type[_M]) -> None:
        self._decoder = msgspec.json.Decoder(kind, strict=False, dec_hook=_dec_hook)
        self._never_text = _never_text(kind)

    def decode(self, body: bytes) -> _M:
        """The message in `body`. Raises NotSupported for a member that is not open here, and otherwise
        ParamIllegal, naming the member or saying that it is not JSON."""
        try:
            if _SUSPECT.search(body):
                _refuse_forbidden(body)
            return self._decoder.decode(body)
        except msgspec.ValidationError as error:
            refusal = _named(error)
        except msgspec.DecodeError as error:
            raise ParamIllegal(f"the body is not valid JSON: {error}", field="body") from None
        except UnicodeDecodeError:
            raise ParamIllegal("the body is not valid UTF-8", field="body") from None
        except RecursionError:
            raise ParamIllegal("the body is nested too deeply", field="body") from None
        return self._without_nothing(body, refusal)

    def _without_nothing(self, body: bytes, refusal: ParamIllegal | NotSupported) -> _M:
        """The message without the members that say nothing, if that was all that was wrong with it."""
        try:
            document = _TREE.decode(body)
            tidied = _tidied(document, self._never_text)
            if tidied == document:
                raise refusal
            return self._decoder.decode(_ENCODER.encode(tidied))
        except msgspec.ValidationError as error:
            other = _named(error)
            raise (refusal if other.field == refusal.field else other) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError):
            raise refusal from None  # something behind the end, nested too deeply, a number without end


_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)

#: Any document, with every number to the digit.
_TREE: Final = msgspec.json.Decoder(float_hook=Decimal)


def encode(message: msgspec.Struct) -> bytes:
    """The message as UTF-8 JSON."""
    return _ENCODER.encode(message)


def _tidied(value: object, never_text: frozenset[str]) -> object:
    """A document without members that are null, or an empty text under a name that never is a text."""
    if isinstance(value, list):
        return [_tidied(one, never_text) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _tidied(one, never_text)
        for name, one in value.items()
        if one is not None and (one != "" or name not in never_text)
    }


def _never_text(kind: type[Any]) -> frozenset[str]:
    """The names under which a message, in whatever part, has flags, numbers, enums, lists or parts only."""
    texts: set[str] = set()
    others: set[str] = set()
    for name, one in _members(inspect.type_info(kind)):
        text = isinstance(one, inspect.StrType | inspect.CustomType | inspect.AnyType)
        (texts if text else others).add(name)
    return frozenset(others - texts)


def _members(kind: inspect.Type) -> Iterator[tuple[str, inspect.Type]]:
    """Every member of a message and of its parts: its name on the wire, and each type that it may have."""
    match kind:
        case inspect.StructType():
            for member in kind.fields:
                types = member.type.types if isinstance(member.type, inspect.UnionType) else (member.type,)
                for one in types:
                    if not isinstance(one, inspect.NoneType):
                        yield member.encode_name, one
                        yield from _members(one)
        case inspect.ListType():
            yield from _members(kind.item_type)


def _dec_hook(kind: type[Any], value: object) -> Digits | NotOpen:
    if kind is NotOpen:
        if _asks_for_something(value):
            raise _NotOpenHere
        return NotOpen()
    if kind is not Digits:
        raise NotImplementedError(kind)
    if isinstance(value, str):
        return Digits(value)
    if type(value) is int:
        return Digits(str(value))
    raise ValueError("must be a string of digits")


def _asks_for_something(value: object) -> bool:
    if isinstance(value, dict):
        return any(_asks_for_something(one) for one in value.values())
    if isinstance(value, list):
        return any(_asks_for_something(one) for one in value)
    return value.lower() not in ("", "false") if isinstance(value, str) else bool(value)


def _named(error: msgspec.ValidationError) -> ParamIllegal | NotSupported:
    """msgspec's complaint in wire spelling: ``order.orderAmount.value must not be empty``."""
    text = str(error)
    path = _PATH.search(text)
    field = path[1] if path else ""
    reason = text[: path.start()] if path else text
    if isinstance(error.__cause__, _NotOpenHere):
        return NotSupported(f"{field} is not open here", field=field)
    if isinstance(error.__cause__, WrongMember):
        field = _join(field, error.__cause__.member)
    elif missing := _MISSING.match(reason):
        field, reason = _join(field, missing[1]), "is missing"
    else:
        for theirs, ours in _WORDS:
            reason = reason.replace(theirs, ours)
        reason = reason.replace("`", "")
    field = field or "body"
    return ParamIllegal(f"{field} {reason}", field=field)


def _join(path: str, member: str) -> str:
    return f"{path}.{member}" if path else member


def _refuse_forbidden(body: bytes) -> None:
    """Refuse NUL characters, which no database stores, and halves of surrogate pairs, which are no text."""
    try:
        document = json.loads(body)
    except ValueError:
        return  # the decoder says it better
    stack: list[tuple[str, object]] = [("", document)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, str):
            if _FORBIDDEN.search(value):
                field = path or "body"
                raise ParamIllegal(f"{field} holds a NUL or half a surrogate pair", field=field)
        elif isinstance(value, list):
            stack.extend((f"{path}[{index}]", item) for index, item in enumerate(value))
        elif isinstance(value, dict):
            if any(_FORBIDDEN.search(name) for name in value):
                raise ParamIllegal(
                    f"{path or 'body'} has a member name that is no text", field=path or "body"
                )
            stack.extend((_join(path, name), item) for name, item in value.items())
