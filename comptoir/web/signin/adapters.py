"""How django-allauth works here."""

from __future__ import annotations

import base64
from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext_lazy

from comptoir.db.resealing import SealedColumn
from comptoir.db.sealed import seal, unseal
from comptoir.identity.api import Role
from comptoir.standards import qr_code
from comptoir.web.components.access import home_of

#: What the secrets of second factors are sealed for.
FACTOR_PURPOSE: Final = "second factor"

#: Where they are kept: the key of an authenticator app, and what recovery codes are made from.
SEALED: Final = tuple(
    SealedColumn("mfa_authenticator", "id", "data", FACTOR_PURPOSE, lambda _: "", within)
    for within in ("secret", "seed")
)

#: What forms of django-allauth and Django say. Named here, our catalogs have them: the former's own
#: address nobody formally, the latter's lack some.
THEIR_WORDS: Final = (
    gettext_noop("Authenticator code"),
    gettext_noop("Code"),
    gettext_noop("Current Password"),
    gettext_noop("New Password"),
    gettext_noop("New Password (again)"),
    ngettext_lazy(
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
    ),
    gettext_noop("You cannot deactivate two-factor authentication."),
    gettext_noop("You cannot generate recovery codes without having two-factor authentication enabled."),
    gettext_noop("You must type the same password each time."),
)


class AccountAdapter(DefaultAccountAdapter):
    """People are made by their merchant, their office or the operator; nobody signs up, nobody is mailed."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": _("Too many attempts. Wait a few minutes and try again."),
        "incorrect_password": _("The password is not right."),
        "enter_current_password": _("The present password is not right."),
        "rate_limited": _("Too many attempts. Wait a few minutes and try again."),
        "incorrect_code": _("The code is not right, or was used already."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Everybody's own door."""
        return home_of(Role(request.user.role))  # type: ignore[union-attr]

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """The login at which this person came in."""
        role = getattr(request.user, "role", None)
        return reverse("wallet-login" if role == Role.TRAVELLER else "login")

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Back to work."""
        return self.get_login_redirect_url(request)

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """The pages say themselves what is so; a message on top would say it twice."""


class FactorAdapter(DefaultMFAAdapter):
    """Second factors: their secrets are sealed, their pictures are our own."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("The code is not right, or was used already."),
    }

    def encrypt(self, text: str) -> str:
        """Seal a secret with the master key."""
        return base64.b64encode(seal(text.encode(), FACTOR_PURPOSE)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open it again. Raises CannotUnseal."""
        return unseal(base64.b64decode(encrypted_text), FACTOR_PURPOSE).decode()

    def build_totp_svg(self, url: str) -> str:
        """The authenticator's code as an element of the page."""
        return qr_code.build_inline(url)
