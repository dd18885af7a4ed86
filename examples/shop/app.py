"""The shop as a WSGI application, and a server for it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIServer

from examples.shop import pages
from examples.shop.orders import Order, Orders
from examples.shop.payments import Ended, NotSettled, Payments

_LARGEST_BODY = 64 * 1024
#: What acknowledges a notification, to the letter.
_ACK = json.dumps({"result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"}})

Answer = tuple[HTTPStatus, str, list[tuple[str, str]]]


class Shop:
    """Who comes, and what they get."""

    def __init__(self, orders: Orders, payments: Payments) -> None:
        self._orders, self._payments = orders, payments

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """One request."""
        nonce = secrets.token_urlsafe(12)
        status, text, headers = self._answer(environ, nonce)
        body = text.encode()
        kind = "application/json" if text.startswith("{") else "text/html"
        start(
            f"{status.value} {status.phrase}",
            [
                ("Content-Type", f"{kind}; charset=utf-8"),
                ("Content-Length", str(len(body))),
                ("Cache-Control", "no-store"),
                ("Referrer-Policy", "same-origin"),
                (
                    "Content-Security-Policy",
                    f"default-src 'none'; style-src 'nonce-{nonce}'; frame-ancestors 'none'",
                ),
                *headers,
            ],
        )
        return [body]

    def _answer(self, environ: dict[str, Any], nonce: str) -> Answer:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if (method, path) == ("GET", "/"):
            return HTTPStatus.OK, pages.goods(nonce), []
        if (method, path) == ("POST", "/notify"):
            return self._notified(environ, path)
        if (method, path) == ("POST", "/orders"):
            return self._place(environ)
        if path.startswith("/orders/"):
            found = self._orders.find(path.split("/")[2])
            if found and method == "GET":
                return self._show(found, nonce)
            if found and method == "POST" and path.endswith("/pay"):
                return self._pay(found, environ["REMOTE_ADDR"], nonce)
        return HTTPStatus.NOT_FOUND, "<!doctype html><title>Not found</title>Not found", []

    def _place(self, environ: dict[str, Any]) -> Answer:
        article = parse_qs(_body(environ)).get("article", [""])[0]
        try:
            made = self._orders.place(article)
        except KeyError:
            return _to("/")
        return _to(f"/orders/{made.ref}")

    def _pay(self, order: Order, buyer_ip: str, nonce: str) -> Answer:
        """Send the buyer to the page where this order is paid: always the same one."""
        if order.state != "open":
            return _to(f"/orders/{order.ref}")
        if order.pay_page is None:
            try:
                payment_id, page = self._payments.begin(order, buyer_ip)
            except NotSettled:
                told = "The payment service does not answer. Nothing was taken; please press Pay once more."
                return HTTPStatus.SERVICE_UNAVAILABLE, pages.order(order, nonce, told), []
            self._orders.begun(order.ref, payment_id, page)
            return _to(page)
        return _to(order.pay_page)

    def _show(self, order: Order, nonce: str) -> Answer:
        """The order. What the address says is ignored: if nobody has told us how it ended, we ask."""
        if order.state == "open" and order.payment_id:
            with suppress(NotSettled):
                self._end(self._payments.ask(order))
            order = self._orders.find(order.ref) or order
        return HTTPStatus.OK, pages.order(order, nonce), []

    def _notified(self, environ: dict[str, Any], path: str) -> Answer:
        """A result of the platform's. Acknowledged once it is stored, also when it was known."""
        names = ("client-id", "request-time", "signature")
        headers = {name: environ.get(f"HTTP_{name.upper().replace('-', '_')}", "") for name in names}
        told = self._payments.told(path, headers, _body(environ))
        if told is None:
            return HTTPStatus.FORBIDDEN, "{}", []
        self._end(told)
        return HTTPStatus.OK, _ACK, []

    def _end(self, told: Ended | None) -> None:
        if told is not None:
            self._orders.ended(told.ref, told.cents, paid=told.paid)


class Server(ThreadingMixIn, WSGIServer):
    """A thread a request: the shop asks the platform while a notification may come in."""

    daemon_threads = True


def _body(environ: dict[str, Any]) -> str:
    length = min(int(environ.get("CONTENT_LENGTH") or 0), _LARGEST_BODY)
    return environ["wsgi.input"].read(length).decode("utf-8", "replace")


def _to(address: str) -> Answer:
    return HTTPStatus.SEE_OTHER, "", [("Location", address)]
