"""The figures behind the charts, against payments that are few enough to add up by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import FiguresFilter, Sum
from comptoir.db.run import read
from comptoir.flows import api as flows
from comptoir.wallet.api import errors as wallet_errors
from tests.conftest import Database
from tests.flows.support import Scene, make_scene

EDGES = (1000, 2500)
#: Half past eleven at night in Brussels: still Monday there, in UTC too.
LATE = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)


def asked(scene: Scene, **given: object) -> FiguresFilter:
    fields = {
        "merchant_id": scene.merchant_id,
        "start": LATE - timedelta(days=10),
        "end": LATE + timedelta(days=10),
        "zone": "Europe/Brussels",
        "currency": "EUR",
        "edges": EDGES,
    }
    return FiguresFilter(**(fields | given))


def sold(scene: Scene, **given: object) -> acquiring.Sales:
    return acquiring.decode_sales(read(acquiring.sales(asked(scene, **given))), EDGES)


def pay(scene: Scene, ref: str, minor: int, at: datetime, **given: object) -> object:
    outcome = scene.one(scene.pay(ref, minor, code=scene.code(at), **given), now=at)
    assert outcome.code == "ok", outcome
    return outcome.payment.id


def test_sales_by_day_hour_store_and_basket(database: Database) -> None:
    scene = make_scene()
    pay(scene, "1", 999, LATE, store_ref="north")
    pay(scene, "2", 1000, LATE + timedelta(minutes=20), store_ref="north")
    pay(scene, "3", 2499, LATE + timedelta(minutes=40), store_ref="south")  # Tuesday in Brussels, not in UTC
    pay(scene, "4", 3000, LATE + timedelta(hours=12))
    sales = sold(scene)
    assert sales.total == Sum(4, 7498)
    assert sales.days == {date(2026, 11, 23): Sum(2, 1999), date(2026, 11, 24): Sum(2, 5499)}
    assert sales.hours == {(1, 23): Sum(2, 1999), (2, 0): Sum(1, 2499), (2, 11): Sum(1, 3000)}
    assert sales.stores == {None: Sum(1, 3000), "south": Sum(1, 2499), "north": Sum(2, 1999)}
    assert sales.baskets == (Sum(1, 999), Sum(2, 3499), Sum(1, 3000))
    assert sold(scene, zone="UTC").days == {
        date(2026, 11, 23): Sum(3, 4498),
        date(2026, 11, 24): Sum(1, 3000),
    }
    assert sold(scene, store_ref="north").total == Sum(2, 1999)
    assert sold(scene, start=LATE + timedelta(hours=1)).total == Sum(1, 3000)
    assert sold(scene, end=LATE + timedelta(minutes=20)).total == Sum(1, 999)
    assert sold(scene, currency="USD") == acquiring.Sales(
        total=Sum(), days={}, hours={}, stores={}, baskets=(Sum(), Sum(), Sum()), refunded=0
    )


def test_what_is_no_sale_does_not_count(database: Database) -> None:
    """Canceled, refused, open; of an authorization what was not captured. A refunded sale stays a sale."""
    scene = make_scene()
    kept = pay(scene, "kept", 1000, LATE)
    scene.one(scene.refund("back", kept, 400), now=LATE)
    undone = pay(scene, "undone", 1000, LATE + timedelta(minutes=2))
    scene.one(scene.cancel(undone), now=LATE + timedelta(minutes=3))
    scene.one(scene.order("open"), now=LATE)
    scene.one(scene.pay("refused", code="281234567890123456"), now=LATE)
    later = LATE + timedelta(minutes=5)
    held = scene.one(scene.hold("held", 2000, code=scene.code(later)), now=later).payment
    assert sold(scene).total == Sum(1, 1000)
    scene.one(scene.capture("part", held.id, 700), now=later)
    sales = sold(scene)
    assert sales.total == Sum(2, 1700)
    assert sales.baskets[0] == Sum(1, 700)
    assert sales.refunded == 400


def test_refused_codes_and_why(database: Database) -> None:
    scene = make_scene(balance=9_000)
    pay(scene, "good", 500, LATE)
    undone = pay(scene, "undone", 500, LATE + timedelta(minutes=2))
    scene.one(scene.cancel(undone), now=LATE + timedelta(minutes=2))
    for number in range(2):
        at = LATE + timedelta(minutes=3 + 2 * number)
        assert scene.one(scene.pay(f"poor-{number}", 10_000, code=scene.code(at)), now=at).code == (
            wallet_errors.BALANCE_INSUFFICIENT
        )
    scene.one(scene.pay("bad", code="281234567890123456"), now=LATE)
    scene.one(scene.order("order is no code"), now=LATE)
    refusals = acquiring.decode_refusals(read(acquiring.refusals(asked(scene))))
    assert (refusals.scanned, refusals.paid, refusals.refused) == (5, 2, 3)
    assert refusals.reasons == {
        wallet_errors.BALANCE_INSUFFICIENT: 2,
        wallet_errors.CODE_INVALID: 1,
    }
    assert list(refusals.reasons) == [wallet_errors.BALANCE_INSUFFICIENT, wallet_errors.CODE_INVALID]
    assert read(acquiring.currencies_sold(asked(scene))) == [("EUR", 1)]


def test_a_zone_that_changes_its_clock(database: Database) -> None:
    """The night in which Brussels has one hour twice: both are hour 2 of that Sunday."""
    scene = make_scene()
    scene.desk = flows.Desk(500)
    twice = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    pay(scene, "summer", 500, twice)
    pay(scene, "winter", 700, twice + timedelta(hours=1))
    sales = sold(scene, start=twice, end=twice + timedelta(days=1))
    assert sales.hours == {(7, 2): Sum(2, 1200)}
    assert sales.days == {date(2027, 10, 31): Sum(2, 1200)}
