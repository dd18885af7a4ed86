"""What a login leaves behind."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import authentication_step_completed
from allauth.mfa.adapter import get_adapter
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from comptoir.kernel.clock import utc_now
from comptoir.web.components import sessions


def connect() -> None:
    """Listen, each once."""
    user_logged_in.connect(_logged_in, dispatch_uid="comptoir.signin")
    authentication_step_completed.connect(_step_completed, dispatch_uid="comptoir.signin")
    authenticator_added.connect(_added, dispatch_uid="comptoir.signin")
    authenticator_removed.connect(_removed, dispatch_uid="comptoir.signin")


def _logged_in(request: HttpRequest | None, user: Any, **_: Any) -> None:
    if request is not None:
        sessions.begin(request, utc_now())


def _step_completed(request: HttpRequest, method: str, **_: Any) -> None:
    if method == "mfa":
        sessions.second_factor(request, True)


def _added(request: HttpRequest, **_: Any) -> None:
    sessions.second_factor(request, True)


def _removed(request: HttpRequest, user: Any, **_: Any) -> None:
    sessions.second_factor(request, get_adapter().is_mfa_enabled(user))
