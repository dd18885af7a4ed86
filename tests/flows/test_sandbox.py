"""The walls of the sandbox: no way from a real client to a simulated wallet, nor back."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections

from comptoir.acquiring import api as acquiring_api
from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from comptoir.flows.sandbox import counterpart_id, open_counterpart
from comptoir.kernel.ids import OPERATOR, SANDBOX, new_id
from comptoir.ledger import api as ledger
from comptoir.ledger.api import Role, Transfer
from comptoir.wallet import api as wallet
from tests.conftest import Database
from tests.flows.support import NOW, Scene, assert_books_hold, make_scene


@pytest.fixture
def scene(database: Database) -> Scene:
    return make_scene()


@pytest.fixture
def sandbox(scene: Scene) -> Scene:
    """The same traveller, in front of a test merchant that is paid out in another currency."""
    merchant_id = new_id()
    acquiring_api.register_merchant(
        merchant_id, office_id=OPERATOR, ref="TEST", name="Test counter", mcc="5947", country="BE", now=NOW,
        sandbox=True,
    )  # fmt: skip
    acquiring_api.open_contract(
        merchant_id, settlement_currency="USD", payment_currencies=["EUR"], margin_bps=100, now=NOW
    )
    return replace_merchant(scene, merchant_id)


def replace_merchant(scene: Scene, merchant_id: Any) -> Scene:
    return Scene(merchant_id, scene.wallet_id, scene.device, scene.seed, scene.desk)


def accounts() -> list[Any]:
    """Every account that is not the sandbox's, with all that stands in it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, debits_posted, credits_posted, debits_pending, credits_pending FROM ledger_account"
            " WHERE owner_id <> ALL (%s) AND debits_posted + credits_posted + debits_pending"
            " + credits_pending > 0 ORDER BY id",
            ([SANDBOX, *acquiring_api.sandbox_merchants(), *issuers()],),
        )
        return list(cursor.fetchall())


def issuers() -> list[Any]:
    from comptoir.flows.engine.issuer_legs import issuer_owner

    return [issuer_owner(name) for name in wallet.SIMULATED_WALLETS]


def payments() -> int:
    return acquiring_api.counts()[0]


def test_a_real_client_cannot_reach_a_simulated_wallet(scene: Scene, sandbox: Scene) -> None:
    """Whatever it names: not by issuer, not at a test merchant, not with the flag at its own."""
    before = accounts()
    for command in (
        scene.pay("R1", issuer="SIM_PAYS"),
        scene.pay("R1", issuer="SIM_PAYS", sandbox=True),
        scene.pay("R1", sandbox=True),
        sandbox.pay("R1", issuer="SIM_PAYS"),
        sandbox.pay("R1"),
        sandbox.pay("R1", sandbox=True),
        sandbox.order("R1"),
    ):
        outcome = scene.one(command)
        assert (outcome.code, outcome.payment) == (acquiring.SANDBOX_MISMATCH, None)
    assert (accounts(), payments()) == (before, 0)
    assert_books_hold()


def paid_in_the_sandbox(sandbox: Scene, command: flows.Pay) -> flows.Outcome:
    """What the desk of a gateway does with a test client's payment."""

    async def work() -> flows.Outcome:
        async def submit(one: flows.Command) -> flows.Outcome:
            return await asyncio.to_thread(aside, sandbox, one)

        return await flows.PaymentDesk(submit, wallet.open_issuers({})).submit(command)

    return asyncio.run(work())


def aside(scene: Scene, command: flows.Command) -> flows.Outcome:
    try:
        return scene.one(command)
    finally:
        connections.close_all()


def test_a_test_payment_touches_no_account_of_the_real_world(scene: Scene, sandbox: Scene) -> None:
    """Paid, refunded, canceled, over two currencies: all of it between the sandbox's own accounts."""
    before = accounts()
    code = sandbox.code()
    paid = paid_in_the_sandbox(sandbox, sandbox.pay("R1", sandbox=True, code=code))
    assert paid.code == flows.OK
    assert paid.payment is not None
    assert (paid.payment.issuer, paid.payment.wallet_id) == ("SIM_PAYS", None)
    assert sandbox.owed("USD") == 1100
    asked = paid_in_the_sandbox(sandbox, sandbox.refund("F1", paid.payment.id, 400))
    assert asked.code == flows.OK
    assert sandbox.owed("USD") == 660
    poor = paid_in_the_sandbox(sandbox, sandbox.pay("R2", 1001, sandbox=True, code=code))
    assert poor.code == wallet.errors.BALANCE_INSUFFICIENT
    open_one = paid_in_the_sandbox(sandbox, sandbox.order("R3", 1002, sandbox=True))
    assert open_one.code == flows.IN_PROCESS
    assert sandbox.one(sandbox.cancel(ref="R3")).code == flows.OK
    assert accounts() == before
    # The code was never shown to the real wallet: it still pays at a real shop.
    assert scene.one(scene.pay("R1", code=code)).code == flows.OK
    assert_books_hold()


def test_no_real_wallet_can_claim_a_test_order(scene: Scene, sandbox: Scene) -> None:
    before = accounts()
    order = paid_in_the_sandbox(sandbox, sandbox.order("R1", 1006, sandbox=True))
    assert order.payment is not None
    assert order.payment.order_code
    claim = flows.Claim(order_code=order.payment.order_code, wallet_id=scene.wallet_id)
    assert scene.one(claim).code == acquiring.PAYMENT_UNKNOWN
    assert accounts() == before
    assert_books_hold()


def test_a_real_wallet_is_never_priced_for_a_test_merchant(scene: Scene, sandbox: Scene) -> None:
    """The last wall before a wallet is asked, whichever way came to it."""
    from comptoir.flows.decisions.charge import offer

    real = scene.one(scene.order("R1"))
    assert real.payment is not None
    merchants = acquiring_api.decode_merchants(rows(acquiring_api.merchants([sandbox.merchant_id])))
    purse = wallet.wallet_summary(scene.wallet_id, NOW).wallet
    with pytest.raises(acquiring_api.Refused, match="test merchant"):
        offer(real.payment, purse, merchants[sandbox.merchant_id], None)  # type: ignore[arg-type]


def rows(statement: Any) -> Any:
    from comptoir.db.run import read

    return read(statement)


def test_verify_finds_what_crosses_the_wall(scene: Scene, sandbox: Scene) -> None:
    paid_in_the_sandbox(sandbox, sandbox.pay("R1", sandbox=True))
    assert_books_hold()
    payable = ledger.account_id(sandbox.merchant_id, Role.MERCHANT_PAYABLE, "USD")
    position = ledger.account_id(OPERATOR, Role.FX_POSITION, "USD")
    leak = Transfer(
        id=new_id(), owner_id=OPERATOR, debit_id=position, credit_id=payable, amount=1, currency="USD",
        kind="correction", subject_id=new_id(),
    )  # fmt: skip
    with connection.cursor() as cursor:
        for statement in (ledger.lock(), ledger.post([leak])):
            cursor.execute(statement.sql, statement.params)
    report = flows.verify_books()
    assert "between the sandbox and the real world" in str(report.first_difference)


def test_verify_finds_a_simulated_payment_of_a_real_merchant(scene: Scene, sandbox: Scene) -> None:
    paid = scene.one(scene.pay("R1"))
    assert paid.payment is not None
    with connection.cursor() as cursor:
        cursor.execute("UPDATE acquiring_payment SET issuer = 'SIM_PAYS' WHERE id = %s", [paid.payment.id])
    report = flows.verify_books()
    assert "its merchant is not so" in " ".join(report.differences)


def test_a_counterpart_that_is_opened_six_times_at_once_is_made_once(scene: Scene) -> None:
    """And what it lacks is brought once, by whoever comes first; nobody fails."""
    stores = [new_id(), new_id()]
    for number, store_id in enumerate(stores):
        acquiring_api.add_store(
            scene.merchant_id, store_id, ref=f"S{number}", name="Shop", mcc="5947", city="Gent",
            country="BE", now=NOW,
        )  # fmt: skip
        acquiring_api.add_terminal(scene.merchant_id, new_id(), store_id, ref="T1", now=NOW)
    _open_at_once(scene.merchant_id)
    own = acquiring_api.merchant_summary_by_id(scene.merchant_id)
    made = acquiring_api.merchant_summary_by_id(counterpart_id(scene.merchant_id))
    assert made.contracts == own.contracts
    assert [(one.ref, one.terminals) for one in made.stores] == [("S0", ("T1",)), ("S1", ("T1",))]
    acquiring_api.add_terminal(scene.merchant_id, new_id(), stores[1], ref="T2", now=NOW)
    _open_at_once(scene.merchant_id)
    again = acquiring_api.merchant_summary_by_id(made.id)
    assert [(one.id, one.terminals) for one in again.stores] == [
        (made.stores[0].id, ("T1",)),
        (made.stores[1].id, ("T1", "T2")),
    ]
    assert open_counterpart(scene.merchant_id, NOW) == 0
    assert_books_hold()


def _open_at_once(merchant_id: UUID) -> None:
    together = Barrier(6)

    def one_of(_number: int) -> None:
        try:
            together.wait()
            open_counterpart(merchant_id, NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(one_of, range(6)))
