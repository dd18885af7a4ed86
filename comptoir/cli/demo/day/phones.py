"""The travellers' side of the day: codes shown, orders scanned, payments approved and refused.

The phones work on the database, as the other demo commands do; the shops only ever use the API.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from comptoir.cli.demo.cast import TRAVELLERS
from comptoir.cli.demo.codes import devices_of, fresh_code
from comptoir.cli.demo.traveller import do
from comptoir.cli.demo.world import wallet_id
from comptoir.config.environment import Environment
from comptoir.flows.api import IN_PROCESS, Claim, Confirm, Decline, Outcome
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.standards import order_code, payment_code
from comptoir.standards.payment_code import Form
from comptoir.wallet import api as wallet

#: A code shown this long ago is surely refused, and still recognized as once good.
_TOO_OLD: Final = timedelta(minutes=3)


@dataclass
class Phones:
    """All travellers' phones and watches. Every code is given out once; safe for many threads."""

    environment: Environment
    pins: Mapping[str, str]

    def __post_init__(self) -> None:
        found = devices_of([wallet_id(one.login) for one in TRAVELLERS], utc_now())
        self._devices = {one.login: found[wallet_id(one.login)] for one in TRAVELLERS}

    def fill_wallets(self) -> None:
        """Top up who has shopped much of the money away, so that every day is like the first."""
        for one in TRAVELLERS:
            own, wanted = wallet_id(one.login), Money.of(one.yuan, "CNY")
            missing = wanted.minor - wallet.wallet_summary(own, utc_now()).available.minor
            if missing > wanted.minor // 2:
                wallet.top_up(new_id(), own, Money(missing, "CNY"), utc_now(), "Top-up before the day")

    def code(self, login: str, form: Form = Form.SHORT) -> str:
        """A fresh code of this traveller; waits for the next half minute when all are shown."""
        return fresh_code(self.environment.home, self._devices[login], form)

    def expired_code(self, login: str) -> str:
        """A code of this traveller that was good some minutes ago."""
        device = self._devices[login][0]
        return payment_code.build(
            Form.SHORT, device.number, device.seed, utc_now() - _TOO_OLD, secrets.randbelow(10)
        )

    def nobodys_code(self) -> str:
        """The form of a code, but of a device that never was: numbers begin at ten million."""
        return f"{payment_code.DEFAULT_PREFIX}00000000{secrets.randbelow(10**8):08d}"

    def scan(self, login: str, shown: str) -> UUID:
        """Scan an order code (its address); returns the payment that now waits for this traveller."""
        digits = order_code.validate(shown.rpartition("/")[2])
        claim = Claim(order_code=digits, wallet_id=wallet_id(login), device=self._devices[login][0].number)
        outcome = self._do(claim)
        if outcome.code != IN_PROCESS or outcome.payment is None:
            raise AssertionError(f"{login} cannot claim an order: {outcome.code}")
        return outcome.payment.id

    def approve(self, login: str, payment_id: UUID) -> str:
        """Approve a payment with the PIN; "ok", or the code of the refusal."""
        own = wallet_id(login)
        wallet.check_pin(own, self.pins[login], utc_now())
        phone = self._devices[login][0].number
        asked = _asked(own, payment_id)
        return self._do(Confirm(wallet_id=own, authorization_id=asked, device=phone)).code

    def decline(self, login: str, payment_id: UUID) -> bool:
        """Refuse a payment; whether nothing waits any more."""
        own = wallet_id(login)
        self._do(Decline(wallet_id=own, authorization_id=_asked(own, payment_id)))
        return all(one.payment_id != payment_id for one in wallet.waiting(own, utc_now()))

    def _do(self, command: Claim | Confirm | Decline) -> Outcome:
        return do([command], self.environment)[0]


def _asked(own: UUID, payment_id: UUID) -> UUID:
    """The authorization by which a payment waits for this traveller."""
    for one in wallet.waiting(own, utc_now()):
        if one.payment_id == payment_id:
            return one.id
    raise AssertionError(f"payment {payment_id.hex} does not wait for its traveller")
