"""The numbers in docs/concepts/books.md are what the books say after the page's own payment."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from comptoir.acquiring.rules import refund_shares
from comptoir.acquiring.types import PaymentState, PaymentView, Product
from comptoir.fx.api import QuoteBook, RateTable, split
from comptoir.kernel.ids import OPERATOR, new_id
from comptoir.kernel.money import Money
from comptoir.ledger import api as ledger
from comptoir.ledger import errors
from comptoir.ledger.api import Phase, Role, Transfer
from tests.ledger import books

PAGE = (Path(__file__).parents[2] / "docs" / "concepts" / "books.md").read_text("utf-8")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
RATES = RateTable(date(2026, 10, 30), {"CNY": Decimal("7.4326")})
CHARGED, REFUNDED = Money(1000, "EUR"), Money(400, "EUR")
TRAVELLER, SHOP = new_id(), new_id()
ACCOUNTS = {
    "traveller's wallet": (TRAVELLER, Role.WALLET, "CNY", 0),
    "operator's wallet funding": (OPERATOR, Role.WALLET_FUNDING, "CNY", None),
    "operator's position in CNY": (OPERATOR, Role.FX_POSITION, "CNY", None),
    "operator's margin income": (OPERATOR, Role.FX_MARGIN, "CNY", None),
    "operator's position in EUR": (OPERATOR, Role.FX_POSITION, "EUR", None),
    "shop, payable": (SHOP, Role.MERCHANT_PAYABLE, "EUR", 0),
}
IDS = {
    name: ledger.account_id(owner, role, currency) for name, (owner, role, currency, _) in ACCOUNTS.items()
}
LEGS = [
    ("mid", "traveller's wallet", "operator's position in CNY"),
    ("margin", "traveller's wallet", "operator's margin income"),
    ("settlement", "operator's position in EUR", "shop, payable"),
]


def move(debit: str, credit: str, amount: Money, **other: object) -> Transfer:
    return books.transfer(
        IDS[debit], IDS[credit], amount.minor, currency=amount.currency, owner_id=SHOP, **other
    )


def columns() -> dict[str, str]:
    """Each account's posted balance, as the page writes it."""
    return {name: f"{Money(balance.posted, balance.currency).decimal()} {balance.currency}"
            for name, balance in ((name, ledger.balance(id)) for name, id in IDS.items())}  # fmt: skip


@pytest.mark.usefixtures("database")
def test_the_worked_payment_and_refund() -> None:
    for owner, role, currency, floor in ACCOUNTS.values():
        books.run(ledger.open_account(owner, role, currency, NOW, floor))
    ledger.post_now([move("operator's wallet funding", "traveller's wallet", Money(50000, "CNY"))])
    before = columns()

    quote = QuoteBook().quote(RATES, OPERATOR, "EUR", "CNY", 150, NOW)
    paid = split(CHARGED, quote)
    amounts = [paid.mid_part, paid.margin_part, CHARGED]
    legs = [move(debit, credit, amount) for (_, debit, credit), amount in zip(LEGS, amounts, strict=True)]
    ledger.post_now(legs)
    after = columns()

    back = refund_shares(payment(paid.total, paid.margin_part), REFUNDED)
    returned = [Money(back.mid, "CNY"), Money(back.margin, "CNY"), Money(back.settlement, "EUR")]
    ledger.post_now(
        [
            move(credit, debit, amount, reverses_id=leg.id)
            for (_, debit, credit), amount, leg in zip(LEGS, returned, legs, strict=True)
        ]
    )
    refunded = columns()

    for (name, debit, credit), amount, again in zip(LEGS, amounts, returned, strict=True):
        assert f"| {name} | {debit} | {credit} | {amount} | {again} |" in PAGE
    for name in ACCOUNTS:
        assert f"| {name} | {before[name]} | {after[name]} | {refunded[name]} |" in PAGE
    report = ledger.verify()
    assert report.differences == []
    for total in report.totals:
        debits = Money(total.debits_posted, total.currency).decimal()
        assert f"{total.currency}: debits {debits}, credits {debits}" in PAGE


@pytest.mark.usefixtures("database")
def test_the_worked_hold() -> None:
    till = books.account(ledger.Side.DEBIT)
    wallet, shop = books.account(floor=0), books.account()
    rows = []

    def step(what: str, one: Transfer, expected: str = "") -> None:
        refused = books.post(one).get(0, "")
        assert refused == expected
        balance = ledger.balance(wallet)
        answer = f"`{refused}`" if refused else "posted"
        amounts = [Money(number, "CNY").decimal() for number in (balance.posted, balance.available)]
        rows.append(f"| {what} | {answer} | {amounts[0]} | {amounts[1]} |")

    hold = books.transfer(wallet, shop, 6000, phase=Phase.PENDING)
    step("top-up of 100.00", books.transfer(till, wallet, 10000))
    step("hold of 60.00", hold)
    step("payment of 41.00", books.transfer(wallet, shop, 4100), errors.FLOOR)
    ended = {"owner_id": hold.owner_id, "pending_id": hold.id}
    step("25.00 of the hold posted", books.transfer(wallet, shop, 2500, phase=Phase.POST, **ended))
    step(
        "the hold voided",
        books.transfer(wallet, shop, 6000, phase=Phase.VOID, **ended),
        errors.PENDING_RESOLVED,
    )
    assert "\n".join(rows) in PAGE


def test_every_code_is_explained() -> None:
    for name, code in vars(errors).items():
        if name.isupper():
            assert f"| `{code}` |" in PAGE


def payment(total: Money, margin: Money) -> PaymentView:
    """The payment of the page, as the acquirer keeps it."""
    return PaymentView(
        id=UUID(int=1),
        merchant_id=SHOP,
        client_ref="",
        request_ref="",
        input_hash=b"",
        product=next(iter(Product)),
        scenario=None,
        amount=CHARGED,
        settlement=CHARGED,
        settlement_price=Decimal(1),
        state=next(iter(PaymentState)),
        created_at=NOW,
        expires_at=NOW,
        wallet_total=total,
        wallet_margin=margin,
    )
