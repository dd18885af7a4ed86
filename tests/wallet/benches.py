"""The benches on which connectors are tested: a scripted issuer, and a Comptoir that holds the wallets.

`WalletHouse` is a Comptoir with three travellers and an acquirer that is its client. Its own wallet is
asked directly (`OwnWallet`) or through its API, over ASGI in this process, with faults on the way
(`UpstreamBench`).
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connections

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentState, PaymentView, Product, RefundState, Scenario
from comptoir.config import machines
from comptoir.flows import api as flows
from comptoir.fx import api as fx
from comptoir.gateway.app import create_app
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import OPERATOR, new_id
from comptoir.kernel.money import Money
from comptoir.standards.antom import signing
from comptoir.standards.ecb_rates import DailyRates
from comptoir.wallet import api as wallet
from comptoir.wallet.api import (
    OWN_ISSUER,
    AnswerState,
    AuthoriseRequest,
    Authorization,
    IssuerAnswer,
    IssuerConnector,
    RefundRequest,
)
from comptoir.wallet.connectors.upstream import UpstreamConnector
from tests.wallet.conformance import Fault, Holder
from tests.wallet.scripted_issuer import Act, ScriptedIssuer

T = TypeVar("T")
UNKNOWN = IssuerAnswer(state=AnswerState.UNKNOWN)
PHONES = 12


async def aside(function: Callable[..., T], *arguments: Any) -> T:
    """Run what uses Django's ORM, which belongs to threads without an event loop."""

    def run() -> T:
        try:
            return function(*arguments)
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


# ---------------------------------------------------------------- the scripted issuer


class ScriptedBench:
    """The scripted issuer as its own bench."""

    _ACTS = {Fault.REQUEST_LOST: Act.LOST, Fault.ANSWER_LOST: Act.ANSWER_LOST, Fault.SILENCE: Act.ANSWER_LOST}
    _VERBS = ("authorise", "query", "reverse", "refund")

    def __init__(self, path: str) -> None:
        self._path = path
        self.connector = ScriptedIssuer(path)
        self._codes: dict[str, dict[str, list[Act]]] = {}

    async def code(self, holder: Holder) -> str:
        code = f"2577{new_id().int % 10**14:014d}"
        act = {Holder.RICH: Act.PLAIN, Holder.POOR: Act.REFUSE, Holder.ASKED: Act.ASK}[holder]
        self._codes[code] = {"authorise": [act]}
        self.connector.script(code, authorise=[act])
        return code

    async def decide(self, authorization_id: UUID, approved: bool) -> None:
        self.connector.decide(authorization_id, approved)

    async def moved(self, authorization_id: UUID) -> int:
        return self.connector.moved(authorization_id)

    @contextmanager
    def fault(self, fault: Fault) -> Iterator[None]:
        for code in self._codes:
            self.connector.script(code, **{verb: [self._ACTS[fault]] for verb in self._VERBS})
        yield
        for code, acts in self._codes.items():
            self.connector.script(code, **({verb: [Act.PLAIN] for verb in self._VERBS} | acts))

    async def another(self) -> IssuerConnector:
        return ScriptedIssuer(self._path)


# ---------------------------------------------------------------- a Comptoir that holds the wallets


@dataclass
class WalletHouse:
    """The other side: travellers' wallets, and an acquirer's client. Its functions use Django's ORM."""

    key: rsa.RSAPrivateKey = field(default_factory=signing.generate_key, repr=False)
    merchant_id: UUID = field(default_factory=new_id)
    devices: dict[Holder, itertools.cycle[int]] = field(default_factory=dict)
    wallets: dict[Holder, UUID] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client_ref = "5Y" + self.merchant_id.hex[-14:].upper()

    def build(self) -> None:
        now = utc_now()
        fx.record_rates(DailyRates(date.today(), {"CNY": Decimal("8")}), now, "test")  # noqa: DTZ011
        identity.ensure_platform_key(now=now)
        acquiring.register_merchant(
            self.merchant_id, office_id=OPERATOR, ref=self.client_ref, name="Acquirer SA", mcc="6012",
            country="BE", now=now,
        )  # fmt: skip
        acquiring.open_contract(
            self.merchant_id, settlement_currency="EUR", payment_currencies=["EUR"], margin_bps=0, now=now
        )
        identity.register_client(
            self.client_ref, self.merchant_id, signing.export_public_key(self.key.public_key()), now=now,
            acquirer=True,
        )  # fmt: skip
        for holder, fen, no_pin in (
            (Holder.RICH, 10_000_000, 10_000_000), (Holder.POOR, 0, 10_000_000),
            (Holder.ASKED, 10_000_000, 0),
        ):  # fmt: skip
            limits = wallet.Limits(no_pin=no_pin, payment=10_000_000, day=100_000_000)
            wallet_id = self.wallets[holder] = new_id()
            wallet.open_wallet(wallet_id, new_id(), "李娜", pin="204681", now=now, limits=limits)
            if fen:
                wallet.top_up(new_id(), wallet_id, Money(fen, "CNY"), now)
            phones = [wallet.enroll_device(wallet_id, f"phone {n}", now).number for n in range(PHONES)]
            self.devices[holder] = itertools.cycle(phones)

    def do(self, command: flows.Command, now: datetime | None = None) -> flows.Outcome:
        return flows.execute([command], now or utc_now(), flows.Desk(3650))[0]

    def code(self, holder: Holder) -> str:
        return wallet.payment_code_for(next(self.devices[holder]), utc_now()).digits

    def decide(self, authorization_id: UUID, approved: bool) -> None:
        """`authorization_id` is the asker's; our own is its payment's."""
        payment = self.payment(authorization_id)
        assert payment is not None
        assert payment.authorization_id is not None
        word = flows.Confirm if approved else flows.Decline
        self.do(word(wallet_id=self.wallets[Holder.ASKED], authorization_id=payment.authorization_id))

    def payment(self, authorization_id: UUID) -> PaymentView | None:
        from comptoir.db.run import read

        key = (self.merchant_id, self.client_ref, authorization_id.hex)
        return next(iter(acquiring.decode_payments(read(acquiring.payments_by_request([key])))), None)

    def moved(self, authorization_id: UUID) -> int:
        found = self.payment(authorization_id)
        if found is None or found.state is not PaymentState.SUCCESS:
            return 0
        return found.amount.minor - found.refunded

    def assert_holds(self) -> None:
        report = flows.verify_books()
        assert report.holds, report.first_difference

    def account(self, url: str, family: wallet.UpstreamFamily) -> wallet.UpstreamAccount:
        return wallet.UpstreamAccount(
            name="NEXT",
            family=family,
            url=url,
            client_ref=self.client_ref,
            key_version=1,
            private_key=signing.private_der(self.key),
            their_public_key=identity.platform_key().public_key,
        )


class HouseBench:
    """What all benches over a `WalletHouse` share."""

    def __init__(self, house: WalletHouse, connector: IssuerConnector) -> None:
        self.house = house
        self.connector = connector

    async def code(self, holder: Holder) -> str:
        return await aside(self.house.code, holder)

    async def decide(self, authorization_id: UUID, approved: bool) -> None:
        await aside(self.house.decide, authorization_id, approved)

    async def moved(self, authorization_id: UUID) -> int:
        return await aside(self.house.moved, authorization_id)


# ---------------------------------------------------------------- its own wallet, asked directly


class OwnWallet:
    """Our own wallet behind the interface: what it would be as one more connector (see decision 0007)."""

    def __init__(self, house: WalletHouse) -> None:
        self._house = house
        self.fault: Fault | None = None

    async def authorise(self, request: AuthoriseRequest) -> IssuerAnswer:
        command = flows.Pay(
            merchant_id=self._house.merchant_id, client_ref=self._house.client_ref,
            code=request.code, issuer=OWN_ISSUER, amount=request.charge, product=Product.IN_STORE,
            request_ref=request.authorization_id.hex,
            scenario=Scenario.PAYMENT_CODE, method_type="CONNECT_WALLET", expires_at=request.expires_at,
        )  # fmt: skip
        return await self._do(lambda: self._stands(self._house.do(command).payment))

    async def query(self, asked: Authorization) -> IssuerAnswer:
        return await self._do(lambda: self._stands(self._house.payment(asked.authorization_id)))

    async def reverse(self, asked: Authorization) -> IssuerAnswer:
        command = flows.Cancel(
            merchant_id=self._house.merchant_id,
            client_ref=self._house.client_ref,
            request_ref=asked.authorization_id.hex,
        )

        def work() -> IssuerAnswer:
            outcome = self._house.do(command)
            over = outcome.payment is None and utc_now() > asked.expires_at
            return IssuerAnswer(state=AnswerState.SUCCEEDED) if outcome.code == flows.OK or over else UNKNOWN

        return await self._do(work)

    async def refund(self, request: RefundRequest) -> IssuerAnswer:
        command = flows.Refund(
            merchant_id=self._house.merchant_id, client_ref=self._house.client_ref,
            request_ref=request.refund_id.hex, payment_id=UUID(request.issuer_ref), amount=request.amount,
        )  # fmt: skip

        def work() -> IssuerAnswer:
            given = self._house.do(command).refund
            if given is None:
                return UNKNOWN
            if given.state is RefundState.FAIL:
                return IssuerAnswer(state=AnswerState.FAILED, code=given.failure_code)
            return IssuerAnswer(state=AnswerState.SUCCEEDED, issuer_ref=given.id.hex)

        return await self._do(work)

    async def aclose(self) -> None:
        """Nothing is held."""

    async def _do(self, work: Callable[[], IssuerAnswer]) -> IssuerAnswer:
        if self.fault is Fault.REQUEST_LOST:
            return UNKNOWN
        answer = await aside(work)
        return UNKNOWN if self.fault else answer

    @staticmethod
    def _stands(payment: PaymentView | None) -> IssuerAnswer:
        match payment.state if payment else None:
            case PaymentState.SUCCESS if payment:
                return IssuerAnswer(state=AnswerState.SUCCEEDED, issuer_ref=payment.id.hex)
            case PaymentState.PROCESSING:
                return IssuerAnswer(state=AnswerState.PENDING)
            case PaymentState.CANCELLED:
                return IssuerAnswer(state=AnswerState.FAILED, code=wallet.errors.CANCELLED)
            case PaymentState.FAIL if payment:
                return IssuerAnswer(state=AnswerState.FAILED, code=payment.failure_code or "wallet.refused")
        return UNKNOWN


class OwnBench(HouseBench):
    """The bench of `OwnWallet`."""

    connector: OwnWallet

    @contextmanager
    def fault(self, fault: Fault) -> Iterator[None]:
        self.connector.fault = fault
        yield
        self.connector.fault = None

    async def another(self) -> IssuerConnector:
        return OwnWallet(self.house)


# ---------------------------------------------------------------- its own wallet, through its API


class FaultyTransport(httpx.AsyncBaseTransport):
    """Carries requests to an application in this process, with faults; `change` rewrites its answers."""

    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app=app)
        self.fault: Fault | None = None
        self.change: Callable[[httpx.Request, httpx.Response], httpx.Response] | None = None
        self.paths: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        if self.fault is Fault.REQUEST_LOST:
            raise httpx.ConnectError("lost, as scripted")
        answer = await self._inner.handle_async_request(request)
        if self.fault is Fault.ANSWER_LOST:
            raise httpx.ReadError("lost, as scripted")
        if self.fault is Fault.SILENCE:
            await asyncio.Event().wait()
        if self.change is None:
            return answer
        await answer.aread()
        changed = self.change(request, answer)
        return httpx.Response(
            changed.status_code, headers=changed.headers, stream=httpx.ByteStream(changed.content)
        )


class UpstreamBench(HouseBench):
    """An upstream connector, and the Comptoir behind it."""

    def __init__(
        self, house: WalletHouse, account: wallet.UpstreamAccount, transport: FaultyTransport
    ) -> None:
        self.account, self.transport = account, transport
        super().__init__(house, UpstreamConnector(account, "http://localhost:1", transport=transport))

    @contextmanager
    def fault(self, fault: Fault) -> Iterator[None]:
        self.transport.fault = fault
        yield
        self.transport.fault = None

    async def another(self) -> IssuerConnector:
        return UpstreamConnector(self.account, "http://localhost:1", transport=self.transport)


@asynccontextmanager
async def upstream_bench(database_url: str, family: wallet.UpstreamFamily) -> AsyncIterator[UpstreamBench]:
    """A Comptoir over a database, in this process, and a connector to it."""
    house = WalletHouse()
    await aside(house.build)
    app = create_app(database_url=database_url, start=machines.start)
    account = await aside(house.account, "http://localhost", family)
    async with app.router.lifespan_context(app):
        bench = UpstreamBench(house, account, FaultyTransport(app))
        yield bench
        await bench.connector.aclose()
    await aside(house.assert_holds)
