"""One seed, one history: a town, our processes, a database, weather over all of it, and the proof at the end.

`run(seed)` is the whole of it. The same seed gives the same history to the byte, on any machine and in any
process: ids, random numbers, time and the order of everything come from the seed alone.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from types import SimpleNamespace
from uuid import UUID

import psycopg

from comptoir.db.sealed import seal
from comptoir.kernel.ids import OPERATOR, derived_id, new_id
from comptoir.ledger import api as ledger
from comptoir.ledger.api import Role, Transfer, account_id
from comptoir.wallet.api import IssuerDirectory
from comptoir.wallet.connectors.directory import IssuerEntry
from comptoir.wallet.queries.engine import SEED_PURPOSE
from tests.simulation import loop
from tests.simulation.chance import controlled, rare_collections
from tests.simulation.database import Database, Faults
from tests.simulation.machines import CLIENT, Connector, Gateway, WorkerProcess, weather
from tests.simulation.oracle import Oracle, Phone, Purse, Terms, Wrong, disputes
from tests.simulation.outside import ISSUER, PREFIX, Issuer, Servers
from tests.simulation.people import Town
from tests.simulation.proof import prove
from tests.simulation.statements import BooksWork, Store

#: Payments of one history, and the tills that make them.
PAYMENTS = 2000
TILLS = 400

#: What each till sells at least, about one a second: time enough for things to happen to each other.
SALES = 8

#: A phone has ten codes every half minute.
PHONES = 8

#: What a merchant that cannot pay is lent, in cents: more than can be claimed of it.
_LOAN = 10**10

#: Where merchants' money comes from and goes to.
_BANK = OPERATOR, Role.WALLET_FUNDING

#: What a digest is made of, beside the answers and the books.
_RECORDS = (
    "acquiring_payment", "acquiring_refund", "acquiring_capture", "acquiring_agreement",
    "acquiring_dispute", "acquiring_subscription", "wallet_authorization", "db_outbox", "fx_quote",
)  # fmt: skip

RATES = {"CNY": Decimal("7.9"), "JPY": Decimal("176"), "USD": Decimal("1.1")}


@dataclass
class Result:
    """What came of one history."""

    seed: int
    payments: int
    codes: Counter[str]
    faults: Counter[str]
    digest: str = ""


def run(
    seed: int,
    payments: int = PAYMENTS,
    *,
    digest: bool = False,
    show: bool = False,
    disputes: bool = True,
    subscriptions: bool = True,
) -> Result:
    """Live through one history; `show` prints its answers. Raises what went wrong first.

    `digest`: the result has a hash over everything that was answered and that stands in the end.
    Without `disputes` and `subscriptions` it is the history that the seed had before there were any.
    """
    with controlled(Random(f"{seed} ids")) as control, rare_collections():
        history = History(
            seed,
            payments,
            control,
            keeps_lines=digest or show,
            disputes=disputes,
            subscriptions=subscriptions,
        )
        try:
            result = loop.run(history.live())
        finally:
            if show:
                print("\n".join(history.town.lines))
        if digest:
            result.digest = history.digest()
        return result


class History:
    """Everything of one seed."""

    def __init__(
        self,
        seed: int,
        payments: int,
        control: SimpleNamespace,
        *,
        keeps_lines: bool,
        disputes: bool,
        subscriptions: bool,
    ) -> None:
        self.keeps_lines, self.disputes, self.subscriptions = keeps_lines, disputes, subscriptions
        self.seed, self.payments = seed, payments
        self.rng = Random(f"{seed} history")
        self.control = control
        self.begins = self._beginning()
        self._read = 0.0, self.begins
        self.faults: Counter[str] = Counter()

    def _beginning(self) -> datetime:
        """Some day; often shortly before midnight in China, where days and windows end."""
        day = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(days=self.rng.randint(0, 3))
        hour = self.rng.choice((timedelta(hours=15, minutes=59, seconds=30), timedelta(hours=16, minutes=14)))
        return day + (hour if self.rng.random() < 0.5 else timedelta(seconds=self.rng.randint(0, 57_000)))

    def now(self) -> datetime:
        """The simulated instant, to the microsecond."""
        seconds = asyncio.get_running_loop().time()
        if seconds != self._read[0]:
            self._read = seconds, self.begins + timedelta(microseconds=round(seconds * 1_000_000))
        return self._read[1]

    async def live(self) -> Result:
        """The whole history. Of all that went wrong, the first is raised: the rest follows from it."""
        try:
            return await self._live()
        except Exception:
            if self.oracle.failures:
                raise self.oracle.failures[0] from None
            raise

    async def _live(self) -> Result:
        """Some busy minutes, a quiet day, and the proof."""
        self.control.now = self.now
        merchants = self._build()
        town = self.town
        town.start(self._operator(merchants))
        town.start(self._weather())
        for _ in range(self.rng.randint(1, 6)):
            town.start(town.regulars.agree())
        if self.disputes:
            self._listen()
            town.start(town.claimants.day(self.payments))
        if self.subscriptions:
            town.start(town.subscribers.day(self.payments))
            fresh = asyncio.get_running_loop().create_task(self._rates())
        tills = max(min(TILLS, self.payments // SALES), 1)
        share, rest = divmod(self.payments, tills)
        await asyncio.gather(*(town.till(share + (number < rest)) for number in range(tills)))
        await self._afterwards(merchants)
        if self.subscriptions:
            fresh.cancel()
        prove(self.oracle, self.store, self.servers, self.issuer)
        for one in [*self.gateways, *self.workers]:
            await one.stop()
        return Result(self.seed, town.payments, self.oracle.codes, self.faults)

    async def _afterwards(self, merchants: Sequence[UUID]) -> None:
        """The evening, and the days in which everything that waits comes to its end."""
        town = self.town
        if self.disputes:
            await self._evening(merchants)
            await self._quiet(timedelta(hours=2))  # whoever is too poor to lose is asked again each hour
            await self._lend(merchants)
        await self._quiet(timedelta(hours=20))
        for last in (False, True):  # before authorizations lapse, and after
            await asyncio.sleep(self.rng.choice((60, 90_000)))
            await town.late()
            if self.subscriptions:
                await town.subscribers.late(last=last)
            if self.disputes:
                await town.claimants.late()
                await self._lend(merchants)
                await town.claimants.judge()
            await self._quiet(timedelta(days=30))

    # ------------------------------------------------------------ who is there

    def _build(self) -> list[UUID]:
        """The database, everybody around it, our processes, and the town; returns its merchants."""
        rng = self.rng
        self.store = Store()
        self.oracle = oracle = Oracle(self.store, RATES)
        self.database = Database(self.store, rng, Faults.drawn(rng))
        self.database.hit = oracle.failures
        self.issuer = Issuer(rng, self.now, oracle, rng.choice((0.0, 0.05, 0.2)))
        self.servers = Servers(rng, oracle)
        directory = IssuerDirectory(
            {ISSUER: IssuerEntry(connector="-", prefixes=[PREFIX])}, {ISSUER: self.issuer}
        )
        self.control.batch_of = oracle.batch
        self.control.failures = oracle.failures
        self.control.connector = Connector(self.database)
        merchants, addresses, seeds = self._found()
        self.gateways = [Gateway(self.database, self.now, directory) for _ in range(2)]
        self.workers = [
            WorkerProcess(
                self.database,
                self.now,
                directory,
                self.servers,
                disputes=self.disputes,
                subscriptions=self.subscriptions,
            )
            for _ in range(rng.choice((1, 1, 2)))
        ]
        trouble = rng.choice((0.0, 0.1, 0.3))
        self.town = Town(
            rng, self.now, oracle, self.gateways, merchants, addresses, seeds, trouble, self.seed
        )
        self.town.keeps_lines = self.keeps_lines
        return merchants

    def _found(self) -> tuple[list[UUID], dict[UUID, str | None], dict[int, bytes]]:
        """Rates, merchants with contracts, wallets with money and phones."""
        rng, work, store = self.rng, BooksWork(), self.store
        self._publish_rates(work)
        for role, currency in (
            (Role.FX_POSITION, "EUR"), (Role.FX_POSITION, "CNY"), (Role.FX_MARGIN, "CNY"),
            (Role.WALLET_FUNDING, "CNY"), (Role.WALLET_FUNDING, "EUR"),
        ):  # fmt: skip
            self._open(OPERATOR, role, currency, None, work)
        merchants = [self._merchant(number, work) for number in range(rng.randint(1, 4))]
        addresses: dict[UUID, str | None] = {}
        for number, merchant in enumerate(merchants):
            host = f"shop{number}.example"
            self.servers.temper[host] = rng.choice(("good", "good", "good", "good", "moody", "moody", "dead"))
            addresses[merchant] = f"https://{host}/n" if rng.random() < 0.9 else None
        seeds: dict[int, bytes] = {}
        crowded = rng.random() < 0.2
        for number in range(rng.randint(4, 24) if crowded else rng.randint(100, 400)):
            seeds |= self._wallet(number, work)
        store.commit(work)
        return merchants, addresses, seeds

    def _open(self, owner: UUID, role: Role, currency: str, floor: int | None, work: BooksWork) -> None:
        statement = ledger.open_account(owner, role, currency, self.begins, floor)
        self.store.run(statement.sql, statement.params, work)

    def _merchant(self, number: int, work: BooksWork) -> UUID:
        rng, id = self.rng, derived_id("merchant", str(number))
        floor = rng.choice((0, 0, -50_000))
        terms = Terms(rng.choice((0, 50, 100, 333)), ("EUR", "JPY"), rng.choice((20, 60, 600)), 840, 1, floor)
        self.oracle.terms[id] = terms
        self.store.table("acquiring_merchant").insert(
            {
                "id": id, "office_id": OPERATOR, "ref": f"M{number}", "name": f"Shop {number}", "mcc": "5441",
                "country": "BE", "status": "active", "created_at": self.begins,
            },
            work,
        )  # fmt: skip
        self.store.table("acquiring_contract").insert(
            {
                "merchant_id": id, "settlement_currency": "EUR", "payment_currencies": list(terms.currencies),
                "margin_bps": terms.margin_bps, "in_store_expiry_s": terms.in_store_s,
                "online_expiry_s": terms.online_s, "refund_window_days": terms.window_days,
                "created_at": self.begins,
            },
            work,
        )  # fmt: skip
        self._open(id, Role.MERCHANT_PAYABLE, "EUR", floor, work)
        return id

    def _wallet(self, number: int, work: BooksWork) -> dict[int, bytes]:
        rng, id = self.rng, derived_id("wallet", str(number))
        rich = rng.random() < 0.7
        purse = Purse(
            id,
            no_pin=rng.choice((0, 100_000, 10**9, 10**9)),
            most=rng.choice((300_000, 10**9)),
            day_limit=rng.choice((10**12, 10**12, 1_000_000)),
        )
        purse.most = min(purse.most, purse.day_limit)
        purse.no_pin = min(purse.no_pin, purse.most)
        self.oracle.purses[id] = purse
        self.store.table("wallet_wallet").insert(
            {
                "id": id, "holder_id": id, "display_name": "李娜", "currency": "CNY", "state": "active",
                "no_pin_limit": purse.no_pin, "payment_limit": purse.most, "day_limit": purse.day_limit,
                "created_at": self.begins,
            },
            work,
        )  # fmt: skip
        self._open(id, Role.WALLET, "CNY", 0, work)
        balance = rng.randint(10**9, 10**10) if rich else rng.randint(1, 5_000_000)
        transfer = _transfer(
            id,
            account_id(OPERATOR, Role.WALLET_FUNDING, "CNY"),
            account_id(id, Role.WALLET, "CNY"),
            balance,
            "CNY",
        )
        self._post(transfer, work)
        self.oracle.move((OPERATOR, Role.WALLET_FUNDING), (id, Role.WALLET), balance, "CNY")
        phones = {10_000_000 + PHONES * number + which: rng.randbytes(20) for which in range(PHONES)}
        for device, secret in phones.items():
            self.oracle.phones[device] = Phone(device, purse)
            self.store.table("wallet_device").insert(
                {
                    "number": device, "wallet_id": id, "name": "phone", "created_at": self.begins,
                    "sealed_seed": seal(secret, SEED_PURPOSE, str(device)),
                },
                work,
            )  # fmt: skip
        return phones

    def _post(self, transfer: Transfer, work: BooksWork) -> dict[int, str]:
        statement = ledger.post([transfer])
        return ledger.refusals(self.store.run(statement.sql, statement.params, work))

    # ------------------------------------------------------------ what happens

    async def _operator(self, merchants: Sequence[UUID]) -> None:
        """Pays merchants out now and then, so that some have too little left to give anything back."""
        connection = await self.database.connect()
        for number in range(self.rng.randint(0, 20)):
            await asyncio.sleep(self.rng.uniform(0.1, 3))
            merchant = self.rng.choice(merchants)
            if connection.closed:
                if not self.database.up:
                    continue
                connection = await self.database.connect()
            try:
                async with connection.transaction() as work:
                    await connection.execute(ledger.lock().sql)
                    self._pay_out(merchant, work, derived_id("payout", str(number)))
            except Exception:  # noqa: S112, the weather may break any connection
                continue

    def _pay_out(self, merchant: UUID, work: BooksWork, id: UUID | None = None) -> None:
        """All that the merchant has; in a transaction that has the books."""
        payable = merchant, Role.MERCHANT_PAYABLE
        account = self.store.books.accounts[account_id(*payable, "EUR")]
        if account.available > 0:
            self._move(payable, _BANK, account.available, work, id)

    async def _weather(self) -> None:
        rng, before = self.rng, 0.0
        for at, what in weather(rng, SALES / 2, rng.choice((0.0, 1.0, 2.0))):
            await asyncio.sleep(at - before)
            before = at
            self.faults[what] += 1
            if what == "database":
                self.database.crash(rng.uniform(0.1, 12))
            elif what == "worker":
                rng.choice(self.workers).kill(rng.uniform(0.1, 20))
            else:
                for gateway in self.gateways if what == "gateways" else [rng.choice(self.gateways)]:
                    gateway.kill(rng.uniform(0.1, 5))

    async def _quiet(self, longest: timedelta) -> None:
        """Nothing breaks any more, and time passes until nothing is left to do, or not for long."""
        ends = self.now() + longest
        for worker in self.workers:
            worker.rest(30)  # hours pass, and nobody is in a hurry
        await self._said()
        self.database.faults = Faults()
        for worker in self.workers:
            worker.rest(86_400)
        await asyncio.sleep(30)  # whoever was killed is back
        for _ in range(4000):
            if self.oracle.failures:
                raise self.oracle.failures[0]
            due = self.store.next_due()
            if due is None or due > ends:
                return
            # What falls due together is seen to together.
            await asyncio.sleep(max((due - self.now()).total_seconds(), 0) + 30)
            for worker in self.workers:
                worker.wake()
        raise Wrong("after days there is still something to do")

    async def _said(self) -> None:
        """Nobody has anything to ask any more."""
        while self.town.tasks and not self.oracle.failures:
            await asyncio.wait(list(self.town.tasks), return_when=asyncio.FIRST_COMPLETED)

    async def _rates(self) -> None:
        """The rates of each day: the same ones."""
        while True:
            await asyncio.sleep(86_400)
            work = BooksWork()
            self._publish_rates(work)
            self.store.commit(work)

    def _publish_rates(self, work: BooksWork) -> None:
        for currency, rate in RATES.items():
            row = {"rate_on": self.now().date(), "currency": currency, "per_euro": rate, "source": "x"}
            self.store.table("fx_reference_rate").insert(row, work)

    def _listen(self) -> None:
        """The API client may have an address too: for what is told of disputes whose payments have none."""
        rng = Random(f"{self.seed} listening")
        self.servers.temper["client.example"] = rng.choice((*["good"] * 7, "moody", "moody", "dead"))
        if rng.random() < 0.95:
            self.store.client_url = CLIENT, "https://client.example/n"

    async def _evening(self, merchants: Sequence[UUID]) -> None:
        """The shops are closed and paid out; what is disputed now they may have no money for."""

        def pay_out(work: BooksWork) -> None:
            for merchant in merchants:
                self._pay_out(merchant, work)

        with suppress(psycopg.Error):  # the weather: then they are not
            await self._with_books(pay_out)
        await self.town.claimants.evening(self.payments)

    async def _lend(self, merchants: Sequence[UUID]) -> None:
        """When all is said, the operator lends to whoever cannot pay what it may lose."""

        def lend(work: BooksWork) -> None:
            for merchant in merchants:
                if any(one.command.merchant_id == merchant for one in disputes.unpaid(self.oracle)):
                    self._move(_BANK, (merchant, Role.MERCHANT_PAYABLE), _LOAN, work)

        await self._said()
        await self._with_books(lend)

    async def _with_books(self, act: Callable[[BooksWork], None]) -> None:
        """The operator does something in a transaction of its own."""
        async with await self.database.connect() as connection, connection.transaction() as work:
            await connection.execute(ledger.lock().sql)
            act(work)

    def _move(
        self,
        source: tuple[UUID, Role],
        target: tuple[UUID, Role],
        cents: int,
        work: BooksWork,
        id: UUID | None = None,
    ) -> None:
        transfer = _transfer(
            id or new_id(), account_id(*source, "EUR"), account_id(*target, "EUR"), cents, "EUR"
        )
        if self._post(transfer, work):
            raise Wrong(f"the operator could not move {cents} from {source} to {target}")
        work.done.append(lambda _: self.oracle.move(source, target, cents, "EUR"))

    def digest(self) -> str:
        """A hash over all that was answered and all that stands in the end."""
        text = hashlib.sha256("\n".join(self.town.lines).encode())
        for name in _RECORDS:
            for row in self.store.table(name).rows.values():
                text.update(repr(row).encode())
        for id, account in sorted(self.store.books.accounts.items()):
            text.update(f"{id} {account.sums}".encode())
        return text.hexdigest()


def _transfer(id: UUID, debit: UUID, credit: UUID, amount: int, currency: str) -> Transfer:
    return Transfer(
        id=id, owner_id=OPERATOR, debit_id=debit, credit_id=credit, amount=amount, currency=currency,
        kind="simulation", subject_id=id,
    )  # fmt: skip
