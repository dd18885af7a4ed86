"""`python -m bench.scale`: is it as fast with millions of payments in the books as with none?

Loopback only. In one run and on one server: payments per second and the waits of inquiries, with little in
the books; then the past is made (`history`), and both are measured again. Round after round, medians.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from bench.history import grow
from bench.house import HOST, Gateway, open_house
from bench.load import Load, run_load
from bench.rounds import Say
from bench.tills import Tills
from bench.world import World, make_world

_SHOPS, _WALLETS, _CONNECTIONS = 20, 20_000, 384
_INQUIRIES = 100.0  # a second
_ENOUGH_TO_COPY = 10_000


@dataclass
class Size:
    """What was measured with one number of payments in the books."""

    payments: int
    paid: list[Load] = field(default_factory=list)
    inquired: list[Load] = field(default_factory=list)
    disk_bytes: int = 0

    @property
    def per_second(self) -> float:
        """Payments per second, the median of the rounds."""
        return statistics.median(load.per_second for load in self.paid)

    def inquiry_ms(self, share: float) -> float:
        """A quantile of the waits of inquiries, the median of the rounds'."""
        return statistics.median(load.quantile_ms(share) for load in self.inquired)


def main() -> int:
    """Measure, verify, print the table and one JSON line."""
    parser = argparse.ArgumentParser(prog="make bench-scale", description=__doc__)
    parser.add_argument("--payments", type=int, default=1_000_000, metavar="N", help="default %(default)s")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="default %(default)s")
    parser.add_argument("--seconds", type=float, default=5.0, metavar="N", help="default %(default)s")
    arguments = parser.parse_args()
    progress = Console(stderr=True, highlight=False)

    def say(text: str) -> None:
        progress.print(f"[dim]{text} ...[/]")

    say("Building a Comptoir in a temporary folder")
    with open_house() as house:
        world = make_world(_SHOPS, _WALLETS, datetime.now(UTC))
        tills = Tills(world)
        try:
            with house.gateway() as gateway:
                bench = _Bench(world, tills, gateway, arguments.seconds)
                bench.warm_up()
                few = bench.measure(arguments.rounds, say)
                say(f"Making {arguments.payments:,} payments of the past")
                took = bench.make_past(arguments.payments)
                many = bench.measure(arguments.rounds, say)
            say("Verifying the books")
            bench.verify()
        finally:
            tills.close()
    _show(few, many, took, Console(width=110))
    return 0


class _Bench:
    def __init__(self, world: World, tills: Tills, gateway: Gateway, seconds: float) -> None:
        self._world = world
        self._tills = tills
        self._gateway = gateway
        self._seconds = seconds
        self._rate = 0.0

    def warm_up(self) -> None:
        """First connections, plans, caches; and enough payments to copy."""
        while _recorded() < _ENOUGH_TO_COPY:
            self._rate = self._pay(3_000).per_second

    def measure(self, rounds: int, say: Say) -> Size:
        """Payments and inquiries in turn."""
        size = Size(_recorded(), disk_bytes=_disk_bytes())
        for number in range(rounds):
            say(f"Round {number + 1} of {rounds}, {size.payments:,} payments in the books")
            size.paid.append(self._pay(int(self._rate * self._seconds * 1.1) + _CONNECTIONS))
            size.inquired.append(self._inquire(int(_INQUIRIES * self._seconds)))
        return size

    def make_past(self, payments: int) -> float:
        """Fill the books; the seconds it took. The server analyzes the tables, as it would in time."""
        from django.db import connection

        started = time.perf_counter()
        with connection.cursor() as cursor:
            grow(cursor, payments)
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")
        return time.perf_counter() - started

    def verify(self) -> None:
        """Prove everything that was made. Raises AssertionError."""
        from comptoir.flows.api import verify_books

        report = verify_books()
        assert report.holds, report.first_difference

    def _pay(self, count: int) -> Load:
        return self._run(self._tills.sign(count), None)

    def _inquire(self, count: int) -> Load:
        return self._run(self._tills.sign_inquiries(_some_payments(self._world, count)), _INQUIRIES)

    def _run(self, requests: Sequence[bytes], per_second: float | None) -> Load:
        load = run_load(
            (HOST, self._gateway.port),
            requests,
            connections=min(_CONNECTIONS, len(requests)),
            seconds=self._seconds,
            per_second=per_second,
        )
        assert set(load.results) == {"SUCCESS"}, load.results
        return load


def _recorded() -> int:
    return _one("SELECT count(*) FROM acquiring_payment")


def _disk_bytes() -> int:
    return _one("SELECT pg_database_size(current_database())")


def _one(sql: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])


def _some_payments(world: World, count: int) -> list[tuple[int, str]]:
    """(place of the shop, request id) of payments of any age."""
    from django.db import connection

    places = {shop.client_ref: place for place, shop in enumerate(world.shops)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT client_ref, request_ref FROM acquiring_payment TABLESAMPLE SYSTEM"
            " (least(100, 100 * %s / (SELECT count(*) FROM acquiring_payment)::float)) LIMIT %s",
            (20.0 * count, 20 * count),
        )
        found = [(places[client], request) for client, request in cursor.fetchall()]
    return random.sample(found, min(count, len(found)))


def _show(few: Size, many: Size, took: float, console: Console) -> None:
    table = Table(title="With little and with much in the books (medians of the rounds)")
    for name in ("payments in the books", "payments/s", "inquiry p50 ms", "inquiry p99 ms", "database"):
        table.add_column(name, justify="right")
    for size in (few, many):
        table.add_row(
            f"{size.payments:,}",
            f"{size.per_second:,.0f}",
            f"{size.inquiry_ms(0.5):.1f}",
            f"{size.inquiry_ms(0.99):.1f}",
            f"{size.disk_bytes / 2**20:,.0f} MB",
        )
    grown, made = many.disk_bytes - few.disk_bytes, many.payments - few.payments
    table.caption = f"the past was made in {took:,.0f} s; the books were verified at the end"
    figures = {
        "bench": "scale",
        "payments": many.payments,
        "ratio_payments": round(many.per_second / few.per_second, 3),
        "ratio_inquiry_p99": round(many.inquiry_ms(0.99) / few.inquiry_ms(0.99), 2),
        "disk_bytes_per_payment": round(grown / made),
    }
    console.print()
    console.print(table)
    console.print(json.dumps(figures), soft_wrap=True, highlight=False, markup=False)


if __name__ == "__main__":
    sys.exit(main())
