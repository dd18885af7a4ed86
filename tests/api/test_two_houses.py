"""Two Comptoirs share each payment: one has the shops, the other the wallets. Between them, a meddler.

Both have their own database, gateway and worker. After every fault: both books verify, both sides agree on
who paid, nobody is charged twice, and money that moved is known, or comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentState, PaymentView
from comptoir.db.run import read
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import OPERATOR, new_id
from comptoir.standards.antom import signing
from comptoir.wallet import api as wallet
from tests.api.meddler import Act, Meddler
from tests.api.support import House, Shop, Traveller, together
from tests.api.till import Answer
from tests.cli.processes import wait_for
from tests.conftest import Server, _clone, _DjangoOn

pytestmark = pytest.mark.slow

SUCCESS = ("SUCCESS", "S")
PRICE = 8000  # fen for 10.00 EUR: the acquirer's contract has no margin
PATIENCE = 90
T = TypeVar("T")


@dataclass
class Street:
    """The two houses, each with a proxy in front of it, and how to look into their books."""

    shops: House
    wallets: House
    asked: Meddler
    told: Meddler
    merchant_id: UUID

    def in_wallets(self, work: Callable[[], T]) -> T:
        """Do something on the wallets' database."""
        with _DjangoOn(self.wallets.url):
            return work()

    def theirs(self, ours: PaymentView) -> PaymentView | None:
        """The wallets' record of a payment of the shops'."""
        assert ours.authorization_id is not None
        wanted = ours.authorization_id.hex

        def look() -> PaymentView | None:
            key = (self.merchant_id, CLIENT, wanted)
            return next(iter(acquiring.decode_payments(read(acquiring.payments_by_request([key])))), None)

        return self.in_wallets(look)

    def hurry(self) -> None:
        for house in (self.shops, self.wallets):
            house.hurry()

    def settled(self) -> bool:
        """Nothing is left to ask another house."""
        self.hurry()
        return self.shops.outbox("issuer.", done=False) == 0


CLIENT = "5Y00ACQUIRER0001"


@pytest.fixture(scope="module")
def street(
    postgres_server: Server, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Street]:
    databases = [_clone(postgres_server, template_database) for _ in range(2)]
    shops_url, wallets_url = (next(one).url for one in databases)
    opened: list[Any] = []
    try:
        opened.append(street := _build(shops_url, wallets_url, tmp_path_factory))
        with _DjangoOn(shops_url):
            yield street
    finally:
        for one in opened:
            for part in (one.shops, one.wallets, one.asked, one.told):
                part.close()
        for one in reversed(databases):
            next(one, None)


def _build(shops_url: str, wallets_url: str, folders: pytest.TempPathFactory) -> Street:
    asked, told = Meddler(), Meddler()
    with _DjangoOn(wallets_url):
        wallets = House(wallets_url, folders.mktemp("wallets"))
        merchant_id, now = new_id(), utc_now()
        acquiring.register_merchant(
            merchant_id, office_id=OPERATOR, ref="ACQUIRER", name="Acquirer SA", mcc="6012", country="BE",
            now=now,
        )  # fmt: skip
        acquiring.open_contract(
            merchant_id, settlement_currency="EUR", payment_currencies=["EUR"], margin_bps=0, now=now
        )
        wallets_key = identity.platform_key()
    asked.their_key = signing.private_key_from_der(wallets_key.private_key)
    theirs = signing.export_public_key(signing.public_key_from_der(wallets_key.public_key))
    with _DjangoOn(shops_url):
        shops = House(
            shops_url,
            folders.mktemp("shops"),
            COMPTOIR_WALLET_CURRENCIES="none",
            COMPTOIR_PUBLIC_URL=f"http://127.0.0.1:{told.port}",
        )
        ours = wallet.add_upstream(
            "NEXT", family=wallet.UpstreamFamily.APS, url=f"http://127.0.0.1:{asked.port}",
            client_ref=CLIENT, their_public_key=theirs, now=utc_now(), prefixes=["28"],
        )  # fmt: skip
    with _DjangoOn(wallets_url):
        public = signing.export_public_key(signing.public_key_from_der(ours.public_key))
        identity.register_client(CLIENT, merchant_id, public, now=utc_now(), acquirer=True)
    for house in (wallets, shops):
        house.gateway(wait=False)
        house.worker(wait=False)
        for server in house.servers:
            server.wait_ready()
    asked.target, told.target = wallets.ports[0], shops.ports[0]
    return Street(shops, wallets, asked, told, merchant_id)


@pytest.fixture
def shop(street: Street) -> Shop:
    return street.shops.shop()


@pytest.fixture
def li(street: Street) -> Traveller:
    return street.in_wallets(street.wallets.traveller)


def pay(street: Street, shop: Shop, code: str, ref: str = "R1") -> Answer:
    return shop.till.pay(ref, code)


def payment(shop: Shop, ref: str = "R1") -> PaymentView:
    """The shops' record."""
    key = (shop.merchant_id, shop.till.client_ref, ref)
    [found] = acquiring.decode_payments(read(acquiring.payments_by_request([key])))
    return found


def end(street: Street, shop: Shop, ref: str = "R1") -> PaymentView:
    """The payment, once it is final and nothing is left to be asked."""
    wait_for(lambda: (street.hurry(), payment(shop, ref).state is not PaymentState.PROCESSING)[1], PATIENCE)
    wait_for(street.settled, PATIENCE)
    return payment(shop, ref)


def agree(street: Street, shop: Shop, li: Traveller, paid: int, refs: tuple[str, ...] = ("R1",)) -> None:
    """Both books hold; both say that `paid` payments of 10.00 were made, by this traveller, to this shop."""
    street.shops.assert_holds()
    street.in_wallets(street.wallets.assert_holds)
    assert (shop.owed, shop.held) == (1000 * paid, 0)
    assert 1_000_000 - street.in_wallets(lambda: li.purse) == PRICE * paid
    for ref in refs:
        ours = payment(shop, ref)
        theirs = street.theirs(ours)
        there = theirs is not None and theirs.state is PaymentState.SUCCESS
        assert there == (ours.state is PaymentState.SUCCESS), (ours.state, theirs)


def test_payments_refunds_and_cancellations_go_through_both(
    street: Street, shop: Shop, li: Traveller
) -> None:
    codes = street.in_wallets(lambda: [li.code(), li.code()])
    answer = pay(street, shop, codes[0])
    assert answer.kind == SUCCESS
    assert answer["actualPaymentAmount"] == {"currency": "CNY", "value": str(PRICE)}
    assert answer["pspCustomerInfo"]["pspName"] == "NEXT"
    assert pay(street, shop, codes[0]).body == answer.body
    agree(street, shop, li, paid=1)
    assert shop.till.refund("F1", answer["paymentId"], "1000").kind == SUCCESS
    agree_after_refund = (shop.owed, street.in_wallets(lambda: li.purse))
    assert agree_after_refund == (0, 1_000_000)
    assert pay(street, shop, codes[1], "R2").kind == SUCCESS
    assert shop.till.cancel("R2").kind == SUCCESS
    end(street, shop, "R2")
    assert (shop.owed, street.in_wallets(lambda: li.purse)) == (0, 1_000_000)
    street.shops.assert_holds()
    street.in_wallets(street.wallets.assert_holds)


def test_the_traveller_reads_the_shop_and_not_the_acquirer(street: Street, shop: Shop, li: Traveller) -> None:
    assert pay(street, shop, street.in_wallets(li.code)).kind == SUCCESS
    page = street.in_wallets(lambda: wallet.movements(li.wallet_id, limit=5))
    assert page.movements[0].payee == "Chocolaterie Sablon"


@pytest.mark.parametrize(
    ("act", "paid"),
    [
        (Act.LOSE_REQUEST, False),
        (Act.HOLD_REQUEST, False),
        (Act.LOSE_ANSWER, True),
        (Act.HOLD_ANSWER, True),
        (Act.TWICE, True),
        (Act.HALF, True),
        (Act.UNSIGNED, True),
        (Act.REFUSAL_FORGED, True),
        (Act.OTHER_PAYMENT, True),
        (Act.OTHER_AMOUNT, True),
    ],
)
def test_f4_f5_whatever_happens_to_pay_the_truth_is_found_out(
    street: Street, shop: Shop, li: Traveller, act: Act, paid: bool
) -> None:
    """Time-outs before and after the effect, resets, doubled requests, lies: nothing is guessed."""
    code = street.in_wallets(li.code)
    street.asked.script(code, pay=[act])
    first = pay(street, shop, code)
    assert first.status == ("S" if act is Act.TWICE else "U")
    ended = end(street, shop)
    assert ended.state is (PaymentState.SUCCESS if paid else PaymentState.FAIL)
    agree(street, shop, li, paid=int(paid))
    assert street.asked.calls(code).count("pay") == 1
    assert pay(street, shop, code).status == ("S" if paid else "F")
    agree(street, shop, li, paid=int(paid))


@pytest.mark.parametrize("act", [Act.FORGED, Act.LOSE_ANSWER, Act.OTHER_PAYMENT, Act.OTHER_AMOUNT])
def test_an_upstream_that_never_tells_the_truth_is_not_believed_and_nobody_pays(
    street: Street, shop: Shop, li: Traveller, act: Act
) -> None:
    """Every inquiry is falsified: the payment is closed here and canceled there, for certain."""
    code = street.in_wallets(li.code)
    street.asked.script(code, pay=[Act.LOSE_ANSWER], inquiryPayment=[act], cancelPayment=[act, Act.PASS])
    assert pay(street, shop, code).status == "U"
    assert end(street, shop).state is PaymentState.FAIL
    agree(street, shop, li, paid=0)
    theirs = street.theirs(payment(shop))
    assert theirs is not None
    assert theirs.state is PaymentState.CANCELLED
    assert street.asked.calls(code).count("inquiryPayment") >= 15


def test_a_request_that_arrives_after_everybody_has_left(street: Street, shop: Shop, li: Traveller) -> None:
    """Reordered: the payment arrives behind its inquiries. It is found, or undone; never kept unknown."""
    code = street.in_wallets(li.code)
    street.asked.script(code, pay=[Act.LATE_REQUEST])
    assert pay(street, shop, code).status == "U"
    street.asked.release()
    ended = end(street, shop)
    agree(street, shop, li, paid=int(ended.state is PaymentState.SUCCESS))


def test_f6_success_here_and_failed_there_goes_to_people(street: Street, shop: Shop, li: Traveller) -> None:
    """A truly signed lie: nobody paid, and we believed it. A later question brings it to light."""
    code = street.in_wallets(li.code)
    street.asked.script(code, pay=[Act.LIE_PAID])
    assert pay(street, shop, code).kind == SUCCESS
    assert street.theirs(payment(shop)) is None
    # They make up their minds: it has failed; and they say so.
    ours = payment(shop)
    notify(street, shop, ours, "USER_BALANCE_NOT_ENOUGH", "F")
    wait_for(lambda: [one for one in acquiring.conflicts() if one.payment_id == ours.id], PATIENCE)
    wait_for(lambda: (street.hurry(), verdict(ours) == "unknown")[1], PATIENCE)
    assert payment(shop).state is PaymentState.SUCCESS
    street.shops.assert_holds()


def test_f6_failed_here_and_paid_there_goes_to_people(street: Street, shop: Shop, li: Traveller) -> None:
    """They took the money and said no, truly signed. Their own notification brings it to light."""
    code = street.in_wallets(li.code)
    street.asked.script(code, pay=[Act.LIE_FAILED])
    assert pay(street, shop, code).kind == ("USER_BALANCE_NOT_ENOUGH", "F")
    ours = payment(shop)
    wait_for(lambda: (street.hurry(), verdict(ours) == "succeeded")[1], PATIENCE)
    assert payment(shop).state is PaymentState.FAIL
    assert street.in_wallets(lambda: li.purse) == 1_000_000 - PRICE  # nothing moves on its own
    from comptoir.flows.api import close_conflict

    [conflict] = [one for one in acquiring.conflicts() if one.payment_id == ours.id]
    close_conflict(conflict.id, "they owe it to the traveller", utc_now(), reverse=True)
    wait_for(street.settled, PATIENCE)
    agree(street, shop, li, paid=0)


def verdict(ours: PaymentView) -> str | None:
    found = [one for one in acquiring.conflicts(closed=True) if one.payment_id == ours.id]
    return found[0].verdict if found else None


def notify(
    street: Street,
    shop: Shop,
    ours: PaymentView,
    code: str,
    status: str,
    *,
    key: Any = None,
    age: float = 0,
    ref: str | None = None,
) -> dict[str, Any]:
    """Send the shops a notification as the wallets would, or as somebody else would."""
    import json
    import urllib.request

    from comptoir.standards.antom.times import format_time

    assert ours.authorization_id is not None
    body = json.dumps({
        "paymentResult": {"resultCode": code, "resultStatus": status, "resultMessage": ""},
        "acquirerId": "A", "pspId": "NEXT", "paymentRequestId": ref or ours.authorization_id.hex,
        "paymentId": "0" * 32, "paymentAmount": {"currency": "EUR", "value": "1000"},
    }).encode()  # fmt: skip
    path = f"/aps/notify/NEXT/{ours.merchant_id.hex}/{ours.id.hex}"
    at = format_time(utc_now() - timedelta(seconds=age))
    signed = signing.sign(key or street.asked.their_key, signing.content_to_sign(path, CLIENT, at, body))
    headers = {
        "client-id": CLIENT, "Request-Time": at, "Signature": signing.format_header(1, signed),
        "Content-Type": "application/json",
    }  # fmt: skip
    url = f"http://127.0.0.1:{street.shops.ports[0]}{path}"
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20) as reply:
        found: dict[str, Any] = json.loads(reply.read())["result"]
        return found


def test_f8_notifications_decide_nothing(street: Street, shop: Shop, li: Traveller) -> None:
    """Forged, stale, for another payment, doubled, reordered: at most a reason to ask."""
    code = street.in_wallets(li.code)
    street.asked.script(code, pay=[Act.LOSE_REQUEST], inquiryPayment=[Act.LOSE_REQUEST] * 3 + [Act.PASS])
    assert pay(street, shop, code).status == "U"
    ours = payment(shop)
    stranger = signing.generate_key()
    for how in ({"key": stranger}, {"age": 1000.0}, {"age": -1000.0}, {"ref": new_id().hex}, {"ref": "R1"}):
        assert notify(street, shop, ours, "SUCCESS", "S", **how)["resultStatus"] == "U"
    for told in (("SUCCESS", "S"), ("USER_BALANCE_NOT_ENOUGH", "F")) * 3:
        assert notify(street, shop, ours, *told)["resultStatus"] == "S"
    assert payment(shop).state is PaymentState.PROCESSING
    assert end(street, shop).state is PaymentState.FAIL
    agree(street, shop, li, paid=0)


def test_a_notification_ends_the_waiting(street: Street, shop: Shop) -> None:
    """The traveller approves after a while: the wallets say so, and the shop knows within seconds."""
    careful = street.in_wallets(lambda: street.wallets.traveller(no_pin=0))
    code = street.in_wallets(careful.code)
    assert pay(street, shop, code).kind == ("PAYMENT_IN_PROCESS", "U")
    street.told.script("", notify=[Act.TWICE])  # this proxy has seen no codes
    before = len(street.told.seen)

    def approve() -> None:
        from comptoir.flows.api import Confirm

        [asked] = careful.waiting()
        street.wallets.do(Confirm(wallet_id=careful.wallet_id, authorization_id=asked))

    street.in_wallets(approve)
    wait_for(lambda: shop.till.inquire("R1")["paymentStatus"] == "SUCCESS", PATIENCE)
    wait_for(lambda: len(street.told.seen) > before, PATIENCE)
    street.told.script("", notify=[Act.PASS])
    agree(street, shop, careful, paid=1)


@pytest.mark.parametrize("act", [Act.LOSE_REQUEST, Act.LOSE_ANSWER, Act.TWICE, Act.FORGED, Act.HALF])
def test_a_refund_without_a_clear_answer_is_given_once(
    street: Street, shop: Shop, li: Traveller, act: Act
) -> None:
    code = street.in_wallets(li.code)
    paid = pay(street, shop, code)
    street.asked.script(code, refund=[act, Act.PASS])
    clicks = together([lambda: shop.till.refund("F1", paid["paymentId"], "400")] * 4)
    assert {one.status for one in clicks} <= {"U", "S"}
    assert act is Act.TWICE or "U" in {one.status for one in clicks}
    found = {"refundRequestId": "F1"}
    wait_for(
        lambda: (street.hurry(), shop.till.call("inquiryRefund", found)["refundStatus"] == "SUCCESS")[1],
        PATIENCE,
    )
    assert (shop.owed, 1_000_000 - street.in_wallets(lambda: li.purse)) == (600, PRICE * 600 // 1000)
    street.shops.assert_holds()
    street.in_wallets(street.wallets.assert_holds)


@pytest.mark.parametrize("act", [Act.LOSE_REQUEST, Act.LOSE_ANSWER, Act.FORGED, Act.REFUSAL_FORGED])
def test_a_cancellation_is_insisted_on(street: Street, shop: Shop, li: Traveller, act: Act) -> None:
    code = street.in_wallets(li.code)
    street.asked.script(code, cancelPayment=[act, act, Act.PASS])
    assert pay(street, shop, code).kind == SUCCESS
    assert shop.till.cancel("R1").kind == SUCCESS
    assert end(street, shop).state is PaymentState.CANCELLED
    agree(street, shop, li, paid=0)


def test_one_code_at_two_tills_pays_once(street: Street, shop: Shop, li: Traveller) -> None:
    code = street.in_wallets(li.code)
    answers = together([lambda n=n: pay(street, shop, code, f"R{n}") for n in range(6)])
    assert sorted(one.status for one in answers) == ["F"] * 5 + ["S"]
    agree(street, shop, li, paid=1, refs=tuple(f"R{n}" for n in range(6)))
