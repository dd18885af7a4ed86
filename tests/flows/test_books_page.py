"""The captures in docs/concepts/books.md, done for real: every number of the page is what the books say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import connection

from comptoir.flows import api as flows
from comptoir.kernel.ids import leg_id
from comptoir.kernel.money import Money
from tests.flows.support import Scene, assert_books_hold, make_scene

PAGE = (Path(__file__).parents[2] / "docs" / "concepts" / "books.md").read_text("utf-8")


def test_the_worked_captures(database: object) -> None:
    scene = make_scene(balance=50_000)
    rows = []

    def step(what: str, command: flows.Command, expected: str = flows.OK) -> flows.Outcome:
        outcome = scene.one(command)
        assert outcome.code == expected
        rows.append(f"| {what} | {stands(scene)} |")
        return outcome

    held = step("10.00 EUR are authorized", scene.hold("R1", 1000)).payment
    assert held is not None
    step("the amount becomes 12.00 EUR", scene.update("U1", held.id, 1200))
    first = step("3.33 EUR are captured", scene.capture("C1", held.id, 333)).capture
    step("4.00 EUR are captured", scene.capture("C2", held.id, 400))
    step("1.00 EUR is refunded", scene.refund("F1", held.id, 100))
    step("2.00 EUR are captured, the last", scene.capture("C3", held.id, 200, last=True))
    assert "\n".join(rows) in PAGE
    assert first is not None
    legs = [f"| {kind} | {phase} | {amount} |" for kind, phase, amount in transfers(first.id)]
    assert "\n".join(legs) in PAGE
    assert_books_hold()


def stands(scene: Scene) -> str:
    amounts = [Money(minor, "CNY").decimal() for minor in (scene.purse, scene.available)]
    amounts += [Money(minor, "EUR").decimal() for minor in (scene.owed(), scene.held())]
    return " | ".join(map(str, amounts))


def transfers(capture_id: Any) -> list[tuple[str, str, str]]:
    """(kind, phase, amount) of all that a capture posted, in order."""
    ids = [leg_id(capture_id, number) for number in (1, 2, 3, 65, 66, 67)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, phase, amount, currency FROM ledger_transfer WHERE id = ANY (%s) ORDER BY position",
            (ids,),
        )
        return [
            (kind, phase, str(Money(amount, currency))) for kind, phase, amount, currency in cursor.fetchall()
        ]
