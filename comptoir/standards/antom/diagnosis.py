"""What is wrong with a signed request, for whoever wrote the program that sends it.

The checks of a server in their order, and then those guesses that explain a signature which does not verify:
another key of the same client, another path, a body that was written anew after it was signed. Nothing here
lets anybody in; it only says why the door would not.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import unquote_plus

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.messages import Codec
from comptoir.standards.antom.messages.requests import REQUESTS
from comptoir.standards.antom.paths import PRODUCTION, SANDBOX, operation_of, path_of_target, signed_paths
from comptoir.standards.antom.signing import (
    SignatureHeader,
    content_to_sign,
    decode_signature,
    parse_header,
    verify,
)
from comptoir.standards.antom.times import parse_time

#: How far a request's time may be from the server's.
_SKEW: Final = timedelta(minutes=15)


class Code(StrEnum):
    """What was found. The first two are good, and so is `NOTE_…`; all others are why it would be refused."""

    VERIFIES = "verifies"
    BODY_GOOD = "body_good"
    NOTE_OLD = "note_old"
    NOTE_BODY_SPACE = "note_body_space"
    UNREADABLE = "unreadable"
    METHOD = "method"
    PATH_UNKNOWN = "path_unknown"
    HEADER_MISSING = "header_missing"
    HEADER_TWICE = "header_twice"
    CLIENT_OTHER = "client_other"
    TIME_BAD = "time_bad"
    SIGNATURE_HEADER = "signature_header"
    SIGNATURE_ENCODING = "signature_encoding"
    KEY_UNKNOWN = "key_unknown"
    SIGNED_OTHER_KEY = "signed_other_key"
    SIGNED_OTHER_PATH = "signed_other_path"
    SIGNED_OTHER_CLIENT = "signed_other_client"
    SIGNED_OTHER_BODY = "signed_other_body"
    SIGNATURE_WRONG = "signature_wrong"
    BODY_MEMBER = "body_member"


#: Findings that are no reason to refuse.
GOOD: Final = frozenset({Code.VERIFIES, Code.BODY_GOOD, Code.NOTE_OLD, Code.NOTE_BODY_SPACE})


class Finding(msgspec.Struct, frozen=True):
    """One thing found. `about` is the header, member or key version, `detail` what stands or should stand."""

    code: Code
    about: str = ""
    detail: str = ""


class Request(msgspec.Struct, frozen=True):
    """A request as it was written down: the request line, the headers by lower-case name, the body."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    twice: tuple[str, ...] = ()


def parse(head: str, body: str) -> Request | None:
    """A request out of its head (request line and headers) and its body; None if the head is none.

    Who pastes a body through a browser sends CR LF for every line end: they are taken for LF.
    """
    lines = [line.strip() for line in head.strip().splitlines() if line.strip()]
    method, _, target = lines[0].partition(" ") if lines else ("", "", "")
    if not target or ":" in method:
        return None
    headers: dict[str, str] = {}
    twice = []
    for line in lines[1:]:
        name, _, value = line.partition(":")
        known = name.strip().lower()
        if known in headers:
            twice.append(known)
        headers[known] = value.strip()
    path = path_of_target(target.strip().split(" ")[0])
    return Request(method.upper(), path, headers, body.replace("\r\n", "\n").encode(), tuple(twice))


def diagnose(
    request: Request, client_id: str, keys: Mapping[int, RSAPublicKey], now: datetime
) -> list[Finding]:
    """Everything that can be said of a request of this client, whose live keys are `keys`, newest first."""
    found = list(_of_head(request, client_id, now))
    found += _of_signature(request, client_id, keys)
    found.append(_of_body(request))
    return found


def _of_head(request: Request, client_id: str, now: datetime) -> Iterator[Finding]:
    if request.method != "POST":
        yield Finding(Code.METHOD, detail=request.method)
    if operation_of(signed_paths(request.path)[-1]) is None:
        yield Finding(Code.PATH_UNKNOWN, detail=request.path)
    for name in ("client-id", "request-time", "signature"):
        if name in request.twice:
            yield Finding(Code.HEADER_TWICE, name)
        if not request.headers.get(name):
            yield Finding(Code.HEADER_MISSING, name)
    sent = request.headers.get("client-id")
    if sent and sent != client_id:
        yield Finding(Code.CLIENT_OTHER, "client-id", sent)
    time = request.headers.get("request-time")
    if time:
        try:
            away = parse_time(time, "Request-Time") - now
        except ParamIllegal as error:
            yield Finding(Code.TIME_BAD, "request-time", error.message)
        else:
            if abs(away) > _SKEW:
                yield Finding(Code.NOTE_OLD, "request-time", time)


def _of_signature(request: Request, client_id: str, keys: Mapping[int, RSAPublicKey]) -> Iterator[Finding]:
    text = request.headers.get("signature")
    if not text:
        return
    try:
        header = parse_header(text)
    except ParamIllegal as error:
        yield Finding(Code.SIGNATURE_HEADER, error.field or "", error.message)
        return
    version = header.key_version if header.key_version is not None else next(iter(keys), None)
    if version not in keys:
        yield Finding(Code.KEY_UNKNOWN, str(version or ""), ", ".join(map(str, keys)))
    signature = header.signature()
    if signature is None:
        yield Finding(Code.SIGNATURE_ENCODING, "signature")
        signature = _plain_base64(header)
        if signature is None:
            return
    yield from _signed_by(request, client_id, keys, version, signature)


def _signed_by(
    request: Request, client_id: str, keys: Mapping[int, RSAPublicKey], version: int | None, signature: bytes
) -> Iterator[Finding]:
    """Over what, and with which key, the signature is good; or that it is not."""
    ordered = sorted(keys, key=lambda one: one != version)
    bodies = _bodies(request.body)
    paths = _paths(request.path)
    sent = request.headers.get("client-id", "")
    time = request.headers.get("request-time", "")
    for one in ordered:
        for path in paths:
            for client in dict.fromkeys((sent, client_id)):
                for body, note in bodies.items():
                    if not verify(keys[one], content_to_sign(path, client, time, body), signature):
                        continue
                    yield Finding(Code.VERIFIES, str(one))
                    if one != version:
                        yield Finding(Code.SIGNED_OTHER_KEY, str(one), str(version or ""))
                    if path not in signed_paths(request.path):
                        yield Finding(Code.SIGNED_OTHER_PATH, detail=path)
                    if client != sent:
                        yield Finding(Code.SIGNED_OTHER_CLIENT, detail=client)
                    if note is not None:
                        yield Finding(note, "body")
                    return
    content = content_to_sign(signed_paths(request.path)[-1], sent, time, request.body)
    yield Finding(Code.SIGNATURE_WRONG, "signature", hashlib.sha256(content).hexdigest())


def _of_body(request: Request) -> Finding:
    """What the operation says of its members."""
    operation = operation_of(signed_paths(request.path)[-1])
    kind = REQUESTS.get(operation.key) if operation else None
    try:
        Codec(kind or dict).decode(request.body)
    except ParamIllegal as error:
        return Finding(Code.BODY_MEMBER, error.field or "body", error.message)
    return Finding(Code.BODY_GOOD)


def signer_of(text: str, signature: str, keys: Mapping[int, RSAPublicKey]) -> int | None:
    """Whose signature of `text` this is: the version of the key that it verifies with, None if none.

    Base64 in any wrapping, URL-encoded or not. A line end after the text does not matter: `echo` adds one.
    """
    compact = "".join(signature.split())
    raw = decode_signature(compact) or _base64(compact)
    if raw is None:
        return None
    for version, key in keys.items():
        if any(verify(key, content.encode(), raw) for content in (text, text + "\n")):
            return version
    return None


def _paths(path: str) -> list[str]:
    """The path, and what may have been signed instead: the other side's, or one without the prefix."""
    own = signed_paths(path)
    others = [
        one.replace(mine, other, 1)
        for one in own
        for mine, other in ((PRODUCTION, SANDBOX), (SANDBOX, PRODUCTION), (PRODUCTION, ""), (SANDBOX, ""))
        if one.startswith(mine + "/")
    ]
    return list(dict.fromkeys((*reversed(own), *others)))


def _bodies(body: bytes) -> dict[bytes, Code | None]:
    """The body, and what may have been signed instead of it, later ones less likely."""
    guesses: list[tuple[bytes, Code | None]] = [
        (body, None),
        (body.strip(), Code.NOTE_BODY_SPACE),
        (body.replace(b"\n", b"\r\n"), Code.NOTE_BODY_SPACE),
    ]
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if document is not None:
        for separators in ((",", ":"), (", ", ": ")):
            for ascii_only in (False, True):
                text = json.dumps(document, separators=separators, ensure_ascii=ascii_only)
                guesses.append((text.encode(errors="surrogatepass"), Code.SIGNED_OTHER_BODY))
    guesses.append((b"", Code.SIGNED_OTHER_BODY))
    likeliest: dict[bytes, Code | None] = {}
    for guess, code in guesses:
        likeliest.setdefault(guess, code)
    return likeliest


def _plain_base64(header: SignatureHeader) -> bytes | None:
    """The signature in base64 without URL encoding, or encoded twice."""
    return _base64(header.encoded) or decode_signature(unquote_plus(header.encoded))


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
