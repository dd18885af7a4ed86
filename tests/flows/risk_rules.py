"""What the tests of risk rules share: rules in force, and what they counted and said."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from msgspec.structs import replace

from comptoir.db.run import run_sync
from comptoir.flows import api as flows
from comptoir.flows.rehearsal import past
from comptoir.kernel.statements import Flow
from comptoir.risk import api as risk
from comptoir.risk.api import Action
from tests.flows.support import NOW, Scene, make_scene

START = 1_000_000
REFUSED = risk.errors.REFUSED


def activate(*rules: dict[str, Any], now: datetime = NOW - timedelta(hours=1), sample: int = 0) -> int:
    named = [{"id": f"r{number}", "action": "refuse"} | one for number, one in enumerate(rules)]
    return flows.activate_rules(risk.checked({"rules": named, "sample": sample}), "test", now)


def per(scope: str, payments: int, within: str = "1h", **more: Any) -> dict[str, Any]:
    return {"per": scope, "payments": payments, "within": within} | more


def counters() -> dict[str, tuple[int, int]]:
    """(payments, amount) of each scope, whatever the buckets; nothing that is zero."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT scope || grain || name, sum(payments), sum(amount)::bigint FROM risk_counter GROUP BY 1"
            " HAVING sum(payments) <> 0 OR sum(amount) <> 0"
        )
        return {name: (payments, amount) for name, payments, amount in cursor.fetchall()}


def recounted() -> dict[str, tuple[int, int]]:
    """What the counters ought to hold, by what stands."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT counting FROM risk_rule_set ORDER BY version DESC LIMIT 1")
        row = cursor.fetchone()
    rule_set = run(risk.newest_rules())
    counting = risk.decode_rules(rule_set).counting if row else {}
    tally: dict[str, tuple[int, int]] = {}
    for one in past(NOW - timedelta(days=1), NOW + timedelta(days=30)):
        if not one.paid or one.undone_at is not None or one.made_at is None:
            continue
        for kind, since in counting.items():
            charge = replace(one.charge, device=one.confirmed_on)
            for change in one.changes:
                charge = replace(charge, amount=change.amount) if change.paid else charge
            whose = risk.subjects(charge, [kind.scope]).get(kind.scope)
            if whose is not None and one.made_at >= since:
                name = f"{kind.scope.value}{kind.grain}{whose.name}"
                payments, amount = tally.get(name, (0, 0))
                tally[name] = (payments + 1, amount + charge.amount.minor)
    return tally


def run(statement: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        return list(cursor.fetchall())


def log() -> list[tuple[str, Action | None, tuple[str, ...]]]:
    """(stage, action, rules that fired), oldest first."""
    return [
        (one.stage.value, one.action, tuple(look.rule for look in one.looked if look.fired))
        for one in reversed(risk.entries(1000))
    ]


def trips(scene: Scene, *commands: flows.Command, now: datetime = NOW) -> list[list[str]]:
    """The statements of each trip of a batch."""
    seen: list[list[str]] = []

    def watch(flow: Flow[Any]) -> Flow[Any]:
        try:
            wanted = next(flow)
            while True:
                seen.append([one.sql for one in wanted])
                wanted = flow.send((yield wanted))
        except StopIteration as end:
            return end.value

    with transaction.atomic(), connection.cursor() as cursor:
        run_sync(cursor, watch(flows.run_batch(commands, now, scene.desk)))
    scene.desk.committed()
    return seen


def make_pay(scene: Scene) -> flows.Command:
    """A payment of another traveller at the same shop."""
    other = make_scene(merchant_id=scene.merchant_id)
    return other.pay("OTHER")


def travellers(scene: Scene, number: int) -> list[Scene]:
    return [make_scene(merchant_id=scene.merchant_id) for _ in range(number)]


def fired(looked: tuple[risk.Look, ...]) -> tuple[str, ...]:
    return tuple(one.rule for one in looked if one.fired)
