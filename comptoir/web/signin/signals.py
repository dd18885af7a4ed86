"""What a login leaves behind."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import authentication_step_completed, password_changed
from allauth.account.signals import user_logged_in as login_answered
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse

from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.web.components import preferences, sessions


def connect() -> None:
    """Listen, each once."""
    user_logged_in.connect(_logged_in, dispatch_uid="comptoir.signin")
    login_answered.connect(_answered, dispatch_uid="comptoir.signin")
    authentication_step_completed.connect(_step_completed, dispatch_uid="comptoir.signin")
    authenticator_added.connect(_added, dispatch_uid="comptoir.signin")
    password_changed.connect(_password_changed, dispatch_uid="comptoir.signin")
    authenticator_removed.connect(_removed, dispatch_uid="comptoir.signin")


def _logged_in(request: HttpRequest | None, user: Any, **_: Any) -> None:
    if request is not None:
        now = utc_now()
        sessions.begin(request, now)
        identity.record_action(identity.view_of(user), "login.succeed", now=now)


def _answered(request: HttpRequest, response: HttpResponse, user: Any, **_: Any) -> None:
    preferences.bring(request, response, identity.view_of(user))


def _step_completed(request: HttpRequest, method: str, **_: Any) -> None:
    if method == "mfa":
        sessions.second_factor(request, True)


def _added(request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    sessions.second_factor(request, True)
    _record(user, "second_factor.add", str(authenticator.type))


def _removed(request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    # Here, not above: a process that only takes payments never comes here, and never loads it.
    from allauth.mfa.adapter import get_adapter

    sessions.second_factor(request, get_adapter().is_mfa_enabled(user))
    _record(user, "second_factor.remove", str(authenticator.type))


def _password_changed(user: Any, **_: Any) -> None:
    identity.password_changed(user.pk)
    _record(user, "login.change")


def _record(user: Any, action: str, kind: str = "") -> None:
    details = {"kind": kind} if kind else {}
    identity.record_action(identity.view_of(user), action, now=utc_now(), details=details)
