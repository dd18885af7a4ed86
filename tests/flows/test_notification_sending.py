"""One POST to a merchant that behaves in all the ways merchants do."""

from __future__ import annotations

import gzip
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import trustme

from comptoir.flows.notifications import addresses
from comptoir.flows.notifications.addresses import AddressRefused, target_of
from comptoir.flows.notifications.delivery import not_acknowledged
from comptoir.flows.notifications.sending import Answer, Sender, SendFailed
from tests.flows.merchant_server import Answer as Behavior
from tests.flows.merchant_server import Merchant, drip, huge, reply, reset, result, slow

BODY = b'{"notifyType":"PAYMENT_RESULT"}'


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    made = Sender(allow_private=True)
    yield made
    await made.close()


@pytest.fixture
async def hasty() -> AsyncIterator[Sender]:
    """Gives up long before `slow(30)` answers."""
    made = Sender(allow_private=True, total_seconds=2.0)
    yield made
    await made.close()


async def test_the_request_as_it_arrives(sender: Sender) -> None:
    with Merchant() as merchant:
        target = target_of(f"http://127.0.0.1:{merchant.port}/a%2Fb//c?token=1")
        answer = await sender.post(target, {"client-id": "C", "Content-Type": "application/json"}, BODY)
    (heard,) = merchant.heard
    assert (heard.path, heard.body, heard.headers["client-id"]) == ("/a%2Fb//c?token=1", BODY, "C")
    assert heard.headers["host"] == f"127.0.0.1:{merchant.port}"
    assert not_acknowledged(answer) is None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b""),
        Answer(200, b"success"),
        Answer(200, b"{}"),
        Answer(200, result(status="U")),
        Answer(200, result(status="F")),
        Answer(200, result(code="FAIL")),
        Answer(200, result(message="Success")),
        Answer(200, gzip.compress(result())),
        Answer(201, result()),
        Answer(500, result()),
    ],
)
def test_what_is_not_an_acknowledgment(answer: Answer) -> None:
    assert not_acknowledged(answer) is not None


async def test_a_redirect_is_not_followed(sender: Sender) -> None:
    with Merchant() as elsewhere, Merchant(reply(307, Location=elsewhere.url)) as merchant:
        answer = await sender.post(target_of(merchant.url), {}, BODY)
    assert answer.status == 307
    assert not_acknowledged(answer) == "answered HTTP 307"
    assert elsewhere.heard == []


@pytest.mark.parametrize("behavior", [slow(30), drip, reset, huge])
async def test_no_whole_answer_is_a_failure_within_the_limit(hasty: Sender, behavior: Behavior) -> None:
    started = time.monotonic()
    with Merchant(behavior) as merchant:
        with pytest.raises(SendFailed):
            await hasty.post(target_of(merchant.url), {}, BODY)
    assert time.monotonic() - started < 20
    assert len(merchant.heard) == 1


async def test_nobody_listens(sender: Sender) -> None:
    with Merchant() as merchant:
        pass
    with pytest.raises(SendFailed, match="cannot connect"):
        await sender.post(target_of(merchant.url), {}, BODY)


async def test_the_checked_address_is_the_one_connected_to(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is looked up once: what it answers the second time (rebinding) is never asked."""
    answers = [["127.0.0.1"], ["192.0.2.1"]]
    monkeypatch.setattr(addresses, "_look_up", lambda host, port: answers.pop(0))
    with Merchant() as merchant:
        await sender.post(target_of(f"http://shop.example:{merchant.port}/notify"), {}, BODY)
    assert merchant.heard[0].headers["host"] == f"shop.example:{merchant.port}"
    assert len(answers) == 1


async def test_the_next_address_is_tried_when_one_does_not_listen(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "_look_up", lambda host, port: ["::1", "127.0.0.1"])
    with Merchant() as merchant:
        await sender.post(target_of(f"http://localhost:{merchant.port}/"), {}, BODY)
    assert len(merchant.heard) == 1


async def test_a_private_address_is_not_even_connected_to() -> None:
    strict = Sender(allow_private=False)
    with Merchant() as merchant:
        with pytest.raises(AddressRefused):
            await strict.post(target_of(merchant.url), {}, BODY)
    await strict.close()
    assert merchant.heard == []


@pytest.mark.parametrize(("named", "heard"), [("shop.example", 1), ("other.example", 0)])
async def test_tls_is_checked_against_the_name_not_the_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str, heard: int
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setattr(addresses, "_look_up", lambda host, port: ["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.example").configure_cert(context)
    sender = Sender(allow_private=True)
    with Merchant().with_tls(context) as merchant:
        with nullcontext() if heard else pytest.raises(SendFailed):
            await sender.post(target_of(f"https://{named}:{merchant.port}/notify"), {}, BODY)
    await sender.close()
    assert len(merchant.heard) == heard
