"""Which of django-allauth's pages exist, and for whom. The names are those it looks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_POST

from comptoir.identity.api import Role
from comptoir.web.components.access import STAFF, Visitor, open_page, page_for
from comptoir.web.signin.views import StaffLoginView, TravellerLoginView, arrival


def _own(view: Callable[..., HttpResponse], *roles: Role) -> Callable[..., HttpResponse]:
    """A page about one's own login."""

    def shown(request: HttpRequest, visitor: Visitor, **kwargs: Any) -> HttpResponse:
        return view(request, **kwargs)

    return page_for(*roles, unfinished=True)(shown)


_EVERYBODY = tuple(Role)
_STAFF = tuple(STAFF)

urlpatterns = [
    path("login", open_page(StaffLoginView.as_view()), name="login"),
    path("login", open_page(StaffLoginView.as_view()), name="account_login"),
    path("login/code", open_page(factors.authenticate), name="mfa_authenticate"),
    path("login/passkey", open_page(passkeys.login_webauthn), name="mfa_login_webauthn"),
    path("wallet/login", open_page(TravellerLoginView.as_view()), name="wallet-login"),
    path("logout", open_page(require_POST(account.logout)), name="logout"),
    path("logout", open_page(require_POST(account.logout)), name="account_logout"),
    path("arrival", arrival, name="arrival"),
    path("me", _own(factors.index, *_STAFF), name="mfa_index"),
    path("me/again", _own(account.reauthenticate, *_EVERYBODY), name="account_reauthenticate"),
    path("me/again/code", _own(factors.reauthenticate, *_STAFF), name="mfa_reauthenticate"),
    path(
        "me/again/passkey",
        _own(passkeys.reauthenticate_webauthn, *_STAFF),
        name="mfa_reauthenticate_webauthn",
    ),
    path("me/password", _own(account.password_change, *_EVERYBODY), name="account_change_password"),
    path("me/app", _own(totp.activate_totp, *_STAFF), name="mfa_activate_totp"),
    path("me/app/remove", _own(totp.deactivate_totp, *_STAFF), name="mfa_deactivate_totp"),
    path("me/codes", _own(recovery.view_recovery_codes, *_STAFF), name="mfa_view_recovery_codes"),
    path("me/codes/new", _own(recovery.generate_recovery_codes, *_STAFF), name="mfa_generate_recovery_codes"),
    path("me/passkeys", _own(passkeys.list_webauthn, *_STAFF), name="mfa_list_webauthn"),
    path("me/passkeys/new", _own(passkeys.add_webauthn, *_STAFF), name="mfa_add_webauthn"),
    path("me/passkeys/<int:pk>", _own(passkeys.edit_webauthn, *_STAFF), name="mfa_edit_webauthn"),
    path("me/passkeys/<int:pk>/remove", _own(passkeys.remove_webauthn, *_STAFF), name="mfa_remove_webauthn"),
]
