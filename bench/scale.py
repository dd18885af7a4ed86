"""`python -m bench.scale`: is it as fast with millions of payments in the books as with few?

Loopback only. One server, two databases that were one: the past is made (`history`) in the first, the second
stays as it was. Then both are asked in turn, payments and inquiries, each through a gateway of its own: what
disturbs the machine disturbs both. Round after round, medians.
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
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.history import grow
from bench.house import HOST, Gateway, House, open_house
from bench.load import Load, run_load
from bench.rounds import Say
from bench.tills import Tills
from bench.world import World, make_world

_INQUIRIES = 100.0  # a second
_FEW = "few"
#: Payments of one load: their codes are good for half a minute.
_AT_ONCE = 3_000


class Books:
    """One of the two databases, and what was measured with it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.payments, self.disk_bytes = self.size()
        self.paid: list[Load] = []
        self.inquired: list[Load] = []

    def size(self) -> tuple[int, int]:
        """Payments recorded, and bytes on disk."""
        with self._connect() as connection:
            found = connection.execute(
                "SELECT (SELECT count(*) FROM acquiring_payment), pg_database_size(current_database())"
            ).fetchone()
        return int(found[0]), int(found[1])

    def some_payments(self, world: World, count: int) -> list[tuple[int, str]]:
        """(place of the shop, request id) of payments of any age."""
        places = {shop.client_ref: place for place, shop in enumerate(world.shops)}
        with self._connect() as connection:
            found = connection.execute(
                "SELECT client_ref, request_ref FROM acquiring_payment TABLESAMPLE SYSTEM (%s) LIMIT %s",
                (min(100.0, 2000.0 * count / self.payments), 20 * count),
            ).fetchall()
        known = [(places[client], request) for client, request in found]
        return random.sample(known, min(count, len(known)))

    @property
    def per_second(self) -> float:
        """Payments per second, the median of the rounds."""
        return statistics.median(load.per_second for load in self.paid)

    def inquiry_ms(self, share: float) -> float:
        """A quantile of the waits of inquiries, the median of the rounds'."""
        return statistics.median(load.quantile_ms(share) for load in self.inquired)

    def _connect(self) -> Any:
        import psycopg

        return psycopg.connect(self.url, autocommit=True)


@dataclass
class Till:
    """Sends signed requests to one gateway."""

    world: World
    tills: Tills
    gateway: Gateway
    seconds: float
    connections: int
    rate: float = field(default=0.0)

    def pay(self, count: int) -> Load:
        """`count` payments as fast as they go."""
        load = self._run(self.tills.sign(count), None)
        self.rate = load.per_second
        return load

    def pay_for_a_while(self) -> Load:
        """As many payments as the time takes, by the last rate."""
        return self.pay(int(self.rate * self.seconds * 1.1) + self.connections)

    def inquire(self, books: Books) -> Load:
        """Inquiries about payments of any age, at a steady rate."""
        wanted = books.some_payments(self.world, int(_INQUIRIES * self.seconds))
        return self._run(self.tills.sign_inquiries(wanted), _INQUIRIES)

    def _run(self, requests: Sequence[bytes], per_second: float | None) -> Load:
        load = run_load(
            (HOST, self.gateway.port),
            requests,
            connections=min(self.connections, len(requests)),
            seconds=self.seconds,
            per_second=per_second,
        )
        assert set(load.results) == {"SUCCESS"}, load.results
        return load


def main() -> int:
    """Measure, verify, print the table and one JSON line."""
    arguments = _arguments()
    progress = Console(stderr=True, highlight=False)

    def say(text: str) -> None:
        progress.print(f"[dim]{text} ...[/]")

    say("Building a Comptoir in a temporary folder")
    with open_house() as house:
        world = make_world(arguments.shops, arguments.wallets, datetime.now(UTC))
        tills = Tills(world)

        def till(gateway: Gateway) -> Till:
            return Till(world, tills, gateway, arguments.seconds, arguments.connections)

        try:
            with house.gateway() as gateway:
                _pay_enough_to_copy(till(gateway), Books(house.database_url), arguments.copy)
            few_url = _copy_database(house)
            say(f"Making {arguments.payments:,} payments of the past")
            took = _make_past(arguments.payments)
            many, few = Books(house.database_url), Books(few_url)
            with house.gateway() as of_many, house.gateway(DATABASE_URL=few_url) as of_few:
                say("Letting every traveller pay once in both")
                _measure([(few, till(of_few)), (many, till(of_many))], arguments.rounds, say)
            # Before the proof, which takes long for ten million: whoever stops it keeps what was measured.
            _show(few, many, took, Console(width=110))
            say("Verifying the books")
            _verify()
        finally:
            tills.close()
    _show_figures(few, many)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-scale", description=__doc__)
    numbers = (
        ("payments", 1_000_000, "how long the past is"),
        ("copy", 10_000, "payments of a day of the past: so many are made and copied"),
        ("rounds", 5, "rounds of each"),
        ("shops", 20, "merchants"),
        ("wallets", 20_000, "travellers"),
        ("connections", 384, "connections of the load"),
    )
    for name, default, what in numbers:
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N", help=f"{what}; %(default)s")
    parser.add_argument("--seconds", type=float, default=5.0, metavar="N", help="a round; %(default)s")
    return parser.parse_args()


def _pay_enough_to_copy(till: Till, books: Books, enough: int) -> None:
    while books.size()[0] < enough:
        till.pay(min(_AT_ONCE, enough))


def _copy_database(house: House) -> str:
    """The database once more, on the same server; its URL. Nobody may be connected to it."""
    import psycopg
    from django.db import connections

    connections.close_all()
    with psycopg.connect(house.postgres.url("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {_FEW} TEMPLATE {_name(house.database_url)}")
    return str(house.postgres.url(_FEW))


def _name(url: str) -> str:
    from psycopg.conninfo import conninfo_to_dict

    return str(conninfo_to_dict(url)["dbname"])


def _make_past(payments: int) -> float:
    """Fill the books; the seconds it took."""
    from django.db import connection

    started = time.perf_counter()
    with connection.cursor() as cursor:
        grow(cursor, payments)
        cursor.execute("CHECKPOINT")
    return time.perf_counter() - started


def _measure(pair: Sequence[tuple[Books, Till]], rounds: int, say: Say) -> None:
    """Payments, then inquiries, of the one and of the other in turn; who is first changes every round.

    Before the first round every traveller pays once. A long past has a place of its own on disk for each of
    them; whose place was not touched since the last checkpoint costs reads and whole pages of the log, once.
    """
    for _, till in pair:
        travellers = len(till.world.devices)
        for first in range(0, travellers, _AT_ONCE):
            till.pay(min(_AT_ONCE, travellers - first))
    for number in range(rounds):
        say(f"Round {number + 1} of {rounds}")
        turn = list(pair) if number % 2 else list(reversed(pair))
        for books, till in turn:
            books.paid.append(till.pay_for_a_while())
        for books, till in turn:
            books.inquired.append(till.inquire(books))


def _verify() -> None:
    """Prove everything that was made. Raises AssertionError."""
    from comptoir.flows.api import verify_books

    report = verify_books()
    assert report.holds, report.first_difference


def _show(few: Books, many: Books, took: float, console: Console) -> None:
    table = Table(title="With few and with many payments in the books (medians of the rounds)")
    for name in ("payments in the books", "payments/s", "inquiry p50 ms", "inquiry p99 ms", "database"):
        table.add_column(name, justify="right")
    for books in (few, many):
        table.add_row(
            f"{books.payments:,}",
            f"{books.per_second:,.0f}",
            f"{books.inquiry_ms(0.5):.1f}",
            f"{books.inquiry_ms(0.99):.1f}",
            f"{books.disk_bytes / 2**20:,.0f} MB",
        )
    table.caption = f"the past was made in {took:,.0f} s; not yet verified"
    console.print()
    console.print(table)


def _show_figures(few: Books, many: Books) -> None:
    """The JSON line: only of books that were proven."""
    grown, made = many.disk_bytes - few.disk_bytes, many.payments - few.payments
    figures = {
        "bench": "scale",
        "payments": many.payments,
        "ratio_payments": round(many.per_second / few.per_second, 3),
        "ratio_inquiry_p99": round(many.inquiry_ms(0.99) / few.inquiry_ms(0.99), 2),
        "disk_bytes_per_payment": round(grown / made),
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    sys.exit(main())
