"""Travellers who let a shop debit them without being asked each time, and the shops that do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from comptoir.acquiring.api import Product
from comptoir.flows import agreements
from comptoir.flows import api as flows
from comptoir.kernel.money import Money
from tests.simulation.machines import CLIENT

if TYPE_CHECKING:
    from tests.simulation.people import Town


@dataclass
class Account:
    """A merchant and a wallet with an agreement, and the newest of its tokens as SHA-256."""

    id: UUID
    merchant_id: UUID
    purse: UUID
    access: bytes
    refresh: bytes


class Regulars:
    """The agreements of a town: few of them, so that many hands reach for the same one."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._open: list[Account] = []

    async def debit(self) -> None:
        """A shop debits a regular, perhaps a new one, perhaps while one of the two ends it."""
        rng, town = self._town.rng, self._town
        if not self._open or rng.random() < 0.2:
            town.start(self.agree())
        if not self._open:
            return
        account = rng.choice(self._open[-6:])
        pays = [self._pay(account) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
        pays += pays[:1] if rng.random() < 0.1 else []
        hands: list[flows.Command] = list(pays)
        if rng.random() < 0.08:
            ends: tuple[flows.Command, ...] = (
                flows.RevokeToken(merchant_id=account.merchant_id, access_hash=account.access),
                flows.EndAgreement(wallet_id=account.purse, agreement_id=account.id),
            )
            hands.insert(rng.randint(0, len(hands)), rng.choice(ends))
        if rng.random() < 0.1:
            hands.append(self._refresh(account))
        outcomes = await asyncio.gather(*(town.insist(one, 3) for one in hands))
        for command, outcome in zip(hands, outcomes, strict=True):
            paid = outcome.payment if outcome is not None else None
            if paid is not None and isinstance(command, flows.Pay) and rng.random() < 0.12:
                await town.regret(command, paid)

    async def agree(self) -> None:
        """A page is put up, a traveller approves (or does not), and the shop gets tokens."""
        rng, town = self._town.rng, self._town
        merchant, purse = rng.choice(town.merchants), rng.choice(town.purses)
        consent = f"{rng.getrandbits(128):032x}"
        asked = flows.OpenAgreement(
            id=UUID(consent),
            merchant_id=merchant,
            client_ref=CLIENT,
            consent_code=consent,
            grant_hash=agreements.digest(agreements.auth_code(consent)),
            state_ref=consent,
            method_type="CONNECT_WALLET",
            redirect_url="https://shop.example/r",
            notify_url=town.address_of(merchant),
        )
        if await town.insist(asked) is None:
            return
        limits = rng.choice(((None, None), (None, None), (50_000, 200_000), (200, 100), (30_000, 30_000)))
        yes = flows.ApproveAgreement(
            consent_code=consent, wallet_id=purse, payment_limit=limits[0], day_limit=limits[1]
        )
        other = flows.ApproveAgreement(consent_code=consent, wallet_id=rng.choice(town.purses))
        no = flows.DeclineAgreement(consent_code=consent)
        await asyncio.sleep(rng.choice((*[rng.uniform(0, 2)] * 9, 1900)))
        said = [one for one, chance in ((yes, 0.95), (other, 0.1), (no, 0.1)) if rng.random() < chance]
        outcomes = await asyncio.gather(*(town.insist(one) for one in said))
        await asyncio.sleep(rng.choice((*[rng.uniform(0, 1)] * 9, 700)))
        token = self._token(merchant, asked.grant_hash, refresh=False)
        applied = await asyncio.gather(*(town.insist(token) for _ in range(rng.choice((1, 1, 2)))))
        wallets = [
            one.agreement.wallet_id for one in outcomes if one is not None and one.agreement is not None
        ]
        holder = next((one for one in wallets if one is not None), None)
        if holder is not None and any(one is not None and one.code == flows.OK for one in applied):
            self._open.append(Account(asked.id, merchant, holder, token.access_hash, token.refresh_hash))

    def _token(self, merchant: UUID, grant: bytes, *, refresh: bool) -> flows.ApplyToken:
        pair = agreements.token_pair(grant, refresh=refresh)
        return flows.ApplyToken(
            merchant_id=merchant,
            refresh=refresh,
            grant_hash=grant,
            access_hash=agreements.digest(pair.access),
            refresh_hash=agreements.digest(pair.refresh),
        )

    def _refresh(self, account: Account) -> flows.ApplyToken:
        """New tokens. The old ones are used on until somebody notices."""
        token = self._token(account.merchant_id, account.refresh, refresh=True)
        fresh = Account(account.id, account.merchant_id, account.purse, token.access_hash, token.refresh_hash)
        self._open = [*self._open[-20:], fresh]
        return token

    def _pay(self, account: Account) -> flows.Pay:
        town = self._town
        return flows.Pay(
            merchant_id=account.merchant_id,
            client_ref=CLIENT,
            request_ref=f"R{next(town.numbers)}",
            product=Product.AGREEMENT,
            scenario=None,
            amount=Money(town.rng.choice((town.rng.randint(50, 3000), town.rng.randint(50, 10_000))), "EUR"),
            method_type="CONNECT_WALLET",
            token_hash=account.access,
            notify_url=town.address_of(account.merchant_id),
        )
