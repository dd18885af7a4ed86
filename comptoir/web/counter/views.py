"""Where people arrive."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from comptoir.identity.api import Role
from comptoir.web.components.access import Visitor, page_for


@page_for(Role.CASHIER, Role.MANAGER, Role.OWNER)
@require_safe
def home(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """The first page."""
    return render(request, "counter/home.html")
