"""What the self-test found, and why a key or an address was not taken, in words."""

from __future__ import annotations

from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from comptoir.flows.notifications.addresses import AddressUnusable
from comptoir.identity import api as identity
from comptoir.kernel.errors import ComptoirError
from comptoir.standards.antom.diagnosis import GOOD, Code, Finding
from comptoir.standards.antom.signing import BadKey

_SAID: Final[dict[Code, Promise | str]] = {
    Code.VERIFIES: _("The signature is right, and made with the private half of key %(about)s."),
    Code.BODY_GOOD: _("The body has every member that this operation needs."),
    Code.NOTE_OLD: _("The time %(detail)s is more than 15 minutes from ours: sent now, it would be refused."),
    Code.NOTE_BODY_SPACE: _(
        "Line ends or blanks of the pasted body differ from what was signed: sign the bytes that you send."
    ),
    Code.UNREADABLE: _("The first line is the request line, POST /ams/api/v1/…, then come the headers."),
    Code.METHOD: _("The method is %(detail)s: only POST is taken."),
    Code.PATH_UNKNOWN: _("There is no path %(detail)s."),
    Code.HEADER_MISSING: _("The header %(about)s is missing."),
    Code.HEADER_TWICE: _("The header %(about)s is there twice."),
    Code.CLIENT_OTHER: _("The header client-id says %(detail)s: that is another client."),
    Code.TIME_BAD: "%(detail)s",
    Code.SIGNATURE_HEADER: "%(detail)s",
    Code.SIGNATURE_ENCODING: _(
        "The signature is to be base64 and then URL-encoded (%%2B for +, %%3D for =)."
    ),
    Code.KEY_UNKNOWN: _("There is no live key %(about)s. Live are: %(detail)s."),
    Code.SIGNED_OTHER_KEY: _("It was signed with key %(about)s, but the header says key %(detail)s."),
    Code.SIGNED_OTHER_PATH: _("It was signed over the path %(detail)s, which is not the one that is called."),
    Code.SIGNED_OTHER_CLIENT: _("It was signed with the client id %(detail)s, which is not the header's."),
    Code.SIGNED_OTHER_BODY: _(
        "The body was written anew after it was signed:"
        " blanks, escapes or all of it differ from what was signed."
    ),
    Code.SIGNATURE_WRONG: _(
        "The signature fits none of your registered keys. The SHA-256 of our string to sign is %(detail)s:"
        " if yours is the same, your private key is not the one whose public half is registered here."
    ),
    Code.BODY_MEMBER: _("In the body: %(detail)s"),
}


def said(one: Finding) -> dict[str, Any]:
    """A finding for people: its words, and whether the request would be refused for it."""
    words = str(_SAID[one.code]) % {"about": one.about, "detail": one.detail}
    return {"text": words, "bad": one.code not in GOOD, "good": one.code in (Code.VERIFIES, Code.BODY_GOOD)}


def problem(error: Exception) -> str:
    """Why something about a client was not done."""
    match error:
        case BadKey():
            return gettext("This is no RSA public key of 2048 to 4096 bits in PEM or base64.")
        case identity.KeyRefused() if "openssl" in error.message:
            return gettext(
                "This is a private key: keep it, never send it, and take a new pair, for it has travelled."
                " Here goes the public one: openssl pkey -in FILE -pubout"
            )
        case identity.KeyRefused() if "our" in error.message:
            return gettext("This is our public key. Here goes your own.")
        case identity.KeyRefused():
            return gettext("This key is registered already, or was revoked.")
        case AddressUnusable():
            return gettext("The address is to begin with https:// and to name a server.")
        case ComptoirError():
            return error.message
        case _:
            return gettext("Open the page again.")
