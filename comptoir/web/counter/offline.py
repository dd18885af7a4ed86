"""The counter as an app on the device at the till, and what stands there when there is no network."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from comptoir.web.components import installing
from comptoir.web.components.access import open_page


@require_safe
@open_page
def offline(request: HttpRequest) -> HttpResponse:
    """What stands in place of every page of the counter when there is no network."""
    return render(request, "counter/offline.html", {"room": "counter"})


@require_safe
@open_page
def manifest(request: HttpRequest) -> HttpResponse:
    """What makes the counter an app on the home screen."""
    return installing.manifest("counter", gettext("Comptoir counter"), gettext("Counter"))


@require_safe
@open_page
def service_worker(request: HttpRequest) -> HttpResponse:
    """The service worker of the counter: it keeps nothing but the page for when there is no network."""
    return installing.service_worker("counter")
