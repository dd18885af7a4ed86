"""Addresses of this house that are printed in codes: ``https://pay.example/c/…``, ``https://pay.example/s/…``.

A code is read by every camera there is, so only the exact address is ours: its scheme, host and port, its
path, and one name at the end (RFC 3986).
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from comptoir.kernel.errors import InvalidValue

_LOCAL: Final = ("localhost", "127.0.0.1", "::1")


def build(public_base: str, path: str, name: str) -> str:
    """The address to print; `path` is such as ``/c/``.

    `public_base` is HTTPS, or HTTP on this very machine. Raises InvalidValue.
    """
    return _base(public_base) + path + name


def parse(text: str, public_base: str, path: str) -> str:
    """The name at the end of an address of ours. Raises InvalidValue for any other text."""
    if not isinstance(text, str):
        raise InvalidValue("this is not an address")
    head, found, name = text.rpartition(path)
    try:
        ours = bool(found) and _base(head) == _base(public_base)
    except InvalidValue:
        ours = False
    if not ours:
        raise InvalidValue("this is not an address of this house")
    return name


def _base(address: str) -> str:
    """Scheme, host and path of a base address, in one spelling."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidValue("the base address of codes is not an address") from None
    local = parts.scheme == "http" and host in _LOCAL
    if not host or not (parts.scheme == "https" or local):
        raise InvalidValue("codes need an HTTPS address")
    if parts.query or parts.fragment or parts.username is not None or parts.password is not None:
        raise InvalidValue("the base address of codes is a plain address")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
