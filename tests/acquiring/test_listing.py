"""Lists of payments, refunds and disputes: every filter, every page, nobody else's."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentFilter, PaymentState, Place, Product
from comptoir.db.run import read
from comptoir.flows import api as flows
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.kernel.statements import Statement
from tests.conftest import Database
from tests.flows.support import NOW, Scene, make_merchant, make_scene


def found(limit: int = 100, after: Place | None = None, **wanted: object) -> list[str]:
    """The request ids of a page."""
    asked = acquiring.payments_page(PaymentFilter(**wanted), limit, after)
    return [one.request_ref for one in acquiring.decode_payments(read(asked))]


def paid(scene: Scene, ref: str, minor: int, at: datetime, **given: object) -> UUID:
    fields = {"code": scene.code(at)} if "scenario" not in given else {}
    outcome = scene.one(scene.pay(ref, minor, **fields, **given), now=at)
    assert outcome.payment is not None
    return outcome.payment.id


def test_every_filter_chooses(database: Database) -> None:
    scene = make_scene()
    other = make_scene(merchant_id=make_merchant())
    minute = timedelta(minutes=1)
    first = paid(scene, "A-1", 1000, NOW, store_ref="north", details={"orderId": "Order-77"})
    paid(scene, "A-2", 2500, NOW + minute, store_ref="south")
    scene.one(scene.pay("B_1", 700, code="281234567890123456"), now=NOW + 2 * minute)
    scene.one(scene.pay("C-1", 9900, product=Product.CASHIER, scenario=None), now=NOW + 3 * minute)
    paid(other, "A-9", 1000, NOW)
    own = {"merchant_id": scene.merchant_id}
    assert found(**own) == ["C-1", "B_1", "A-2", "A-1"]
    assert found(**own, start=NOW + minute) == ["C-1", "B_1", "A-2"]
    assert found(**own, start=NOW + minute, end=NOW + 2 * minute) == ["A-2"]
    assert found(**own, store_ref="north") == ["A-1"]
    assert found(**own, terminal_ref="T1") == [], "none of them is at a till, or over a code on the wall"
    assert found(**own, state=PaymentState.FAIL) == ["B_1"]
    assert found(**own, product=Product.CASHIER) == ["C-1"]
    assert found(**own, issuer="COMPTOIR") == found(**own, state=PaymentState.SUCCESS) == ["A-2", "A-1"]
    assert found(**own, currency="EUR", least=1000, most=2500) == ["A-2", "A-1"]
    assert found(**own, currency="USD") == []
    assert found(**own, text="A-") == ["A-2", "A-1"]
    assert found(**own, text="Order-7") == ["A-1"]
    assert found(**own, text=first.hex) == found(**own, text=str(first)) == ["A-1"]
    assert found(**own, text="A_") == found(**own, text="%") == found(**own, text="\\") == []
    assert found(**own, text="B_") == ["B_1"]


@settings(max_examples=20, deadline=None)
@given(size=st.integers(1, 9), gaps=st.lists(st.integers(0, 2), min_size=1, max_size=9))
def test_pages_are_the_whole_list_in_order(module_database: Database, size: int, gaps: list[int]) -> None:
    """Also where many were made at the same instant."""
    scene = make_scene()
    at = NOW
    for number, gap in enumerate(gaps):
        at += timedelta(seconds=gap)
        scene.one(scene.order(f"R-{number}"), now=at)
    whole = acquiring.decode_payments(
        read(acquiring.payments_page(PaymentFilter(merchant_id=scene.merchant_id), 100))
    )
    assert len(whole) == len(gaps)
    paged, after = [], None
    while True:
        asked = acquiring.payments_page(PaymentFilter(merchant_id=scene.merchant_id), size, after)
        page = acquiring.decode_payments(read(asked))
        paged += page
        if len(page) < size:
            break
        after = acquiring.place(page[-1])
    assert paged == whole
    assert [one.created_at for one in whole] == sorted((one.created_at for one in whole), reverse=True)


@settings(max_examples=20, deadline=None)
@given(
    size=st.integers(1, 4),
    count=st.integers(1, 5),
    gaps=st.lists(st.tuples(st.integers(0, 1), st.booleans()), min_size=1, max_size=12),
)
def test_a_search_in_stretches_finds_each_once(
    module_database: Database, size: int, count: int, gaps: list[tuple[int, bool]]
) -> None:
    """However a page ends: with its last line, or where its stretch does."""
    scene, at = make_scene(), NOW
    for number, (gap, wanted) in enumerate(gaps):
        at += timedelta(seconds=gap)
        scene.one(scene.order(f"{'A' if wanted else 'B'}-{number}"), now=at)
    asked = PaymentFilter(merchant_id=scene.merchant_id, text="A-")
    whole = acquiring.decode_payments(read(acquiring.payments_page(asked, 100)))
    assert len(whole) == sum(wanted for _gap, wanted in gaps)
    searched: list[acquiring.PaymentView] = []
    after: Place | None = None
    while True:
        end = next(iter(read(acquiring.stretch(asked, count, after))), None)
        page = acquiring.decode_payments(read(acquiring.payments_page(asked, size, after, end)))
        searched += page
        after = acquiring.place(page[-1]) if len(page) == size else end
        if after is None:
            break
    assert searched == whole


@settings(max_examples=20, deadline=None)
@given(size=st.integers(1, 9), gaps=st.lists(st.integers(0, 1), min_size=1, max_size=12))
def test_pages_of_disputes_lose_and_double_none(
    module_database: Database, size: int, gaps: list[int]
) -> None:
    """Also where many were opened at the same instant; and nobody else's are among them."""
    scene, other = make_scene(), make_scene(merchant_id=make_merchant())
    claimed(other, paid(other, "R-1", 1000, NOW), NOW)
    payment, at = paid(scene, "R-1", 1000, NOW), NOW
    opened = {}
    for gap in gaps:
        at += timedelta(seconds=gap)
        opened[claimed(scene, payment, at)] = at
    listed: list[acquiring.DisputeView] = []
    after = None
    while True:
        asked = acquiring.disputes_listed(size, scene.merchant_id, only_waiting=False, after=after)
        page = acquiring.decode_disputes(read(asked))
        listed += page
        if len(page) < size:
            break
        after = acquiring.place(page[-1])
    assert [(one.id, one.created_at) for one in listed] == sorted(
        opened.items(), key=lambda one: (one[1], one[0]), reverse=True
    )
    whole = acquiring.disputes_listed(100, scene.merchant_id, only_waiting=True)
    assert acquiring.decode_disputes(read(whole)) == listed


def claimed(scene: Scene, payment_id: UUID, at: datetime) -> UUID:
    """The id of a new dispute that asks for papers."""
    dispute_id = new_id()
    scene.one(
        flows.OpenDispute(
            merchant_id=scene.merchant_id,
            payment_id=payment_id,
            dispute_id=dispute_id,
            kind=acquiring.DisputeKind.RETRIEVAL_REQUEST,
            amount=Money(100, "EUR"),
            reason_code="PAPERS",
            reason="papers, please",
            due_at=at + timedelta(days=7),
        ),
        now=at,
    )
    return dispute_id


def test_refunds_are_listed_without_the_money_of_disputes(database: Database) -> None:
    scene = make_scene()
    payment = paid(scene, "A-1", 5000, NOW)
    for number in range(3):
        scene.one(scene.refund(f"F-{number}", payment, 100), now=NOW + timedelta(minutes=number))
    end = NOW + timedelta(minutes=2)
    rows = read(acquiring.refunds_page(scene.merchant_id, NOW, end, 10))
    refunds = acquiring.decode_refunds(rows)
    assert [one.request_ref for one in refunds] == ["F-1", "F-0"]
    below = acquiring.refunds_page(scene.merchant_id, NOW, end, 10, acquiring.place(refunds[0]))
    assert [one.request_ref for one in acquiring.decode_refunds(read(below))] == ["F-0"]
    assert read(acquiring.refunds_page(make_merchant(), NOW, end, 10)) == []


def test_a_page_is_found_by_an_index(database: Database) -> None:
    """However many others have: the plan never sorts and never reads the table through."""
    merchant_id, after = make_merchant(), (NOW, new_id())
    payments = acquiring.payments_page(PaymentFilter(merchant_id=merchant_id, start=NOW), 50, after)
    assert "acquiring_payment_made" in plan_of(payments)
    assert "acquiring_payment_made" in plan_of(
        acquiring.stretch(PaymentFilter(merchant_id=merchant_id), 9, after)
    )
    in_store = acquiring.stretch(PaymentFilter(merchant_id=merchant_id, store_ref="S1", text="x"), 9, after)
    assert "acquiring_payment_store" in plan_of(in_store)
    disputes = acquiring.disputes_listed(50, merchant_id, only_waiting=False, after=after)
    assert "acquiring_dispute_made" in plan_of(disputes)


def plan_of(asked: Statement) -> str:
    """How the statement would be done on a table too large to be read through; by order of an index."""
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off")
        cursor.execute("EXPLAIN " + asked.sql, asked.params)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Sort" not in plan
    return plan
