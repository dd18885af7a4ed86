"""A door with a fake operation behind it, a client that signs as the SDKs do, and raw ASGI between them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from com.alipay.ams.api import default_alipay_client as sdk
from com.alipay.ams.api.tools.signature_tool import verify as sdk_verify
from cryptography.hazmat.primitives.asymmetric import rsa

from comptoir.config import machines
from comptoir.gateway.api_keys import ApiKeys
from comptoir.gateway.app import create_app
from comptoir.gateway.call import Call
from comptoir.gateway.clients import Clients
from comptoir.gateway.door import Door, Limits
from comptoir.gateway.signer import Signer
from comptoir.identity import api as identity
from comptoir.identity.api import ClientKeyView, ClientStatus, ClientView
from comptoir.standards.antom import signing
from comptoir.standards.antom.messages import Codec, PayRequest, PayResponse, Result
from comptoir.standards.antom.results import ResultCode
from tests.conftest import Database

from .shop import Shop, aside, now
from .world import make_world

NOW = datetime(2026, 11, 23, 9, 20, 36, tzinfo=UTC)
TIME = "2026-11-23T09:20:36+00:00"
PAY = "/ams/api/v1/payments/pay"
CLIENT = "5Y0000000000001"

BODY = json.dumps(
    {
        "productCode": "IN_STORE_PAYMENT",
        "paymentRequestId": "R1",
        "order": {
            "referenceOrderId": "O1",
            "orderDescription": "巧克力 é",
            "orderAmount": {"currency": "EUR", "value": "1250"},
        },
        "paymentAmount": {"currency": "EUR", "value": "1250"},
        "paymentMethod": {"paymentMethodType": "CONNECT_WALLET", "paymentMethodId": "281010897274821897"},
        "paymentFactor": {"inStorePaymentScenario": "PaymentCode"},
    },
    indent=3,
).encode()

_PAY_REQUEST = Codec(PayRequest)


@dataclass
class Reply:
    """What came back, as a client sees it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: str) -> str:
        """The one header of exactly this spelling."""
        [value] = [value for key, value in self.headers if key == name.encode()]
        return value.decode()

    @property
    def result(self) -> dict[str, str]:
        """The result of the body."""
        found: dict[str, str] = json.loads(self.body)["result"]
        return found


@dataclass(repr=False)
class Till:
    """A client of the door: its keys, and the platform's public key to check answers with."""

    keys: dict[int, rsa.RSAPrivateKey]
    platform_public_key: str

    def headers(
        self,
        body: bytes,
        *,
        path: str = PAY,
        client_id: str = CLIENT,
        time: str = TIME,
        version: int = 1,
        key: rsa.RSAPrivateKey | None = None,
    ) -> list[tuple[bytes, bytes]]:
        """The signed headers of a request, as a server hands them to an application."""
        encoded = signing.sign(
            key or self.keys[version], signing.content_to_sign(path, client_id, time, body)
        )
        return [
            (b"content-type", b"application/json; charset=UTF-8"),
            (b"request-time", time.encode()),
            (b"client-id", client_id.encode()),
            (b"signature", signing.format_header(version, encoded).encode()),
        ]

    def check(self, reply: Reply, path: str = PAY, client_id: str = CLIENT) -> dict[str, str]:
        """Accept a reply as the official Python SDK does, and return its result."""
        assert reply.status == 200
        assert reply.header("client-id") == client_id
        assert reply.header("content-type") == "application/json; charset=UTF-8"
        assert sdk_verify(
            "POST",
            path,
            reply.header("client-id"),
            reply.header("response-time"),
            reply.body.decode(),
            reply.header("signature").split("signature=")[1],
            self.platform_public_key,
        )
        result = reply.result
        assert result["resultStatus"] == ResultCode(result["resultCode"]).status
        assert len(result["resultMessage"]) <= 256
        return result


@dataclass(repr=False)
class Fake:
    """Stands for the operations: answers pay with S, or does what a test says. Remembers its calls."""

    calls: list[Call] = field(default_factory=list)
    does: Callable[[Call], Awaitable[PayResponse]] | None = None

    async def pay(self, call: Call) -> PayResponse:
        self.calls.append(call)
        request = _PAY_REQUEST.decode(call.body)
        if self.does is not None:
            return await self.does(call)
        return PayResponse(
            result=Result.of(ResultCode.SUCCESS), payment_request_id=request.payment_request_id
        )


@dataclass(repr=False)
class House:
    """The door under test and everything around it."""

    door: Door
    till: Till
    fake: Fake
    views: dict[str, ClientView]
    loads: list[str]

    async def post(
        self,
        body: bytes | Iterable[bytes] = BODY,
        headers: list[tuple[bytes, bytes]] | None = None,
        target: str = PAY,
        method: str = "POST",
    ) -> Reply:
        """One exchange. `body` in several pieces arrives in as many messages."""
        if headers is None:
            assert isinstance(body, bytes)
            headers = self.till.headers(body, path=target)
        pieces = [body] if isinstance(body, bytes) else list(body)
        return await exchange(self.door, method, target, headers, pieces)


async def exchange(
    app: Any, method: str, target: str, headers: list[tuple[bytes, bytes]], pieces: list[bytes]
) -> Reply:
    """Speak raw ASGI to an application."""
    incoming = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces) - 1}
        for number, piece in enumerate(pieces)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        if incoming:
            return incoming.pop(0)
        return await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    raw = target.encode("latin-1")
    scope = {
        "type": "http", "method": method, "path": target, "raw_path": raw, "query_string": b"",
        "headers": headers, "http_version": "1.1", "scheme": "https",
    }  # fmt: skip
    await app(scope, receive, send)
    start, *rest = sent
    return Reply(start["status"], list(start["headers"]), b"".join(one.get("body", b"") for one in rest))


@pytest.fixture(scope="session")
def platform_key() -> rsa.RSAPrivateKey:
    return signing.generate_key()


@pytest.fixture(scope="session")
def till(platform_key: rsa.RSAPrivateKey) -> Till:
    keys = {version: signing.generate_key() for version in (1, 2, 9)}
    return Till(keys, signing.export_public_key(platform_key.public_key()))


def view(till: Till, client_ref: str = CLIENT, versions: tuple[int, ...] = (2, 1)) -> ClientView:
    """A registered client with some of the till's keys live."""
    keys = tuple(
        ClientKeyView(version, signing.public_der(till.keys[version].public_key())) for version in versions
    )
    return ClientView(
        UUID(int=1),
        client_ref,
        UUID(int=2),
        client_ref.startswith("SANDBOX_"),
        ClientStatus.ACTIVE,
        None,
        keys,
    )


@pytest.fixture
def house(till: Till, platform_key: rsa.RSAPrivateKey) -> House:
    return build(till, platform_key)


def build(till: Till, platform_key: rsa.RSAPrivateKey, **limits: Any) -> House:
    """A door with two clients, one of them a test client, and one that is suspended."""
    fake = Fake()
    sandbox = view(till, "SANDBOX_" + CLIENT)
    suspended = msgspec.structs.replace(view(till, "SUSPENDED"), status=ClientStatus.SUSPENDED)
    views = {one.client_ref: one for one in (view(till), sandbox, suspended)}
    loads: list[str] = []

    async def load(client_ref: str) -> ClientView | None:
        loads.append(client_ref)
        return views.get(client_ref)

    async def nobody(key_id: UUID) -> None:
        return None

    door = Door(
        clients=Clients(load),
        api_keys=ApiKeys(nobody),
        signer=Signer(platform_key, 1),
        operations={"payments/pay": fake.pay},
        limits=Limits(**limits),
        clock=lambda: NOW,
    )
    return House(door, till, fake, views, loads)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return signing.generate_key()


@pytest.fixture
async def shop(
    database: Database, key: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Shop]:
    """The application over a database with a small world, and the SDK's sending led into it."""
    world = await aside(make_world, key, now())
    platform = await aside(identity.platform_key)
    app = create_app(database_url=database.url, start=machines.start)
    loop = asyncio.get_running_loop()

    def do_post(url: str, headers: dict[str, str], body: str) -> tuple[list[tuple[str, str]], bytes]:
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        coming = asyncio.run_coroutine_threadsafe(exchange(app, "POST", url, raw, [body.encode()]), loop)
        reply = coming.result(20)
        assert reply.status == 200
        return [(name.decode(), value.decode()) for name, value in reply.headers], reply.body

    monkeypatch.setattr(sdk, "do_post", do_post)
    async with app.router.lifespan_context(app):
        yield Shop(
            app,
            signing.export_private_key(key),
            signing.export_public_key(signing.public_key_from_der(platform.public_key)),
            world,
        )
