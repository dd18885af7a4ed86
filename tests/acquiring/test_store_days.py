"""The day of a store: its local day, by hour and by wallet, and nobody else's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import DaySum, DayTotals, Scenario
from comptoir.flows import api as flows
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.standards import time_zones
from tests.conftest import Database
from tests.flows.support import NOW, Scene, make_merchant, make_scene

ZONE = "Europe/Brussels"
DAY = date(2026, 11, 23)


@pytest.fixture
def scene(database: Database) -> Scene:
    return make_scene()


def totals(scene: Scene, terminal: str | None = None, day: date = DAY, store: str = "S1") -> DayTotals:
    begin, end = time_zones.bounds_of(day, ZONE)
    return acquiring.day_totals(scene.merchant_id, store, begin, end, ZONE, terminal)


def pay(scene: Scene, minor: int, now: datetime = NOW, **given: object) -> flows.Outcome:
    given = {"store_ref": "S1", "terminal_ref": "T1"} | given
    command = scene.pay(new_id().hex, minor, code=scene.code(now, pay.n), **given)  # type: ignore[attr-defined]
    pay.n = (pay.n + 1) % 10  # type: ignore[attr-defined]
    return scene.one(command, now)


pay.n = 0  # type: ignore[attr-defined]


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def test_a_day_comes_to_what_was_sold_by_the_hour_and_what_went_back(scene: Scene) -> None:
    assert totals(scene) == DayTotals((), ())
    first = pay(scene, 1000).payment
    pay(scene, 250)
    pay(scene, 300, NOW + timedelta(hours=2))
    pay(scene, 77, terminal_ref="T2")
    pay(scene, 99, store_ref="S2")
    pay(scene, 55, now=datetime(2026, 11, 22, 22, 59, 59, tzinfo=UTC))
    pay(scene, 66, now=datetime(2026, 11, 22, 23, 0, 0, tzinfo=UTC))
    cancelled = pay(scene, 5000).payment
    assert first is not None
    assert cancelled is not None
    scene.one(scene.cancel(cancelled.id))
    scene.one(scene.order("O1", store_ref="S1"))
    assert scene.one(scene.refund("F1", first.id, 400)).code == flows.OK
    assert scene.one(scene.refund("F2", first.id, 9999)).code != flows.OK
    assert totals(scene) == DayTotals(
        (
            DaySum("COMPTOIR", eur(66), 1, 0),
            DaySum("COMPTOIR", eur(1327), 3, 10),
            DaySum("COMPTOIR", eur(300), 1, 12),
        ),
        (DaySum("COMPTOIR", eur(400), 1),),
    )
    assert totals(scene, "T2") == DayTotals((DaySum("COMPTOIR", eur(77), 1, 10),), ())
    assert totals(scene, day=date(2026, 11, 22)) == DayTotals((DaySum("COMPTOIR", eur(55), 1, 23),), ())


def test_a_refund_counts_on_the_day_it_is_made(scene: Scene) -> None:
    sold = pay(scene, 1000).payment
    assert sold is not None
    scene.one(scene.refund("F1", sold.id, 400), NOW + timedelta(days=1))
    assert totals(scene).refunds == ()
    assert totals(scene, day=date(2026, 11, 24)) == DayTotals((), (DaySum("COMPTOIR", eur(400), 1),))


def test_the_code_on_the_wall_belongs_to_no_till_and_is_summed_beside_each(scene: Scene) -> None:
    """Of the whole store it is a part: two tills and the wall come to the store's sums."""
    pay(scene, 1000)
    pay(scene, 77, terminal_ref="T2")
    pay(scene, 20, terminal_ref=None)
    order = scene.one(scene.pay("O1", 300, scenario=Scenario.ENTRY_CODE, store_ref="S1")).payment
    assert order is not None
    assert order.order_code is not None
    claimed = scene.one(flows.Claim(order_code=order.order_code, wallet_id=scene.wallet_id)).payment
    assert claimed is not None
    assert claimed.authorization_id is not None
    confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=claimed.authorization_id)
    assert scene.one(confirm).code == flows.OK
    assert scene.one(scene.refund("F1", order.id, 100)).code == flows.OK
    on_wall = DaySum("COMPTOIR", eur(300), 1, 10, True)
    back_on_wall = (DaySum("COMPTOIR", eur(100), 1, None, True),)
    assert totals(scene, "T1") == DayTotals((DaySum("COMPTOIR", eur(1000), 1, 10), on_wall), back_on_wall)
    assert totals(scene, "T2") == DayTotals((DaySum("COMPTOIR", eur(77), 1, 10), on_wall), back_on_wall)
    assert totals(scene) == DayTotals((DaySum("COMPTOIR", eur(1097), 3, 10), on_wall), back_on_wall)


def test_an_authorization_counts_with_what_was_captured(scene: Scene) -> None:
    held = scene.one(scene.hold("H1", 1000, store_ref="S1")).payment
    assert held is not None
    assert totals(scene).sales == ()
    assert scene.one(scene.capture("C1", held.id, 600)).code == flows.OK
    assert totals(scene).sales == (DaySum("COMPTOIR", eur(600), 1, 10),)


def test_nobody_sees_the_day_of_another_merchant(scene: Scene) -> None:
    pay(scene, 1000)
    begin, end = time_zones.bounds_of(DAY, ZONE)
    other = acquiring.day_totals(make_merchant(), "S1", begin, end, ZONE)
    assert other == DayTotals((), ())


def test_a_store_has_the_clock_of_its_country_or_another(scene: Scene) -> None:
    def add(ref: str, country: str, zone: str | None = None) -> None:
        acquiring.add_store(
            scene.merchant_id, new_id(), ref=ref, name=ref, mcc="5441", city="x", country=country, now=NOW,
            time_zone=zone,
        )  # fmt: skip

    add("A", "BE")
    add("B", "ES")
    add("C", "ES", "Atlantic/Canary")
    with pytest.raises(acquiring.MerchantInvalid) as refused:
        add("D", "ES", "Canarias")
    assert refused.value.field == "time_zone"
    merchant = acquiring.merchant_summary_by_id(scene.merchant_id)
    assert [(one.ref, one.time_zone) for one in merchant.stores] == [
        ("A", "Europe/Brussels"),
        ("B", "Europe/Madrid"),
        ("C", "Atlantic/Canary"),
    ]
    with pytest.raises(acquiring.MerchantUnknown):
        acquiring.merchant_summary_by_id(new_id())


def test_a_till_is_found_by_its_own_merchant_alone(scene: Scene) -> None:
    store_id = new_id()
    acquiring.add_store(
        scene.merchant_id, store_id, ref="A", name="Shop", mcc="5441", city="x", country="BE", now=NOW
    )
    acquiring.add_terminal(scene.merchant_id, new_id(), store_id, ref="T1", now=NOW)
    acquiring.open_contract(
        scene.merchant_id,
        settlement_currency="USD",
        payment_currencies=["USD", "EUR"],
        margin_bps=1,
        now=NOW + timedelta(1),
    )
    found = acquiring.till(scene.merchant_id, store_id, "T1")
    assert found is not None
    assert (found.store_ref, found.terminal_ref, found.time_zone) == ("A", "T1", ZONE)
    assert found.currencies == ("EUR", "USD")
    alone = acquiring.till(scene.merchant_id, store_id, None)
    assert alone is not None
    assert alone.terminal_ref is None
    for merchant_id, store, terminal in (
        (scene.merchant_id, store_id, "T2"),
        (scene.merchant_id, new_id(), "T1"),
        (make_merchant(), store_id, "T1"),
    ):
        assert acquiring.till(merchant_id, store, terminal) is None
