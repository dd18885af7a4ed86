"""API clients: the machines that speak for the merchant, both sides' keys, API keys, the self-test."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from comptoir.flows.clients import new_client_ref, open_client, set_notify_url
from comptoir.flows.notifications import log
from comptoir.identity import api as identity
from comptoir.identity.api import ClientView
from comptoir.kernel.errors import ComptoirError
from comptoir.kernel.ids import new_id, parse_id
from comptoir.standards.antom import diagnosis, signing
from comptoir.standards.antom.messages.requests import REQUESTS
from comptoir.web.components.access import Visitor, not_theirs, page_for, recently_authenticated
from comptoir.web.merchant import findings
from comptoir.web.merchant.frame import OWNERS, id_of, merchant_of, show, shown_merchant

#: What is pasted is no longer than a request may be.
_LONGEST: Final = 300_000

#: What a restricted API key may be for: the operations that are open, but an acquirer's.
_OPERATIONS: Final = sorted(name for name in REQUESTS if not name.startswith("aps/"))


class NotSure(Exception):
    """It would stop the client, and its id was not typed."""


@page_for(*OWNERS)
@recently_authenticated
@require_http_methods(["GET", "HEAD", "POST"])
def clients(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """All of them; and a new one, with its public key or with none yet."""
    merchant = merchant_of(visitor, request)
    problem, posted = None, request.POST
    if request.method == "POST":
        ref = posted.get("client", "")
        try:
            with transaction.atomic():
                open_client(
                    ref,
                    merchant.id,
                    posted.get("public_key", "").strip() or None,
                    now=visitor.now,
                    notify_url=posted.get("notify_url", "").strip() or None,
                )
                visitor.did("client.create", ("client", ref))
        except identity.ClientRefTaken:
            # The page was sent twice: the first time did it.
            if _own(request, visitor, ref) is None:
                problem = gettext("Open the page again.")
        except ComptoirError as error:
            problem = findings.problem(error)
        if problem is None:
            return HttpResponseRedirect(reverse("merchant-client", args=[ref]), status=303)
    return show(
        request,
        visitor,
        "clients.html",
        "merchant-clients",
        clients=identity.clients(merchant.id),
        fresh=new_client_ref(sandbox=merchant.sandbox),
        problem=problem,
        given={} if signing.is_private_key(posted.get("public_key", "")) else posted,
    )


@page_for(*OWNERS)
@recently_authenticated
@require_safe
def client(request: HttpRequest, visitor: Visitor, client_ref: str) -> HttpResponse:
    """One: its keys and ours, with fingerprints."""
    return _page(request, visitor, _find(request, visitor, client_ref))


@page_for(*OWNERS)
@recently_authenticated
@require_POST
def change(request: HttpRequest, visitor: Visitor, client_ref: str) -> HttpResponse:
    """One more key, a key revoked, an API key made or revoked, another address, suspended or let in again."""
    one, given = _find(request, visitor, client_ref), request.POST
    what, secret = given.get("what", ""), None
    try:
        with transaction.atomic():
            secret = _change(one, what, given, visitor)
    except identity.ApiKeyExists:
        messages.info(request, gettext("This key was made already, and shown once."))
    except NotSure:
        messages.error(request, gettext("Nothing was changed: what was typed is not the client's id."))
    except (ValueError, ComptoirError) as error:
        messages.error(request, findings.problem(error))
    else:
        if secret is not None:
            return _page(request, visitor, _find(request, visitor, client_ref), secret=secret)
        messages.success(request, gettext("Changed. The gateways know it within seconds."))
    return HttpResponseRedirect(reverse("merchant-client", args=[one.client_ref]), status=303)


@page_for(*OWNERS)
@recently_authenticated
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, visitor: Visitor, client_ref: str) -> HttpResponse:
    """The self-test: is a pasted request right, does the private key fit, does the server acknowledge?"""
    one, given = _find(request, visitor, client_ref), request.POST
    keys = _keys(one)
    found: Sequence[dict[str, Any]] = ()
    signer: int | None = None
    text = given.get("text") or f"comptoir:{one.client_ref}:{secrets.token_hex(8)}"
    what = given.get("what") if request.method == "POST" else None
    if what == "request":
        found = _diagnosed(
            given.get("head", "")[:_LONGEST], given.get("body", "")[:_LONGEST], one, keys, visitor
        )
    elif what == "text":
        signer = diagnosis.signer_of(text[:200], given.get("signature", "")[:_LONGEST], keys)
    elif what == "notify":
        return _notify(request, visitor, one)
    return show(
        request,
        visitor,
        "check.html",
        "merchant-clients",
        client=one,
        what=what,
        given=given,
        found=found,
        good=bool(found) and not any(line["bad"] for line in found),
        text=text,
        signer=signer,
        attempt=new_id().hex,
        tests=[
            notice
            for notice in log.notices(one.merchant_id, 100, client_ref=one.client_ref)
            if notice.kind == _TEST
        ][:3],
    )


@page_for(*OWNERS)
@require_safe
def test_result(request: HttpRequest, visitor: Visitor, client_ref: str, test_id: str) -> HttpResponse:
    """What came of a test notification: a part of the page that asks until it is known."""
    one = _find(request, visitor, client_ref)
    try:
        notice = log.notice(one.merchant_id, id_of(test_id))
    except log.NoticeUnknown:
        not_theirs()
    if notice.client_ref != one.client_ref:
        not_theirs()
    return show(request, visitor, "test_result.html", "merchant-clients", notice=notice, client=one)


_TEST: Final = "notify.test"


def _notify(request: HttpRequest, visitor: Visitor, one: ClientView) -> HttpResponse:
    """Have the worker call the server; the result is asked for by the page."""
    url = request.POST.get("url", "").strip() or one.notify_url or ""
    try:
        test_id = parse_id(request.POST.get("attempt", ""), "attempt")
        with transaction.atomic():
            log.send_test(one.merchant_id, test_id, one.client_ref, url, visitor.now)
            visitor.did("client.test", ("client", one.client_ref))
    except ComptoirError as error:
        messages.error(request, findings.problem(error))
    return HttpResponseRedirect(reverse("merchant-check", args=[one.client_ref]) + "#notify", status=303)


def _diagnosed(
    head: str, body: str, one: ClientView, keys: dict[int, RSAPublicKey], visitor: Visitor
) -> Sequence[dict[str, Any]]:
    request = diagnosis.parse(head, body)
    if request is None:
        return [findings.said(diagnosis.Finding(diagnosis.Code.UNREADABLE))]
    return [findings.said(line) for line in diagnosis.diagnose(request, one.client_ref, keys, visitor.now)]


def _change(one: ClientView, what: str, given: Any, visitor: Visitor) -> str | None:
    """Do and record one of the changes; an API key that was made.

    What stops a client from selling is done when its id was typed. Raises ComptoirError, ValueError, NotSure.
    """
    ref, which, secret = one.client_ref, given.get("which", ""), None
    stops = what == "suspend" or (what == "revoke_key" and [key.version for key in one.keys] == [int(which)])
    if stops and given.get("surely", "").strip() != ref:
        raise NotSure
    match what:
        case "add_key":
            action = "client.add_key"
            identity.add_key(ref, given.get("public_key", "").strip(), now=visitor.now)
        case "revoke_key":
            action = "client.revoke_key"
            identity.revoke_key(ref, int(which), now=visitor.now)
        case "add_api_key":
            action = "client.add_api_key"
            only = [name for name in given.getlist("only") if name in _OPERATIONS] or None
            attempt = parse_id(given.get("attempt", ""), "attempt")
            secret = identity.create_api_key(ref, only, now=visitor.now, key_id=attempt)
        case "revoke_api_key":
            action = "client.revoke_api_key"
            wanted = id_of(which)
            if wanted not in {known.id for known in identity.api_keys(ref)}:
                not_theirs()
            identity.revoke_api_key(wanted, now=visitor.now)
        case "address":
            action = "client.address"
            set_notify_url(ref, given.get("notify_url", "").strip() or None)
        case "suspend":
            action = "client.suspend"
            identity.set_client_status(ref, identity.ClientStatus.SUSPENDED)
        case "activate":
            action = "client.activate"
            identity.set_client_status(ref, identity.ClientStatus.ACTIVE)
        case _:
            not_theirs()
    visitor.did(action, ("client", ref), which=which[:64])
    return secret


def _page(request: HttpRequest, visitor: Visitor, one: ClientView, secret: str | None = None) -> HttpResponse:
    platform = identity.platform_key()
    return show(
        request,
        visitor,
        "client.html",
        "merchant-clients",
        client=one,
        keys=[
            (key, signing.fingerprint(key.public_key), _exported(key.public_key))
            for key in identity.client_keys(one.client_ref)
        ],
        live=len(one.keys),
        api_keys=identity.api_keys(one.client_ref),
        our_key=_exported(platform.public_key),
        our_version=platform.version,
        our_fingerprint=signing.fingerprint(platform.public_key),
        operations=_OPERATIONS,
        attempt=new_id().hex,
        secret=secret,
    )


def _exported(der: bytes) -> str:
    return signing.export_public_key(signing.public_key_from_der(der))


def _keys(one: ClientView) -> dict[int, RSAPublicKey]:
    """The live keys, newest first."""
    return {key.version: signing.public_key_from_der(key.public_key) for key in one.keys}


def _own(request: HttpRequest, visitor: Visitor, client_ref: str) -> ClientView | None:
    found = identity.client(client_ref)
    return found if found and found.merchant_id == shown_merchant(visitor, request) else None


def _find(request: HttpRequest, visitor: Visitor, client_ref: str) -> ClientView:
    """A client of the merchant's. Raises Http404."""
    found = _own(request, visitor, client_ref)
    if found is None:
        not_theirs()
    return found
