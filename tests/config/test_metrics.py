"""What a process is told is counted, shown, and shown for all servers of a gateway at once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from comptoir.config import metrics
from comptoir.config.environment import EnvironmentInvalid, read_environment
from comptoir.config.observers import Observers
from comptoir.kernel.watch import NOBODY, Backlog, BatchDone, Trace
from tests.cli.processes import free_port


def shown(text: bytes) -> dict[str, float]:
    """Samples by name and labels, as Prometheus would read them."""
    lines = [line for line in text.decode().splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def busy(watch: Any) -> None:
    """One of everything that can be told."""
    watch.request_begun()
    watch.request_begun()
    watch.request_ended("payments/pay", "SUCCESS", 0.02, Trace("r1"))
    done = BatchDone(
        "b1", [("Pay", "ok"), ("Pay", "ok"), ("Refund", "acquiring.refund_exceeds")], 0.2, 0.04, 0.003
    )
    watch.batch_done(done, 7)
    watch.batch_retried("OperationalError")
    watch.step_done("notify", 0.01)
    watch.job_failed("expire")
    watch.notified("notify.payment", "delivered", 0.2)
    watch.backlog([Backlog("notify.payment", 3, 61.0, 1)])


def test_everything_that_is_told_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(metrics.SHARED_FOLDER, raising=False)
    counted = metrics.Metrics()
    busy(counted)
    found = shown(counted.render())
    request = 'operation="payments/pay",result="SUCCESS"'
    assert found[f"comptoir_request_seconds_count{{{request}}}"] == 1
    assert found[f'comptoir_request_seconds_bucket{{le="0.025",{request}}}'] == 1
    assert found[f'comptoir_request_seconds_bucket{{le="0.01",{request}}}'] == 0
    assert found["comptoir_requests_in_flight"] == 1
    assert found["comptoir_batch_commands_sum"] == 3
    assert found["comptoir_batch_wait_seconds_sum"] == pytest.approx(0.2)
    assert found["comptoir_batch_seconds_sum"] == pytest.approx(0.04)
    assert found["comptoir_commit_seconds_sum"] == pytest.approx(0.003)
    assert found['comptoir_commands_total{code="ok",command="Pay"}'] == 2
    assert found['comptoir_commands_total{code="acquiring.refund_exceeds",command="Refund"}'] == 1
    assert found["comptoir_commands_waiting"] == 7
    assert found['comptoir_batch_retries_total{error="OperationalError"}'] == 1
    assert found['comptoir_worker_step_seconds_count{job="notify"}'] == 1
    assert found['comptoir_worker_failures_total{job="expire"}'] == 1
    assert found['comptoir_notifications_total{result="delivered",topic="notify.payment"}'] == 1
    assert found['comptoir_notification_lag_seconds_bucket{le="0.5",topic="notify.payment"}'] == 1
    assert found['comptoir_outbox_due{topic="notify.payment"}'] == 3
    assert found['comptoir_outbox_oldest_seconds{topic="notify.payment"}'] == 61
    assert found['comptoir_outbox_dead{topic="notify.payment"}'] == 1
    counted.backlog([])
    assert shown(counted.render())['comptoir_outbox_due{topic="notify.payment"}'] == 0


_SERVER = """
import os, signal, sys
from comptoir.config.metrics import Metrics
from tests.config.test_metrics import busy
busy(Metrics())
print("counted", flush=True)
sys.stdin.readline()
"""


def test_any_server_of_a_gateway_answers_for_all_of_them_and_for_those_that_died(tmp_path: Path) -> None:
    variables = {
        **os.environ,
        metrics.SHARED_FOLDER: str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    ask = (
        "from comptoir.config.metrics import Metrics; import sys; sys.stdout.buffer.write(Metrics().render())"
    )
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", _SERVER], env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    try:
        for one in begun:
            assert one.stdout is not None
            assert one.stdout.readline() == b"counted\n"
        begun[0].kill()
        begun[0].wait(10)
        asked = subprocess.run([sys.executable, "-c", ask], env=variables, capture_output=True, check=True)
    finally:
        for one in begun:
            one.kill()
            one.communicate()
    found = shown(asked.stdout)
    assert found['comptoir_commands_total{code="ok",command="Pay"}'] == 4
    assert found['comptoir_request_seconds_count{operation="payments/pay",result="SUCCESS"}'] == 2
    # What the dead one had under way is under way no more.
    assert found["comptoir_requests_in_flight"] == 1


async def test_only_the_metrics_are_answered_on_their_port() -> None:
    port = free_port()

    async def ask(head: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head)
        answer = await reader.read()
        writer.close()
        return answer

    async with metrics.show(lambda: b"figures\n", ("127.0.0.1", port)):
        found = await ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        other = await ask(b"GET /ams/api/v1/payments/pay HTTP/1.1\r\n\r\n")
        posted = await ask(b"POST /metrics HTTP/1.1\r\n\r\n")
        torn = await ask(b"G" * 100_000 + b"\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 200 ")
    assert found.endswith(b"\r\n\r\nfigures\n")
    assert other.startswith(b"HTTP/1.1 404 ")
    assert posted.startswith(b"HTTP/1.1 404 ")
    assert torn == b""


def test_who_wants_no_metrics_loads_none() -> None:
    code = (
        "import sys, comptoir.config.asgi; "
        "sys.exit(any(m.split('.')[0] in ('prometheus_client', 'opentelemetry') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert Observers.of(read_environment({})).watch is NOBODY


@pytest.mark.parametrize(
    ("given", "address"),
    [("9464", ("127.0.0.1", 9464)), ("10.0.0.7:9464", ("10.0.0.7", 9464)), ("[::1]:9464", ("::1", 9464))],
)
def test_where_metrics_are_shown(given: str, address: tuple[str, int]) -> None:
    assert read_environment({"COMPTOIR_METRICS": given}).metrics == address


@pytest.mark.parametrize("given", ["x", "0", "70000", "host:", "127.0.0.1"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(EnvironmentInvalid) as refused:
        read_environment({"COMPTOIR_METRICS": given})
    assert refused.value.field == "COMPTOIR_METRICS"
