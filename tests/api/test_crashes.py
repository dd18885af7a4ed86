"""kill -9 between any two steps: of a gateway around a call to a wallet, of a worker while it notifies.

F7: intent recorded, issuer called, answer recorded, merchant notified. F8: notifications that get lost.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from comptoir.standards.antom import signing
from tests.api.support import House, Server, Shop, Traveller, pause
from tests.api.till import Answer, NoAnswer
from tests.cli.processes import wait_for
from tests.flows.merchant_server import Heard, Merchant, reply, reset, slow
from tests.wallet.scripted_issuer import Act, ScriptedIssuer

pytestmark = pytest.mark.slow

SUCCESS = ("SUCCESS", "S")
IN_PROCESS = ("PAYMENT_IN_PROCESS", "U")
_foreign = itertools.count(1_000_000)


def foreign_code() -> str:
    return f"2599{next(_foreign):014d}"


def settle(house: House, topic: str, *, leases: bool = False) -> None:
    """Wait until all work of a topic is done, as if the time between its tries had passed."""
    house.hurry(topic, leases=leases)
    wait_for(lambda: (house.hurry(topic), house.outbox(topic, done=False) == 0)[1])


# ---------------------------------------------------------------- F7


def test_f7_killed_while_the_wallet_is_asked(house: House, issuer: ScriptedIssuer) -> None:
    """The money moved and nobody is left to hear it: the worker finds out; the shop gets its answer."""
    shop, code = house.shop(ports=house.ports[:1]), foreign_code()
    issuer.script(code, authorise=[Act.HANG])
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(shop.till.pay, "R1", code)
        wait_for(lambda: issuer.authorizations(code))
        house.servers[0].kill()
        assert isinstance(asked.exception(20), NoAnswer)
    house.servers[0].start()
    # Where a gateway takes long to start, the worker has asked by itself before the shop does.
    assert shop.till.pay("R1", code).kind in (IN_PROCESS, SUCCESS)
    settle(house, "issuer.")
    assert shop.till.pay("R1", code).kind == SUCCESS
    [charged] = issuer.authorizations(code)
    assert (issuer.moved(charged), shop.owed, shop.held) == (1000, 1000, 0)
    house.assert_holds()


def test_f7_killed_at_any_moment(house: House, issuer: ScriptedIssuer) -> None:
    """Eight payments under way at each of eight kills, half of them by another issuer's wallet.

    After the restart every request, sent again with the same id, gets an answer that the books and the
    issuer agree with; answers that were given before stay what they were.
    """
    shop, li = house.shop(ports=house.ports[:1], notify_url="http://127.0.0.1:9/n"), house.traveller(phones=8)
    chance = random.Random(7)
    asked: dict[str, tuple[str, Answer | None]] = {}
    with ThreadPoolExecutor(8) as pool:
        for turn in range(8):
            codes = {f"R{turn}-{n}": foreign_code() if n % 2 else li.code() for n in range(8)}
            under_way = {ref: pool.submit(shop.till.pay, ref, code) for ref, code in codes.items()}
            pause(chance.uniform(0.0, 0.06))
            house.servers[0].kill()
            for ref, code in codes.items():
                lost = under_way[ref].exception(20) is not None
                asked[ref] = (code, None if lost else under_way[ref].result())
            house.servers[0].start()
            assert_retried(shop, {ref: asked[ref] for ref in codes})
    settle(house, "issuer.")
    assert any(answer is None for _, answer in asked.values())
    went = 0
    for ref, (code, _) in asked.items():
        status = shop.till.inquire(ref)["paymentStatus"]
        went += status == "SUCCESS"
        charged = issuer.authorizations(code)
        if code.startswith("2599"):
            assert sum(issuer.moved(one) for one in charged) == (1000 if status == "SUCCESS" else 0), ref
        assert shop.till.pay(ref, code).kind[1] == {"SUCCESS": "S", "FAIL": "F"}[status]
    assert (shop.owed, shop.held) == (1000 * went, 0)
    house.assert_holds()


def assert_retried(shop: Shop, asked: dict[str, tuple[str, Answer | None]]) -> None:
    """The same request again: the first answer if there was one, else whatever is true by now.

    What never arrived may come again after its code's half minute, when a gateway took long to start.
    """
    for ref, (code, answer) in asked.items():
        again = shop.till.pay(ref, code)
        if answer is not None and answer.status != "U":
            assert again.body == answer.body
        late = [("EXPIRED_CODE", "F")] if answer is None else []
        assert again.kind in (SUCCESS, IN_PROCESS, *late), again.body


# ---------------------------------------------------------------- F8


@pytest.fixture
def server(house: House) -> Iterator[Merchant]:
    with Merchant() as opened:
        yield opened


def shop_of(house: House, server: Merchant) -> Shop:
    return house.shop(ports=house.ports[1:], notify_url=server.url)


def verified(house: House, heard: Heard) -> str:
    """The request id of a notification whose signature is ours."""
    signature = signing.parse_header(heard.headers["signature"]).signature()
    content = signing.content_to_sign(
        "/notify", heard.headers["client-id"], heard.headers["request-time"], heard.body
    )
    assert signature is not None
    assert signing.verify(house.platform_key, content, signature)
    assert heard.message["result"]["resultStatus"] == "S"
    return str(heard.message["paymentRequestId"])


def pay_all(shop: Shop, li: Traveller, count: int) -> set[str]:
    refs = {f"R{n}" for n in range(count)}
    for ref in refs:
        assert shop.till.pay(ref, li.code()).kind == SUCCESS
    return refs


def test_f8_the_shops_server_is_down_then_up(house: House) -> None:
    """Payments succeed meanwhile; every one is told when the server is back, and counts once."""
    with Merchant() as first:
        url, port = first.url, first.port
    shop, li = house.shop(ports=house.ports[1:], notify_url=url), house.traveller()
    refs = pay_all(shop, li, 5)
    wait_for(lambda: tries(house, shop) >= 5)
    with Merchant(port=port) as back:
        settle(house, "notify.")
        assert {verified(house, one) for one in back.heard} == refs
    house.assert_holds()


def tries(house: House, shop: Shop) -> int:
    with psycopg.connect(house.url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT coalesce(sum(attempts), 0) FROM db_outbox WHERE owner_id = %s AND last_error IS NOT NULL",
            (shop.merchant_id,),
        ).fetchone()
    return int(row[0]) if row else 0


def test_f8_an_acknowledgment_that_is_lost_or_wrong_is_asked_for_again(
    house: House, server: Merchant
) -> None:
    """Told again until the exact acknowledgment comes: the same news, freshly signed, then never again."""
    server.script = [reset, reply(500), reply(body=b"{}")]
    shop, li = shop_of(house, server), house.traveller()
    refs = pay_all(shop, li, 1)
    settle(house, "notify.")
    assert len(server.heard) == 4
    assert {verified(house, one) for one in server.heard} == refs
    assert len({one.body for one in server.heard}) == 1
    house.hurry("notify.")
    pause(0.7)
    assert len(server.heard) == 4


def test_f8_the_worker_is_killed_in_mid_sending(house: House, server: Merchant) -> None:
    """What it had in hand is sent by the next worker: late and perhaps twice, never not at all."""
    worker: Server = house.servers[2]
    server.script = [slow(20)] * 6
    shop, li = shop_of(house, server), house.traveller()
    refs = pay_all(shop, li, 6)
    wait_for(lambda: server.heard)
    worker.kill()
    before = len(server.heard)
    server.script = []
    worker.start()
    settle(house, "notify.", leases=True)
    assert {verified(house, one) for one in server.heard[before:]} == refs
    house.assert_holds()


# ---------------------------------------------------------------- F21


def test_f21_a_message_that_kills_every_worker_is_put_aside(house: House, server: Merchant) -> None:
    """A worker dies whenever it has sent it: after ten deaths it is given up and named; others are told.

    The first nine are made up, and the time that a dead worker's lease still runs.
    """
    worker: Server = house.servers[2]
    server.script = [slow(20)]
    shop, li = shop_of(house, server), house.traveller()
    worker.stop()
    pay_all(shop, li, 1)
    with psycopg.connect(house.url, autocommit=True) as connection:
        connection.execute(
            "UPDATE db_outbox SET attempts = 9, lost = 9 WHERE owner_id = %s", (shop.merchant_id,)
        )
    for sent in (1, 2):
        server.script = [slow(20)]
        worker.start()
        wait_for(lambda sent=sent: len(server.heard) == sent)  # type: ignore[misc]
        worker.kill()
        house.hurry("notify.", leases=True)
    worker.start()
    with Merchant() as good:
        other = house.shop(notify_url=good.url)
        told = pay_all(other, li, 2)
        wait_for(lambda: len(good.heard) >= 2)
        assert {verified(house, one) for one in good.heard} == told
    wait_for(lambda: b"notification.dead" in worker.said())
    assert len(server.heard) == 2
    with psycopg.connect(house.url) as connection:
        row = connection.execute(
            "SELECT dead_at IS NOT NULL, done_at, last_error <> '' FROM db_outbox WHERE owner_id = %s",
            (shop.merchant_id,),
        ).fetchone()
    assert row == (True, None, True)
    house.assert_holds()
