"""`python -m bench.pages`: how long does a page at the counter take with 100,000 payments in the books?

Loopback only. A cashier logs in at a real `comptoir serve web` and opens every page of the counter, one
after another, many times: first with one day in the books, then with a long past. What is measured is the
whole answer, as the device at the counter waits for it.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rich.console import Console
from rich.table import Table

from bench.history import grow
from bench.house import HOST, House, open_house
from bench.load import run_load
from bench.rounds import Say
from bench.tills import Tills
from bench.world import World, make_world

if TYPE_CHECKING:
    import httpx

#: The cashier has a password alone. What a page costs later is the same.
_NO_SECOND_FACTOR = {"COMPTOIR_STAFF_MFA": "offered"}
#: Wanted of every page: the median, in milliseconds.
WANTED_MS = 100
_HIDDEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_CHOICE = re.compile(r'name="till" value="([^"]+)"')
_OLDER = re.compile(r'href="(/counter/day\?[^"]*after=[^"]*)"')


@dataclass
class Page:
    """A page and how long it took, in milliseconds: with few payments in the books, then with many."""

    name: str
    few: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)


def main() -> int:
    """Measure, print the table and one JSON line."""
    arguments = _arguments()
    progress = Console(stderr=True, highlight=False)

    def say(text: str) -> None:
        progress.print(f"[dim]{text} ...[/]")

    pages: dict[str, Page] = {}
    say("Building a Comptoir in a temporary folder")
    with open_house() as house:
        world = make_world(arguments.shops, arguments.wallets, datetime.now(UTC))
        cashier = _cashier(world)
        _sell(house, world, arguments.today)
        with house.serve("web", _NO_SECOND_FACTOR) as web, _device(web.port) as device:
            _log_in(device, cashier)
            say("Opening the pages with one day in the books")
            _measure(device, _addresses(device, cashier), pages, "few", arguments.times)
            payments = _grow(arguments.payments, say)
            say(f"Opening the pages with {payments:,} payments in the books")
            _measure(device, _addresses(device, cashier), pages, "many", arguments.times)
    _show(list(pages.values()), payments, Console(width=100))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-pages", description=__doc__)
    numbers = (
        ("payments", 100_000, "how long the past is"),
        ("today", 2_000, "payments of one day: so many are made, and copied"),
        ("times", 40, "how often each page is opened"),
        ("shops", 4, "merchants, of one store each"),
        ("wallets", 2_000, "travellers"),
    )
    for name, default, what in numbers:
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N", help=f"{what}; %(default)s")
    return parser.parse_args()


@dataclass(frozen=True)
class Cashier:
    """Who logs in, and for whom."""

    login: str
    password: str = field(repr=False)
    merchant_id: UUID


def _cashier(world: World) -> Cashier:
    from comptoir.acquiring import api as acquiring
    from comptoir.identity import api as identity

    merchant = acquiring.merchant_summary(world.shops[0].merchant_ref)
    found = Cashier("cashier@bench.example", secrets.token_urlsafe(12), merchant.id)
    identity.create_person(
        found.login,
        "Lotte",
        identity.Role.CASHIER,
        found.password,
        now=datetime.now(UTC),
        merchant_id=merchant.id,
    )
    return found


def _sell(house: House, world: World, count: int) -> None:
    """`count` payments of today, through the gateway's door."""
    tills = Tills(world)
    try:
        with house.gateway() as gateway:
            load = run_load((HOST, gateway.port), tills.sign(count), connections=min(64, count), seconds=120)
        assert load.results["SUCCESS"] == count, load.results
    finally:
        tills.close()


def _device(port: int) -> httpx.Client:
    import httpx

    return httpx.Client(base_url=f"http://{HOST}:{port}", timeout=30)


def _log_in(device: httpx.Client, cashier: Cashier) -> None:
    """The cashier logs in, and stands at the only till there is."""
    _post(device, "/login", {"login": cashier.login, "password": cashier.password})
    _post(device, "/counter/till", {"till": _found(_CHOICE, device.get("/counter/till").text)})


def _post(device: httpx.Client, address: str, values: Mapping[str, str]) -> None:
    """Fill in the form of a page."""
    token = _found(_HIDDEN, device.get(address).text)
    answer = device.post(address, data={"csrfmiddlewaretoken": token, **values})
    assert answer.is_redirect, f"{address} answered {answer.status_code}"


def _found(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    assert found is not None, f"no {pattern.pattern} on the page"
    return found[1].replace("&amp;", "&")


def _addresses(device: httpx.Client, cashier: Cashier) -> dict[str, str]:
    """Every page of the counter that only shows something, by name: today, and the day before."""
    from comptoir.acquiring.models import Payment

    payment = Payment.objects.filter(merchant_id=cashier.merchant_id).order_by("created_at").last()
    assert payment is not None
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    of_store = f"on={yesterday}&of=store"
    newest = device.get("/counter/day").text
    one = f"/counter/payments/{payment.id}"
    return {
        "keypad": "/counter/",
        "choose a till": "/counter/till",
        "a sale's code": f"/counter/sale/{UUID(int=payment.id.int ^ 1)}?amount=12.50&currency=EUR",
        "day": "/counter/day",
        "day, further down": _found(_OLDER, newest),
        "the day before": f"/counter/day?{of_store}",
        "totals": "/counter/totals",
        "totals of the day before": f"/counter/totals?{of_store}",
        "a payment": one,
        "refund": f"{one}/refund",
        "receipt": f"{one}/receipt",
    }


def _measure(
    device: httpx.Client, addresses: Mapping[str, str], pages: dict[str, Page], when: str, times: int
) -> None:
    """Each page `times` times, in turn: what disturbs the machine disturbs all of them."""
    for number in range(-2, times):  # twice for the caches
        for name, address in addresses.items():
            began = time.perf_counter()
            answer = device.get(address)
            took_ms = 1000 * (time.perf_counter() - began)
            assert answer.status_code == 200, f"{address} answered {answer.status_code}"
            if number >= 0:
                getattr(pages.setdefault(name, Page(name)), when).append(took_ms)


def _grow(payments: int, say: Say) -> int:
    """Fill the books; how many payments there are then."""
    from django.db import connection

    from comptoir.acquiring.models import Payment

    say(f"Making {payments:,} payments of the past")
    with connection.cursor() as cursor:
        grow(cursor, payments)
    return int(Payment.objects.count())


def _show(pages: list[Page], payments: int, console: Console) -> None:
    table = Table(title=f"The counter's pages with {payments:,} payments in the books")
    for name in ("page", "p50 ms", "p95 ms", "p50 with one day"):
        table.add_column(name, justify="left" if name == "page" else "right")
    for page in pages:
        table.add_row(
            page.name,
            f"{statistics.median(page.many):.0f}",
            f"{_p95(page.many):.0f}",
            f"{statistics.median(page.few):.0f}",
        )
    slowest = max(pages, key=lambda page: statistics.median(page.many))
    figures: dict[str, Any] = {
        "bench": "pages",
        "payments": payments,
        "slowest": slowest.name,
        "slowest_p50_ms": round(statistics.median(slowest.many), 1),
        "wanted_ms": WANTED_MS,
        "ratio_to_few": round(
            statistics.median(statistics.median(page.many) / statistics.median(page.few) for page in pages), 2
        ),
    }
    console.print()
    console.print(table)
    console.print(json.dumps(figures), soft_wrap=True, highlight=False, markup=False)


def _p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


if __name__ == "__main__":
    sys.exit(main())
