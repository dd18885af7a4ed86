"""The two logins. Everything else is django-allauth's, in our looks (see `urls`)."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from comptoir.identity.api import Role
from comptoir.web.components.access import Visitor, page_for
from comptoir.web.signin.forms import StaffLogin, TravellerLogin


class StaffLoginView(LoginView):
    """Where everybody who works here comes in."""

    template_name = "account/login.html"

    def get_form_class(self) -> Any:
        """Staff only."""
        return StaffLogin


class TravellerLoginView(LoginView):
    """Where travellers come in."""

    template_name = "signin/traveller.html"

    def get_form_class(self) -> Any:
        """Travellers only."""
        return TravellerLogin


@page_for(Role.OFFICER, Role.OPERATOR)
def arrival(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Where people of the offices and the operator arrive: their desks are not built yet."""
    return render(request, "signin/arrival.html")
