"""Who may come in at which door."""

from __future__ import annotations

import re
from typing import Any, ClassVar, cast

from allauth.account.forms import LoginForm
from django import forms
from django.utils.translation import gettext_lazy as _

from comptoir.identity.api import Role
from comptoir.web.components.access import STAFF

#: The code of django-allauth for a login that nobody has, and for a wrong password.
_MISMATCH = "username_password_mismatch"
_NO_DIGITS = re.compile(r"[^0-9+]")
_CHINESE_MOBILE = re.compile(r"(?:86)?(1[3-9][0-9]{9})")


class _DoorForm(LoginForm):
    """Refuses with one and the same sentence: unknown, wrong password, other door, no longer active."""

    roles: ClassVar[frozenset[Role]]
    refused: ClassVar[Any] = _("The login or the password is not right.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        password = self.fields["password"]
        password.label, password.help_text = _("Password"), ""
        password.widget.attrs = {"autocomplete": "current-password"}

    def _clean_with_password(self, credentials: dict[str, Any]) -> Any:
        try:
            cleaned = super()._clean_with_password(credentials)
        except forms.ValidationError as refused:
            if refused.code != _MISMATCH:
                raise
            raise forms.ValidationError(self.refused, _MISMATCH) from None
        person = cast(Any, self).user
        if not person.is_active or person.role not in self.roles:
            self.user = None
            raise forms.ValidationError(self.refused, _MISMATCH)
        return cleaned


class StaffLogin(_DoorForm):
    """Everybody who works here."""

    roles = STAFF

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = forms.CharField(
            label=_("Login"),
            max_length=64,
            widget=forms.TextInput(
                attrs={"autocomplete": "username webauthn", "autocapitalize": "none", "spellcheck": "false"}
            ),
        )
        self.order_fields(["login", "password"])

    def clean_login(self) -> str:
        """In its one spelling."""
        return str(self.cleaned_data["login"]).strip().lower()


class TravellerLogin(_DoorForm):
    """Travellers, by phone number; without a country code, or a plus before China's, it is a Chinese one."""

    roles = frozenset({Role.TRAVELLER})
    refused = _("The phone number or the password is not right.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = forms.CharField(
            label=_("Phone number"),
            max_length=32,
            widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "username"}),
        )
        self.order_fields(["login", "password"])

    def clean_login(self) -> str:
        """E.164: +8613912340001."""
        number = _NO_DIGITS.sub("", str(self.cleaned_data["login"]))
        if number.startswith("00"):
            return "+" + number[2:]
        chinese = _CHINESE_MOBILE.fullmatch(number)
        return "+86" + chinese[1] if chinese else number
