"""The numbers in docs/concepts/money-and-rates.md are what the code computes."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from comptoir.fx.api import DEFAULT_MAX_AGE_DAYS, QuoteBook, RateTable, mid, split
from comptoir.kernel.ids import OPERATOR
from comptoir.kernel.money import Money

PAGE = (Path(__file__).parents[2] / "docs" / "concepts" / "money-and-rates.md").read_text("utf-8")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
TABLE = RateTable(
    date(2026, 10, 30),
    {
        "CNY": Decimal("7.4326"),
        "USD": Decimal("1.1172"),
        "JPY": Decimal("175.68"),
        "KRW": Decimal("1491.76"),
        "ISK": Decimal("136"),
        "IDR": Decimal("20275.17"),
        "HUF": Decimal("366.33"),
    },
)
CHARGED = Money(1250, "EUR")


def test_the_table_of_wallets() -> None:
    for currency in TABLE.per_euro.keys() - {"USD"}:
        quote = QuoteBook().quote(TABLE, OPERATOR, "EUR", currency, 150, NOW)
        legs = split(CHARGED, quote)
        cells = [
            f"{quote.mid:f}", f"{quote.price:f}", legs.total.decimal(), legs.mid_part.decimal(),
            legs.margin_part.decimal(),
        ]  # fmt: skip
        numbers = " | ".join(str(cell) for cell in cells)
        assert re.search(rf"\| {currency}[^|]* \| {re.escape(numbers)} \|", PAGE), (currency, numbers)


def test_the_worked_payment() -> None:
    quote = QuoteBook().quote(TABLE, OPERATOR, "EUR", "CNY", 150, NOW)
    legs = split(CHARGED, quote)
    for text in (
        f"| {quote.mid} |",
        f"| {quote.price} |",
        f"12.50 × mid = {Decimal('12.50') * quote.mid:.4f}",
        f"12.50 × price = {Decimal('12.50') * quote.price:.7f}",
        f"| {legs.mid_part} |",
        f"| {legs.total} |",
        f"| {legs.margin_part} |",
        f"operator's position in CNY | {legs.mid_part} |",
        f"operator's margin income | {legs.margin_part} |",
        f"shop, payable | {CHARGED} |",
        f"{mid(TABLE, 'USD', 'CNY').value} CNY",
        f"`COMPTOIR_FX_MAX_AGE_DAYS` ({DEFAULT_MAX_AGE_DAYS})",
    ):
        assert text in PAGE


def test_the_table_of_shares() -> None:
    for weights in ([1, 1, 1], [1, 2, 3]):
        shares = ", ".join(str(share.minor) for share in Money(100, "EUR").allocate(weights))
        assert f"| `{weights}` | {shares} |" in PAGE
