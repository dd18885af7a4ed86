"""What is run, and in which order: short runs of every kind in turn, so that noise spoils no one kind."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bench import machine
from bench.house import HOST, Gateway, House, open_house
from bench.load import Load, run_load
from bench.tills import PATH, Tills
from bench.world import World, make_world

Say = Callable[[str], None]


class WrongAnswer(Exception):
    """An answer, or what the database says, is not what it must be: the figures would be worth nothing."""


@dataclass(frozen=True)
class Plan:
    """How much of everything. `seconds` is the length of each measured run."""

    rounds: int = 3
    seconds: float = 5.0
    connections: int = 384
    shops: int = 20
    wallets: int = 20_000
    pgbench_scale: int = 10
    warm_up: int = 3_000


@dataclass
class Kind:
    """All runs of one kind, and the processor time that went into them, in seconds by who used it."""

    loads: list[Load] = field(default_factory=list)
    cpu: Counter[str] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        """Answers per second, the median of the runs."""
        return statistics.median(load.per_second for load in self.loads)

    def quantile_ms(self, share: float) -> float:
        """A quantile of the waits in milliseconds, the median of the runs'."""
        return statistics.median(load.quantile_ms(share) for load in self.loads)

    @property
    def payments(self) -> int:
        """Answers of all runs."""
        return sum(len(load.waits) for load in self.loads)


@dataclass
class Figures:
    """Everything measured in one bench."""

    spread: Kind = field(default_factory=Kind)
    half: Kind = field(default_factory=Kind)
    one_merchant: Kind = field(default_factory=Kind)
    ungrouped: Kind = field(default_factory=Kind)
    pgbench: list[float] = field(default_factory=list)
    signatures: list[float] = field(default_factory=list)
    gateway_rss_mb: float = 0.0
    gateway_pss_mb: float = 0.0
    gateway_processes: int = 0
    verified_payments: int = 0
    verified_transfers: int = 0


def run(plan: Plan, say: Say) -> Figures:
    """Build everything, measure, check, take everything away again."""
    say("Building a Comptoir in a temporary folder")
    with open_house() as house:
        world = make_world(plan.shops, plan.wallets, datetime.now(UTC))
        pgbench = machine.PgBench(house.database_url, plan.pgbench_scale)
        tills = Tills(world)
        try:
            with house.gateway() as gateway, house.gateway(COMPTOIR_ENGINE_MAX_BATCH="1") as ungrouped:
                bench = _Bench(plan, house, world, tills, pgbench, gateway, ungrouped)
                for number in range(plan.rounds):
                    say(f"Round {number + 1} of {plan.rounds}")
                    bench.round()
                    say("Verifying the books")
                    bench.verify()
                return bench.figures
        finally:
            tills.close()


class _Bench:
    def __init__(
        self,
        plan: Plan,
        house: House,
        world: World,
        tills: Tills,
        pgbench: machine.PgBench,
        gateway: Gateway,
        ungrouped: Gateway,
    ) -> None:
        self.figures = Figures()
        self._plan = plan
        self._house = house
        self._world = world
        self._tills = tills
        self._pgbench = pgbench
        self._gateway = gateway
        self._ungrouped = ungrouped
        self._paid = 0
        # Not measured: first connections, plans, caches. What it says is enough to know how much to sign.
        warm = Kind()
        self._measure(warm, gateway, plan.warm_up)
        self._rate = {id(gateway): warm.per_second}
        self._measure(warm, ungrouped, max(plan.warm_up // 10, 1))
        self._rate[id(ungrouped)] = warm.loads[-1].per_second

    def round(self) -> None:
        """One run of every kind."""
        plan, figures = self._plan, self.figures
        figures.signatures.append(machine.signatures_per_second(min(1.0, plan.seconds)))
        figures.pgbench.append(self._pgbench.transactions_per_second(max(1, round(plan.seconds))))
        self._full(figures.spread, self._gateway)
        self._full(figures.one_merchant, self._gateway, one_shop=True)
        half = figures.spread.per_second / 2
        self._measure(figures.half, self._gateway, max(1, int(half * plan.seconds)), per_second=half)
        self._full(figures.ungrouped, self._ungrouped)
        pids = self._gateway.pids
        figures.gateway_rss_mb = max(figures.gateway_rss_mb, machine.resident_mb(pids))
        figures.gateway_pss_mb = max(figures.gateway_pss_mb, machine.proportional_mb(pids))
        figures.gateway_processes = len(pids)

    def verify(self) -> None:
        """Prove the books, and every payment and wallet against them. Raises WrongAnswer."""
        from comptoir.flows.api import verify_books

        report = verify_books()
        if not report.holds:
            raise WrongAnswer(f"the books do not hold: {report.first_difference}")
        self.figures.verified_payments = report.payments
        self.figures.verified_transfers = report.ledger.transfers

    def _full(self, kind: Kind, gateway: Gateway, *, one_shop: bool = False) -> None:
        """As fast as it goes. A run that uses up what was signed for it just ends early."""
        count = int(self._rate[id(gateway)] * self._plan.seconds * 1.1) + self._plan.connections
        self._measure(kind, gateway, count, one_shop=one_shop)
        self._rate[id(gateway)] = max(self._rate[id(gateway)], kind.loads[-1].per_second)

    def _measure(
        self,
        kind: Kind,
        gateway: Gateway,
        count: int,
        *,
        one_shop: bool = False,
        per_second: float | None = None,
    ) -> None:
        """One run, and whether its answers and the database agree."""
        requests = self._tills.sign(count, one_shop=one_shop)
        parts = {"gateway": gateway.pids, "PostgreSQL": self._house.postgres_pids}
        before = {name: machine.cpu_seconds(pids) for name, pids in parts.items()}
        load = run_load(
            (HOST, gateway.port),
            requests,
            connections=min(self._plan.connections, count),
            seconds=self._plan.seconds,
            per_second=per_second,
        )
        for name, pids in parts.items():
            kind.cpu[name] += machine.cpu_seconds(pids) - before[name]
        kind.cpu["load generator"] += load.own_cpu
        kind.loads.append(load)
        self._check(load)

    def _check(self, load: Load) -> None:
        """Everybody has paid, a sample of the answers is signed by us, and as many payments are recorded."""
        if set(load.results) != {"SUCCESS"}:
            raise WrongAnswer(f"not everybody could pay: {dict(load.results)}")
        check_signatures(load.samples, self._world.platform_public_der)
        self._paid += len(load.waits)
        recorded = _recorded_payments()
        if recorded != self._paid:
            raise WrongAnswer(f"{self._paid} payments were answered, {recorded} are recorded")


def check_signatures(samples: Sequence[tuple[bytes, bytes]], platform_public_der: bytes) -> None:
    """Each answer belongs to its request and is signed over its path by our key. Raises WrongAnswer."""
    import json

    from comptoir.standards.antom import signing

    key = signing.public_key_from_der(platform_public_der)
    for request, answer in samples:
        head, body = _head(answer)
        asked, sent = _head(request)
        content = signing.content_to_sign(PATH, head["client-id"], head["response-time"], body)
        signature = signing.parse_header(head["signature"]).signature()
        if signature is None or not signing.verify(key, content, signature):
            raise WrongAnswer("an answer is not signed by the platform's key")
        same = json.loads(body)["paymentRequestId"] == json.loads(sent)["paymentRequestId"]
        if not same or head["client-id"] != asked["client-id"]:
            raise WrongAnswer("an answer belongs to another request")


def _head(message: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = message.partition(b"\r\n\r\n")
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in lines}, body


def _recorded_payments() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM acquiring_payment WHERE state = 'SUCCESS'")
        return int(cursor.fetchone()[0])
