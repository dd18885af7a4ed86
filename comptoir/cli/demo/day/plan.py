"""What happens on a shopping day: the same seed plans the same day.

A *story* is one customer at one counter. What comes of it is known beforehand, so that the day itself
is a test: whatever ends otherwise is reported.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import Final

from comptoir.cli.demo.cast import (
    FROZEN,
    LOW_LIMIT,
    MERCHANTS,
    NEARLY_EMPTY,
    TRAVELLERS,
    Good,
    Merchant,
    Store,
)


class Kind(Enum):
    """How a story goes. The value says it to people."""

    PAID = "paid with a code"
    REPEATED = "paid, and the till sent the same request again"
    REUSED_ID = "paid, and the till used the request id for another amount"
    CONFIRMED = "waits for the PIN, confirmed late"
    DECLINED = "waits for the PIN, declined"
    ORDERED = "an order code, scanned and confirmed"
    CASHIER = "paid online at the cashier"
    ABANDONED = "an order code that nobody scanned, cancelled"
    CANCELLED = "paid, then cancelled"
    REFUNDED = "paid, then refunded in full"
    REFUNDED_IN_PARTS = "paid, then refunded in parts, and once too much"
    EMPTY = "the wallet is empty"
    USED = "the code was used before"
    EXPIRED = "the code is minutes old"
    UNKNOWN = "nobody's code"
    OVER_LIMIT = "more than the wallet may pay at once"
    FROZEN = "the wallet is frozen"


#: How many of 200 stories go how; the rest is simply paid. On a small day each kind still happens once.
_SHARES: Final = {
    Kind.CONFIRMED: 10,
    Kind.DECLINED: 4,
    Kind.ORDERED: 10,
    Kind.CASHIER: 4,
    Kind.ABANDONED: 3,
    Kind.CANCELLED: 6,
    Kind.REFUNDED: 8,
    Kind.REFUNDED_IN_PARTS: 6,
    Kind.REPEATED: 6,
    Kind.REUSED_ID: 3,
    Kind.EMPTY: 4,
    Kind.USED: 4,
    Kind.EXPIRED: 4,
    Kind.UNKNOWN: 4,
    Kind.OVER_LIMIT: 4,
    Kind.FROZEN: 3,
}

#: Who comes for one kind of story only.
_ALWAYS: Final = {Kind.EMPTY: NEARLY_EMPTY, Kind.OVER_LIMIT: LOW_LIMIT, Kind.FROZEN: FROZEN}

#: So many times the usual price needs the PIN: more than 500 yuan, less than 20,000.
_LARGE: Final = range(5, 12)


@dataclass(frozen=True, slots=True)
class Story:
    """One customer at one counter. `amount` is in minor units of the merchant's currency."""

    number: int
    kind: Kind
    merchant: Merchant
    store: Store
    terminal: str
    login: str
    good: Good
    quantity: int
    amount: int

    @property
    def payments(self) -> int:
        """How many payments it makes: a used code was paid with before."""
        return 2 if self.kind is Kind.USED else 1


def plan(payments: int, seed: int) -> list[Story]:
    """A day of so many payments; one story may be two of them."""
    dice = random.Random(seed)  # noqa: S311 - a plan, not a secret
    shares = {kind: max(1, round(share * payments / 200)) for kind, share in _SHARES.items()}
    kinds = [kind for kind, share in shares.items() for _ in range(share)][:payments]
    kinds += [Kind.PAID] * (payments - len(kinds) - kinds.count(Kind.USED))
    dice.shuffle(kinds)
    return [_story(number, kind, dice) for number, kind in enumerate(kinds, 1)]


def shoppers() -> list[str]:
    """Logins of the travellers who come for anything."""
    return [one.login for one in TRAVELLERS if one.login not in _ALWAYS.values()]


def _story(number: int, kind: Kind, dice: random.Random) -> Story:
    merchant = dice.choice([one for one in MERCHANTS if not one.sandbox])
    store = dice.choice(merchant.stores)
    # The dearest goods of a shop are the ones that an empty wallet or a low limit surely refuses.
    dear = kind in (Kind.EMPTY, Kind.OVER_LIMIT, Kind.CONFIRMED, Kind.DECLINED)
    good = max(merchant.goods, key=lambda one: one.low) if dear else dice.choice(merchant.goods)
    quantity = dice.choice(_LARGE) if dear and kind is not Kind.EMPTY else 1
    price = dice.randint(max(good.low, good.high // 2) if dear else good.low, good.high)
    # Those who may pay 1,000 yuan without PIN are not asked for one often enough.
    logins = [one for one in shoppers() if kind not in (Kind.CONFIRMED, Kind.DECLINED) or _asks_early(one)]
    return Story(
        number=number,
        kind=kind,
        merchant=merchant,
        store=store,
        terminal=dice.choice(store.terminals),
        login=_ALWAYS.get(kind) or dice.choice(logins),
        good=good,
        quantity=quantity,
        amount=price * quantity,
    )


def _asks_early(login: str) -> bool:
    return any(one.login == login and one.without_pin <= 500 for one in TRAVELLERS)
