"""The bench measures what it says it measures. No figure is asserted: machines differ."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.load import Load, LoadFailed, run_load
from bench.report import summary
from bench.rounds import Figures, Kind, WrongAnswer, check_signatures
from bench.tills import PATH
from comptoir.standards.antom import signing
from tests.bench.server import slow_server

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_tiny_bench_ends_with_its_line_and_leaves_nothing_behind(short_folder: Path) -> None:
    small = "--rounds 1 --seconds 0.5 --connections 16 --shops 2 --wallets 600 --pgbench-scale 1 --warm-up 50"
    done = _run("bench", small, short_folder)
    line = json.loads(done.stdout.splitlines()[-1])
    assert list(line) == [
        "bench",
        "per_second",
        "ratio_pgbench",
        "ratio_ungrouped",
        "ratio_one_merchant",
        "p99_ms_at_half_load",
        "gateway_rss_mb",
    ]
    assert line.pop("bench") == "payments"
    assert all(value > 0 for value in line.values())
    assert "Verifying the books" in done.stderr
    assert list(short_folder.iterdir()) == []


@pytest.mark.slow
def test_a_long_past_is_made_that_the_books_agree_with(short_folder: Path) -> None:
    small = "--payments 2000 --rounds 1 --seconds 0.5 --connections 16 --shops 2 --wallets 600 --copy 300"
    done = _run("bench.scale", small, short_folder)
    line = json.loads(done.stdout.splitlines()[-1])
    assert line.pop("bench") == "scale"
    assert line["payments"] > 2000
    assert all(value > 0 for value in line.values())
    assert "Verifying the books" in done.stderr
    assert list(short_folder.iterdir()) == []


@pytest.mark.slow
def test_every_page_of_the_counter_is_opened_and_timed(short_folder: Path) -> None:
    done = _run("bench.pages", "--payments 300 --today 60 --times 1 --shops 1 --wallets 200", short_folder)
    line = json.loads(done.stdout.splitlines()[-1])
    assert (line["bench"], line["payments"]) == ("pages", 360)
    assert line["slowest_p50_ms"] > 0
    assert line["ratio_to_few"] > 0
    assert list(short_folder.iterdir()) == []


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """An empty folder with a short name: a server's socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="b") as name:
        yield Path(name)


def _run(module: str, arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments.split()],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_closed_load_has_one_request_under_way_on_each_connection() -> None:
    with slow_server(0.02) as (address, seen):
        load = run_load(address, [_request(n) for n in range(40)], connections=4, seconds=30)
    assert (load.sent, len(load.waits), load.results) == (40, 40, Counter({"SUCCESS": 40}))
    assert seen.most == 4
    assert 0.02 <= load.quantile_ms(0.5) / 1000 <= load.quantile_ms(1.0) / 1000
    # The first answer is sampled: to one of the four requests that were sent first.
    [first] = [json.loads(answer.partition(b"\r\n\r\n")[2])["n"] for _, answer in load.samples]
    assert first in range(4)


def test_paced_load_is_sent_when_due_and_waiting_for_a_connection_counts() -> None:
    with slow_server(0.1) as (address, _):
        started = time.monotonic()
        load = run_load(address, [_request(n) for n in range(20)], connections=1, seconds=30, per_second=1000)
    assert time.monotonic() - started >= 2.0
    assert max(load.waits) >= 1.5, "the last request was due at once and had to wait for all the others"


def test_a_load_with_more_requests_than_time_ends_on_time() -> None:
    with slow_server(0.0) as (address, _):
        started = time.monotonic()
        load = run_load(address, [_request(0)] * 1000, connections=2, seconds=0.3, per_second=20)
    assert 0.3 <= time.monotonic() - started < 5
    assert 0 < load.sent == len(load.waits) < 100


def test_a_load_that_loses_its_connection_fails() -> None:
    with slow_server(0.0, answers=3) as (address, _), pytest.raises(LoadFailed):
        run_load(address, [_request(n) for n in range(10)], connections=1, seconds=30)


def test_an_answer_under_another_signature_is_noticed() -> None:
    key, other = signing.generate_key(), signing.generate_key()
    body = b'{"paymentRequestId": "R1"}'
    encoded = signing.sign(key, signing.content_to_sign(PATH, "C1", "T", body))
    header = signing.format_header(1, encoded)
    head = f"HTTP/1.1 200 OK\r\nclient-id: C1\r\nresponse-time: T\r\nsignature: {header}"
    answer = f"{head}\r\n\r\n".encode() + body
    request = b"POST / HTTP/1.1\r\nclient-id: C1\r\n\r\n" + body
    check_signatures([(request, answer)], signing.public_der(key.public_key()))
    with pytest.raises(WrongAnswer):
        check_signatures([(request, answer)], signing.public_der(other.public_key()))
    with pytest.raises(WrongAnswer):
        check_signatures([(request.replace(b"R1", b"R2"), answer)], signing.public_der(key.public_key()))


def test_ratios_are_of_medians() -> None:
    figures = Figures(
        spread=_kind(900, 1000, 5000),
        half=_kind(500),
        one_merchant=_kind(900),
        ungrouped=_kind(100),
        pgbench=[1000.0, 4000.0, 9000.0],
        gateway_rss_mb=123.44,
    )
    assert summary(figures) == {
        "bench": "payments",
        "per_second": 1000.0,
        "ratio_pgbench": 0.25,
        "ratio_ungrouped": 10.0,
        "ratio_one_merchant": 0.9,
        "p99_ms_at_half_load": 1.0,
        "gateway_rss_mb": 123.4,
    }


def _kind(*rates: int) -> Kind:
    return Kind(loads=[Load(sent=rate, seconds=1.0, waits=[0.001] * rate) for rate in rates])


def _request(number: int) -> bytes:
    body = b'{"n": %d}' % number
    return b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
