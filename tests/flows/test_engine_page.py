"""The numbers in docs/concepts/engine.md are those of the page's own batch, done by the engine's code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from comptoir.db.run import run_sync
from comptoir.flows import api as flows
from comptoir.flows.engine import batch as engine
from comptoir.kernel.money import Money
from comptoir.kernel.statements import Flow
from tests.flows.support import NOW, Scene, assert_books_hold, make_scene

PAGE = (Path(__file__).parents[2] / "docs" / "concepts" / "engine.md").read_text("utf-8")


class Watch:
    """Sees the waves go by: who is in each, what the accounts hold before it, the trips to the database."""

    def __init__(self, scenes: dict[str, Scene]) -> None:
        self.scenes = scenes
        self.waves: list[list[int]] = []
        self.held: list[list[str]] = []
        self.trips = 0
        self._next_wave = engine._next_wave

    def next_wave(self, commands: Any, waiting: list[int], world: Any) -> tuple[list[int], list[int]]:
        wave, rest = self._next_wave(commands, waiting, world)
        self.look()
        self.waves.append([i + 1 for i in wave])
        return wave, rest

    def look(self) -> None:
        amounts = [Money(scene.purse, "CNY") for scene in self.scenes.values()]
        self.held.append([str(one.decimal()) for one in [*amounts, Money(self.scenes["Li"].owed(), "EUR")]])

    def count(self, flow: Flow[Any]) -> Flow[Any]:
        """The same flow, its trips counted."""
        try:
            statements = next(flow)
            while True:
                self.trips += 1
                statements = flow.send((yield statements))
        except StopIteration as end:
            return end.value


def travellers() -> dict[str, Scene]:
    """One shop and the page's three travellers."""
    li = make_scene(balance=100_00)
    return {
        "Li": li,
        "Chen": make_scene(balance=200_00, merchant_id=li.merchant_id),
        "Wang": make_scene(balance=5_000_00, merchant_id=li.merchant_id),
    }


def commands(who: dict[str, Scene]) -> dict[str, flows.Command]:
    """The page's batch, in the words of the page."""
    li, chen, wang = who.values()
    return {
        "pay R1, 10.00 EUR, Li's code": li.pay("R1", 10_00),
        "pay R2, 10.00 EUR, Chen's code": chen.pay("R2", 10_00),
        "pay R1 again": li.pay("R1", 10_00),
        "pay R3, 5.00 EUR, Li's next code": li.pay("R3", 5_00, code=li.code(n=1)),
        "cancel R2": li.cancel(ref="R2"),
        "pay R4, 150.00 EUR, Wang's code": wang.pay("R4", 150_00),
    }


@pytest.mark.usefixtures("database")
def test_the_worked_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    who = travellers()
    batch, watch = commands(who), Watch(who)
    monkeypatch.setattr(engine, "_next_wave", watch.next_wave)
    with transaction.atomic(), connection.cursor() as cursor:
        flow = flows.run_batch(list(batch.values()), NOW, who["Li"].desk)
        outcomes = run_sync(cursor, watch.count(flow))
    watch.look()
    monkeypatch.undo()

    wave_of = {number: place + 1 for place, wave in enumerate(watch.waves) for number in wave}
    rows = [
        f"| {number} | {what} | {wave_of[number]} | `{outcome.code}` |"
        for number, (what, outcome) in enumerate(zip(batch, outcomes, strict=True), 1)
    ]
    steps = ["before", *(f"after wave {place + 1}" for place in range(len(watch.waves)))]
    held = [f"| {step} | {' | '.join(amounts)} |" for step, amounts in zip(steps, watch.held, strict=True)]
    assert "\n".join(rows) in PAGE
    assert "\n".join(held) in PAGE
    assert f"{watch.trips} trips to the database" in PAGE
    assert outcomes[2].payment == outcomes[0].payment

    # And the same, one after another, each in a batch of its own.
    again = travellers()
    alone = Watch(again)
    alone_outcomes = [again["Li"].one(command) for command in commands(again).values()]
    alone.look()
    assert [one.code for one in alone_outcomes] == [one.code for one in outcomes]
    assert alone.held[-1] == watch.held[-1]
    assert_books_hold()


def test_the_limits_named_on_the_page() -> None:
    limits = flows.Engine.__dataclass_fields__
    assert f"at most {limits['max_batch'].default} commands" in PAGE
    assert f"{limits['max_waiting'].default:,} commands wait" in PAGE
    assert f"after {limits['give_up_after'].default:g} seconds" in PAGE
