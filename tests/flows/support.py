"""What the flows' tests share: a merchant, a traveller, a desk with fixed rates, and commands about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import CaptureMode, Product, Scenario
from comptoir.flows import api as flows
from comptoir.fx import api as fx
from comptoir.kernel.ids import OPERATOR, new_id
from comptoir.kernel.money import Money
from comptoir.ledger import api as ledger
from comptoir.ledger.api import Role
from comptoir.standards.ecb_rates import DailyRates
from comptoir.standards.payment_code import Form, build
from comptoir.wallet import api as wallet

#: 17:20 in China, on a Monday.
NOW = datetime(2026, 11, 23, 9, 20, tzinfo=UTC)
CLIENT = "5Y00000000000001"
PIN = "204681"
RATES = {"CNY": "7.9", "GBP": "0.84", "JPY": "176", "USD": "1.1", "SEK": "11", "IDR": "20000"}


@dataclass
class Scene:
    """A shop in Brussels and a traveller with a phone: 1 EUR = 7.90 CNY, margin 1 percent."""

    merchant_id: UUID
    wallet_id: UUID
    device: int
    seed: bytes = field(repr=False)
    desk: flows.Desk = field(default_factory=lambda: flows.Desk(5))

    def code(self, now: datetime = NOW, n: int = 0) -> str:
        return build(Form.SHORT, self.device, self.seed, now, n)

    def pay(self, ref: str, minor: int = 1000, currency: str = "EUR", **given: Any) -> flows.Pay:
        fields: dict[str, Any] = {
            "merchant_id": self.merchant_id,
            "client_ref": CLIENT,
            "request_ref": ref,
            "product": Product.IN_STORE,
            "scenario": Scenario.PAYMENT_CODE,
            "amount": Money(minor, currency),
            "method_type": "CONNECT_WALLET",
            "notify_url": "http://127.0.0.1:9/n",
        }
        fields |= given
        if fields["scenario"] is Scenario.PAYMENT_CODE and "code" not in fields:
            fields["code"] = self.code()
        return flows.Pay(**fields)

    def order(self, ref: str, minor: int = 1000, **given: Any) -> flows.Pay:
        return self.pay(ref, minor, scenario=Scenario.ORDER_CODE, **given)

    def hold(self, ref: str, minor: int = 1000, **given: Any) -> flows.Pay:
        return self.pay(ref, minor, capture_mode=CaptureMode.MANUAL, **given)

    def capture(
        self, ref: str, payment_id: UUID, minor: int, *, currency: str = "EUR", last: bool = False
    ) -> flows.Capture:
        return flows.Capture(
            merchant_id=self.merchant_id,
            client_ref=CLIENT,
            request_ref=ref,
            payment_id=payment_id,
            amount=Money(minor, currency),
            last=last,
        )

    def update(self, ref: str, payment_id: UUID, minor: int, currency: str = "EUR") -> flows.UpdateAmount:
        return flows.UpdateAmount(
            merchant_id=self.merchant_id,
            client_ref=CLIENT,
            request_ref=ref,
            payment_id=payment_id,
            amount=Money(minor, currency),
        )

    def refund(
        self,
        ref: str,
        payment_id: UUID,
        minor: int,
        currency: str = "EUR",
        capture_id: UUID | None = None,
    ) -> flows.Refund:
        return flows.Refund(
            merchant_id=self.merchant_id,
            client_ref=CLIENT,
            request_ref=ref,
            payment_id=payment_id,
            amount=Money(minor, currency),
            capture_id=capture_id,
        )

    def cancel(self, payment_id: UUID | None = None, ref: str | None = None) -> flows.Cancel:
        return flows.Cancel(
            merchant_id=self.merchant_id, client_ref=CLIENT, payment_id=payment_id, request_ref=ref
        )

    def do(self, *commands: flows.Command, now: datetime = NOW) -> list[flows.Outcome]:
        return flows.execute(commands, now, self.desk)

    def one(self, command: flows.Command, now: datetime = NOW) -> flows.Outcome:
        return self.do(command, now=now)[0]

    @property
    def purse(self) -> int:
        """What the wallet holds, in fen."""
        return ledger.balance(ledger.account_id(self.wallet_id, Role.WALLET, "CNY")).posted

    @property
    def available(self) -> int:
        """What the wallet may spend: what it holds less what is held for captures, in fen."""
        return ledger.balance(ledger.account_id(self.wallet_id, Role.WALLET, "CNY")).available

    def owed(self, currency: str = "EUR") -> int:
        """What the merchant is owed, in minor units."""
        return ledger.balance(ledger.account_id(self.merchant_id, Role.MERCHANT_PAYABLE, currency)).posted

    def held(self, currency: str = "EUR") -> int:
        """What is held for the merchant and not posted yet."""
        return ledger.balance(
            ledger.account_id(self.merchant_id, Role.MERCHANT_PAYABLE, currency)
        ).credits_pending


def record_rates() -> None:
    """The rates of the Friday before."""
    rates = {code: Decimal(rate) for code, rate in RATES.items()}
    fx.record_rates(DailyRates(date(2026, 11, 20), rates), NOW, "test")


def make_merchant(
    payment_currencies: Sequence[str] = ("EUR",), settlement: str = "EUR", margin_bps: int = 100
) -> UUID:
    merchant_id = new_id()
    acquiring.register_merchant(
        merchant_id,
        office_id=OPERATOR,
        ref=merchant_id.hex[-20:],
        name="Chocolaterie Sablon",
        mcc="5441",
        country="BE",
        now=NOW,
    )
    acquiring.open_contract(
        merchant_id,
        settlement_currency=settlement,
        payment_currencies=payment_currencies,
        margin_bps=margin_bps,
        now=NOW,
    )
    return merchant_id


def make_scene(
    balance: int = 1_000_000, limits: wallet.Limits | None = None, merchant_id: UUID | None = None
) -> Scene:
    """Rates, a merchant, and a traveller with `balance` fen who needs a PIN above 1,000.00 CNY."""
    if not fx.latest_table().per_euro:
        record_rates()
    wallet_id = new_id()
    limits = limits or wallet.Limits(no_pin=100_000, payment=500_000, day=2_000_000)
    wallet.open_wallet(wallet_id, new_id(), "李娜", pin=PIN, now=NOW, limits=limits)
    if balance:
        wallet.top_up(new_id(), wallet_id, Money(balance, "CNY"), NOW)
    enrolled = wallet.enroll_device(wallet_id, "phone", NOW)
    return Scene(merchant_id or make_merchant(), wallet_id, enrolled.number, enrolled.seed)


def assert_books_hold() -> None:
    """Everything agrees: the books, the payments, the wallets."""
    report = flows.verify_books()
    assert report.holds, report.first_difference
