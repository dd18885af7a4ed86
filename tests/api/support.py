"""The product as it runs in production: gateways, worker and database as processes of their own.

A `House` starts them over one database, and makes shops with tills and travellers with phones through
the contexts' own doors. What it has started it can kill -9, stop, and start again on the same port.
"""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.db import connections

from comptoir.acquiring import api as acquiring
from comptoir.cli.processes import die_with_parent
from comptoir.cli.tls import ServerCertificate
from comptoir.flows import api as flows
from comptoir.fx import api as fx
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import OPERATOR, new_id
from comptoir.kernel.money import Money
from comptoir.ledger import api as ledger
from comptoir.ledger.api import Role
from comptoir.standards.antom import signing
from comptoir.standards.ecb_rates import DailyRates
from comptoir.standards.payment_code import Form, build, window_of
from comptoir.wallet import api as wallet
from tests.api.till import PlatformKeys, Till
from tests.cli.processes import free_port, wait_for

ROOT = Path(__file__).parents[2]
PIN = "204681"
CURRENCIES = ("EUR", "JPY", "IDR", "USD")
#: 1 EUR is 8 CNY; with the margin of 1 percent the traveller pays 8.08.
RATES = {"CNY": "8", "JPY": "160", "USD": "1.1", "IDR": "20000"}

T = TypeVar("T")


class Server:
    """`comptoir <arguments>` as a process group of its own, with its log in a file."""

    def __init__(
        self, log: Path, environment: dict[str, str], ready: Callable[[], bool], *command: str
    ) -> None:
        self.log = log
        self._environment = environment
        self._ready = ready
        self._command = [sys.executable, "-m", "comptoir.cli.main", *command]
        self._process: subprocess.Popen[bytes] | None = None
        self._logged = 0

    def start(self) -> None:
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start, without waiting until it is ready. From the main thread: it dies with its thread."""
        with self.log.open("ab") as log:
            self._logged = log.tell()
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - one prctl, no lock is taken
            )

    def wait_ready(self) -> None:
        wait_for(lambda: self._ready() or not self.running)
        assert self.running, self.log.read_text()

    def said(self) -> bytes:
        """What it has logged since it was started last."""
        return self.log.read_bytes()[self._logged :]

    @property
    def up(self) -> bool:
        """Whether it runs and has said that it is ready."""
        return self.running and self._ready()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """To the whole group: the server and the processes that it has forked."""
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """kill -9, all at once."""
        if self.running:
            self.signal(signal.SIGKILL)
            assert self._process is not None
            self._process.wait(10)

    def terminate(self) -> None:
        """Ask to stop, as a service manager does."""
        if self._process is not None and self.running:
            self._process.terminate()

    def stop(self) -> None:
        """Ask to stop, and wait for it."""
        if self._process is None or not self.running:
            return
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass
class Traveller:
    """A wallet in CNY and as many phones as it takes: each has ten codes in half a minute."""

    wallet_id: UUID
    phones: list[tuple[int, bytes]] = field(repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _window: int = 0
    _shown: int = 0

    def code(self) -> str:
        """A code that was never shown before. Safe to call from many threads."""
        now = utc_now()
        with self._lock:
            if window_of(now) != self._window:
                self._window, self._shown = window_of(now), 0
            phone, n = divmod(self._shown, 10)
            self._shown += 1
        assert phone < len(self.phones), "the traveller needs more phones"
        number, seed = self.phones[phone]
        return build(Form.SHORT, number, seed, now, n)

    @property
    def purse(self) -> int:
        """What the wallet holds, in fen."""
        return self._account.posted

    @property
    def available(self) -> int:
        """What the wallet may spend: what it holds less what is held for captures, in fen."""
        return self._account.available

    @property
    def _account(self) -> ledger.Balance:
        return ledger.balance(ledger.account_id(self.wallet_id, Role.WALLET, "CNY"))

    def waiting(self) -> list[UUID]:
        """The authorizations that wait for this traveller's word."""
        return [one.id for one in wallet.waiting(self.wallet_id, utc_now())]


@dataclass
class Shop:
    """A merchant that takes EUR, JPY, IDR and USD and is paid out in EUR, and its till."""

    merchant_id: UUID
    till: Till

    @property
    def owed(self) -> int:
        """What the merchant is owed, in euro cents."""
        return self._account.posted

    @property
    def held(self) -> int:
        """What is held for the merchant and not posted, in euro cents."""
        return self._account.credits_pending

    @property
    def _account(self) -> Any:
        return ledger.balance(ledger.account_id(self.merchant_id, Role.MERCHANT_PAYABLE, "EUR"))


class House:
    """The processes over one database. Django's connection of the test points at the same one."""

    def __init__(self, url: str, folder: Path, rates_on: date | None = None, **variables: str) -> None:
        self.url, self.folder = url, folder
        self.variables = variables
        self.servers: list[Server] = []
        self.ports: list[int] = []
        self._tills: list[Till] = []
        now = utc_now()
        self.record_rates(rates_on or now.date())
        platform = identity.ensure_platform_key(now=now)
        self.platform_key: PlatformKeys = signing.public_key_from_der(platform.public_key)
        self.key = signing.generate_key()

    def record_rates(self, on: date) -> None:
        fx.record_rates(
            DailyRates(on, {code: Decimal(rate) for code, rate in RATES.items()}), utc_now(), "test"
        )

    # ------------------------------------------------------------ processes

    def gateway(self, *arguments: str, wait: bool = True, drain: int = 0, **variables: str) -> Server:
        """Start a gateway. Every till made from now on speaks to it in turn with the others."""
        port = free_port()
        command = ("serve", "gateway", "--drain", str(drain), "--port", str(port), *arguments)
        server = Server(
            self.folder / f"gateway-{port}.log",
            self._environment(variables),
            lambda: _healthy(port),
            *command,
        )
        self.ports.append(port)
        return self._begin(server, wait)

    def gateway_tls(self, host: str, files: ServerCertificate, port: int = 443) -> Server:
        """Start a gateway that speaks TLS on a port of an address of this machine."""
        command = ("serve", "gateway", "--drain", "0", "--host", host, "--port", str(port))
        secured = ("--tls-cert", str(files.chain), "--tls-key", str(files.key))

        def listens() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex((host, port)) == 0

        server = Server(self.folder / "tls.log", self._environment({}), listens, *command, *secured)
        return self._begin(server, wait=True)

    def worker(self, *, wait: bool = True, **variables: str) -> Server:
        """Start a worker."""
        log = self.folder / f"worker-{len(self.servers)}.log"
        server = Server(
            log, self._environment(variables), lambda: b"worker.started" in server.said(), "worker"
        )
        return self._begin(server, wait)

    def _begin(self, server: Server, wait: bool) -> Server:
        server.launch()
        self.servers.append(server)
        if wait:
            server.wait_ready()
        return server

    def close(self) -> None:
        for till in self._tills:
            till.close()
        for server in self.servers:
            server.terminate()
        for server in self.servers:
            server.stop()

    def _environment(self, variables: dict[str, str]) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("COMPTOIR_")}
        return {
            **kept,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "COMPTOIR_HOME": str(self.folder),
            "COMPTOIR_MASTER_KEY": base64.b64encode(settings.COMPTOIR.require_master_key()).decode(),
            "COMPTOIR_FX_MAX_AGE_DAYS": "3650",
            "COMPTOIR_NOTIFY_PRIVATE": "1",
            "DATABASE_URL": self.url,
            **self.variables,
            **variables,
        }

    # ------------------------------------------------------------ people

    def shop(
        self, *, ports: Sequence[int] = (), notify_url: str | None = None, sandbox: bool = False
    ) -> Shop:
        """A new merchant whose till speaks to `ports` (default: all shared gateways)."""
        now, merchant_id = utc_now(), new_id()
        acquiring.register_merchant(
            merchant_id, office_id=OPERATOR, ref=merchant_id.hex[-20:], name="Chocolaterie Sablon",
            mcc="5441", country="BE", now=now, sandbox=sandbox,
        )  # fmt: skip
        acquiring.open_contract(
            merchant_id, settlement_currency="EUR", payment_currencies=CURRENCIES, margin_bps=100, now=now
        )
        prefix = "SANDBOX_" if sandbox else ""
        return Shop(merchant_id, self.till(merchant_id, ports=ports, notify_url=notify_url, prefix=prefix))

    def till(
        self,
        merchant_id: UUID,
        *,
        key: rsa.RSAPrivateKey | None = None,
        ports: Sequence[int] = (),
        notify_url: str | None = None,
        prefix: str = "",
    ) -> Till:
        """A new API client of a merchant."""
        key = key or self.key
        client_ref = prefix + "5Y" + new_id().hex[-14:].upper()
        identity.register_client(
            client_ref, merchant_id, signing.export_public_key(key.public_key()), now=utc_now()
        )
        till = Till(client_ref, key, self.platform_key, list(ports) or list(self.ports), notify_url)
        self._tills.append(till)
        return till

    def traveller(self, fen: int = 1_000_000, *, phones: int = 3, no_pin: int = 10_000_000) -> Traveller:
        """A new wallet with `fen` in it, that pays up to `no_pin` fen without asking."""
        now, wallet_id = utc_now(), new_id()
        limits = wallet.Limits(no_pin=no_pin, payment=10_000_000, day=1_000_000_000)
        wallet.open_wallet(wallet_id, new_id(), "李娜", pin=PIN, now=now, limits=limits)
        wallet.top_up(new_id(), wallet_id, Money(fen, "CNY"), now)
        enrolled = [wallet.enroll_device(wallet_id, f"phone {n}", now) for n in range(phones)]
        return Traveller(wallet_id, [(one.number, one.seed) for one in enrolled])

    def do(self, *commands: flows.Command, now: datetime | None = None) -> list[flows.Outcome]:
        """What a wallet's own door does: commands in a batch of their own, beside the gateways'."""
        return flows.execute(commands, now or utc_now(), flows.Desk(3650))

    # ------------------------------------------------------------ the books

    def assert_holds(self) -> None:
        """Everything agrees: the books, the payments, the wallets."""
        connections.close_all()
        report = flows.verify_books()
        assert report.holds, report.first_difference

    def books(self) -> tuple[Any, ...]:
        """Every account's balances, and how many payments, refunds and transfers there are."""
        with psycopg.connect(self.url) as connection:
            accounts = connection.execute(
                "SELECT id, debits_posted, credits_posted, debits_pending, credits_pending"
                " FROM ledger_account WHERE debits_posted + credits_posted + debits_pending"
                " + credits_pending > 0 ORDER BY id"
            ).fetchall()
            counts = connection.execute(
                "SELECT (SELECT count(*) FROM acquiring_payment), (SELECT count(*) FROM acquiring_refund),"
                " (SELECT count(*) FROM ledger_transfer)"
            ).fetchone()
        return accounts, counts

    @contextmanager
    def unmoved(self) -> Iterator[None]:
        """Nothing may have moved, and nothing been recorded, when this ends."""
        before = self.books()
        yield
        assert self.books() == before
        self.assert_holds()

    def hurry(self, topic: str = "issuer.", *, leases: bool = False) -> None:
        """Let the time pass that the work of a topic still has to wait; `leases`: of dead workers too."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "UPDATE db_outbox SET due_at = now() WHERE topic LIKE %s AND due_at > now()"
                " AND done_at IS NULL AND leased_until IS NULL",
                (f"{topic}%",),
            )
            if leases:
                connection.execute(
                    "UPDATE db_outbox SET leased_until = now() WHERE topic LIKE %s AND leased_until > now()"
                    " AND done_at IS NULL",
                    (f"{topic}%",),
                )

    def outbox(self, topic: str, done: bool) -> int:
        """How many items of a topic are done, or still to be done."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(
                "SELECT count(*) FROM db_outbox WHERE topic LIKE %s AND (done_at IS NOT NULL) = %s"
                " AND dead_at IS NULL",
                (f"{topic}%", done),
            ).fetchone()
        return int(row[0]) if row else 0


def together(work: Sequence[Callable[[], T]]) -> list[T]:
    """Do everything at the same moment, each in a thread of its own; the results, in order."""
    gate = threading.Barrier(len(work))

    def run(one: Callable[[], T]) -> T:
        gate.wait()
        try:
            return one()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def pause(seconds: float) -> None:
    time.sleep(seconds)
