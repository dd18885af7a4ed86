"""What an operator sees and does while shops pay: metrics, ids through the logs, restarts one by one."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.api.balancer import Balancer
from tests.api.load import SUCCESS, Load
from tests.api.support import House, Server, Shop
from tests.api.till import PAYMENTS, in_store
from tests.cli.processes import free_port, wait_for
from tests.config.test_metrics import shown
from tests.flows.merchant_server import Merchant

pytestmark = pytest.mark.slow


def metrics(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
        return shown(reply.read())


def ready(port: int) -> int | None:
    """What /readyz says; None when nobody is there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def lines(server: Server, event: str) -> list[dict[str, Any]]:
    """The log's lines of one event."""
    found = [json.loads(line) for line in server.said().splitlines() if line.startswith(b"{")]
    return [one for one in found if one["event"] == event]


def test_the_figures_of_all_servers_and_of_the_worker(house: House) -> None:
    """Two servers of one gateway count together, whichever is asked; the worker counts for itself."""
    at_gateway, at_worker = free_port(), free_port()
    gateway = house.gateway(COMPTOIR_METRICS=str(at_gateway))
    worker = house.worker(COMPTOIR_METRICS=str(at_worker))
    li = house.traveller()
    try:
        with Merchant() as server:
            shop = house.shop(ports=[house.ports[-1]], notify_url=server.url)
            for n in range(12):
                assert shop.till.pay(f"R{n}", li.code(), port=house.ports[-1]).code == "SUCCESS"
                shop.till._http.close()
                shop.till.__post_init__()  # a connection of its own: the other server may get it
            assert shop.till.refund("F1", "0" * 32, "1", port=house.ports[-1]).code == "ORDER_NOT_EXIST"
            paid = 'comptoir_request_seconds_count{operation="payments/pay",result="SUCCESS"}'
            lost = 'comptoir_request_seconds_count{operation="payments/refund",result="ORDER_NOT_EXIST"}'

            def all_counted() -> bool:
                """A request is counted once its answer is sent: who has the answer may ask before that."""
                found = metrics(at_gateway)
                return lost in found and found["comptoir_requests_in_flight"] == 0

            wait_for(all_counted)
            for _ in range(4):
                found = metrics(at_gateway)
                assert (found[paid], found[lost]) == (12, 1)
                assert found['comptoir_commands_total{code="ok",command="Pay"}'] == 12
                assert found["comptoir_requests_in_flight"] == 0
                assert found["comptoir_commit_seconds_count"] == found["comptoir_batch_commands_count"] >= 12
            wait_for(lambda: len(server.heard) >= 12)
            steps = 'comptoir_worker_step_seconds_count{job="notify"}'
            wait_for(lambda: metrics(at_worker).get(steps, 0) > 0)
        assert house.outbox("notify.payment", done=False) == 0
    finally:
        for one in (gateway, worker):
            one.stop()
            house.servers.remove(one)
        house.ports.pop()


def test_metrics_are_not_on_the_doors_port(house: House) -> None:
    shop = house.shop()
    answer = shop.till.send("/metrics", b"", {}, method="GET")
    assert answer.code == "METHOD_NOT_SUPPORTED"


@pytest.mark.parametrize("command", [("serve", "gateway", "--port", "0"), ("worker",)], ids=" ".join)
def test_a_metrics_port_that_somebody_has_is_refused(
    house: House, tmp_path: Path, command: tuple[str, ...]
) -> None:
    port = free_port()
    first = house.gateway(COMPTOIR_METRICS=str(port))
    second = Server(
        tmp_path / "second.log", house._environment({"COMPTOIR_METRICS": str(port)}), lambda: False, *command
    )
    try:
        second.launch()
        wait_for(lambda: not second.running)
        assert b"cannot show metrics on 127.0.0.1" in second.said()
        assert b"Traceback" not in second.said()
    finally:
        first.stop()
        house.servers.remove(first)
        house.ports.pop()


def test_one_id_from_the_door_to_the_database_and_to_the_shops_server(house: House) -> None:
    """The door's line names the payment and the batch; the outbox and the worker's line name the request."""
    gateway = house.servers[0]
    worker = next(one for one in house.servers if b"worker.started" in one.said())
    with Merchant() as server:
        shop = house.shop(ports=house.ports[:1], notify_url=server.url)
        paid = shop.till.pay("R1", house.traveller().code())
        wait_for(lambda: server.heard)
        wait_for(lambda: told_of(gateway, "answered", paid["paymentId"]))
        (line,) = told_of(gateway, "answered", paid["paymentId"])
        wait_for(lambda: told_of(worker, "notification.delivered", paid["paymentId"]))
    request_id = line["request_id"]
    assert line["batch"].partition("-")[0] == request_id[:12]
    assert line["queued_ms"] >= 0
    assert line["ms"] >= line["books_ms"] > 0
    (told,) = told_of(worker, "notification.delivered", paid["paymentId"])
    assert told["request_id"] == request_id
    with psycopg.connect(house.url) as connection:
        (kept,) = connection.execute(
            "SELECT payload ->> 'request_id' FROM db_outbox WHERE subject_id = %s", (paid["paymentId"],)
        ).fetchall()
        sessions = connection.execute(
            "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
        ).fetchall()
    assert kept[0] == request_id
    names = {name for (name,) in sessions}
    assert {f"comptoir engine {request_id[:12]}", f"comptoir reader {request_id[:12]}"} <= names


def told_of(server: Server, event: str, payment_id: str) -> list[dict[str, Any]]:
    """The lines of one event that name the payment."""
    return [one for one in lines(server, event) if one.get("subject_id") == payment_id]


def test_gateways_are_restarted_one_by_one_and_nobody_notices(house: House) -> None:
    """SIGTERM, again and again, behind a balancer that asks /readyz: every request is answered, with
    success, and what was answered is in the books once."""
    gateways = [house.gateway(drain=6) for _ in range(2)]
    ports = house.ports[-2:]
    try:
        with Balancer(ports) as balancer:
            shop = house.shop(ports=[balancer.port])
            load = Load(house, shop, [house.traveller(100_000_000, phones=60) for _ in range(2)])
            with load.running(pause=0.2):
                healthy(load)
                for gateway, port in zip(gateways * 2, ports * 2, strict=True):
                    gateway.terminate()
                    wait_for(lambda port=port: not balancer.sends_to(port))  # type: ignore[misc]
                    before = load.answered
                    wait_for(lambda gateway=gateway: not gateway.running)  # type: ignore[misc]
                    assert load.answered > before
                    gateway.start()
                    wait_for(lambda port=port: balancer.sends_to(port))  # type: ignore[misc]
                    healthy(load)
            assert set(load.kinds()) == {SUCCESS}, load.kinds()
            load.prove()
    finally:
        for gateway in gateways:
            gateway.stop()
            house.servers.remove(gateway)
        del house.ports[-2:]


def test_a_gateway_that_drains_serves_on_and_says_that_it_wants_no_more(house: House) -> None:
    gateway = house.gateway(drain=60)
    port = house.ports.pop()
    shop, li = house.shop(ports=[port]), house.traveller()
    try:
        assert ready(port) == 200
        first = shop.till.send(*signed_pay(shop, "R1", li.code()), port=port)
        assert first.code == "SUCCESS"
        gateway.terminate()
        wait_for(lambda: ready(port) == 503)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as reply:
            assert reply.status == 200
        path, content, headers = signed_pay(shop, "R2", li.code())
        with socket.create_connection(("127.0.0.1", port), 10) as wire:
            lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(content)}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            wire.sendall("\r\n".join([*lines, "", ""]).encode() + content)
            answer = b""
            while piece := wire.recv(65_536):  # ends: the server closes what is asked of it while it drains
                answer += piece
        assert b"\r\nconnection: close\r\n" in answer
        assert b'"SUCCESS"' in answer
        gateway.terminate()  # once more: enough waited
        wait_for(lambda: not gateway.running)
        assert ready(port) is None
    finally:
        gateway.stop()
        house.servers.remove(gateway)


def signed_pay(shop: Shop, ref: str, code: str) -> tuple[str, bytes, dict[str, str]]:
    content = json.dumps(in_store(ref, code)).encode()
    path = PAYMENTS + "pay"
    return path, content, shop.till.headers(path, content)


def healthy(load: Load, count: int = 15) -> None:
    """Wait for so many more successes."""
    before = load.answered
    wait_for(lambda: load.answered >= before + count)
