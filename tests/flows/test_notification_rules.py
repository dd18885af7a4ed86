"""The schedule and the addresses: tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from comptoir.flows.notifications import addresses
from comptoir.flows.notifications.addresses import (
    AddressRefused,
    AddressUnusable,
    Resolver,
    is_public,
    target_of,
)
from comptoir.flows.notifications.schedule import TRIES, next_try

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tries", "pause"),
    [
        (1, timedelta(minutes=2)),
        (2, timedelta(minutes=10)),
        (3, timedelta(minutes=10)),
        (4, timedelta(hours=1)),
        (5, timedelta(hours=2)),
        (6, timedelta(hours=6)),
        (7, timedelta(hours=15)),
        (8, None),
        (9, None),
    ],
)
def test_the_schedule(tries: int, pause: timedelta | None) -> None:
    assert next_try(tries, NOW) == (None if pause is None else NOW + pause)


def test_there_are_eight_tries_in_about_a_day() -> None:
    at, tries = NOW, 1
    while (again := next_try(tries, at)) is not None:
        at, tries = again, tries + 1
    assert tries == TRIES == 8
    assert at - NOW == timedelta(hours=24, minutes=22)


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://shop.example", "shop.example", 443, "/"),
        ("http://shop.example:8080/notify?token=1#top", "shop.example", 8080, "/notify"),
        ("https://shop.example/a%2Fb//c", "shop.example", 443, "/a%2Fb//c"),
        ("https://商店.example/通知", "xn--czrs0t.example", 443, "/%E9%80%9A%E7%9F%A5"),
        ("http://[::1]:9/x", "::1", 9, "/x"),
    ],
)
def test_an_address_and_the_path_that_is_signed(url: str, host: str, port: int, path: str) -> None:
    target = target_of(url)
    assert (target.host, target.port, target.path) == (host, port, path)


@pytest.mark.parametrize(
    "url",
    ["", "shop.example", "ftp://shop.example/x", "file:///etc/passwd", "http:///x", "https://u:p@shop.example/",
     "http://shop.example:99999/", "http://[::1/", "javascript:alert(1)", "https://a/" + "x" * 2048,
     "http://a\r\nb/", "gopher://127.0.0.1:25/"],
)  # fmt: skip
def test_an_address_that_nothing_can_be_sent_to(url: str) -> None:
    with pytest.raises(AddressUnusable):
        target_of(url)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),  # clouds keep credentials there
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - judged, not bound
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "[::1]", "0.0.0.0"],  # noqa: S104
)
async def test_this_machine_is_refused_however_it_is_written(host: str) -> None:
    resolver = Resolver(allow_private=False)
    with pytest.raises(AddressRefused):
        await resolver.resolve(target_of(f"http://{host}/"))


async def test_one_private_address_spoils_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_look_up", lambda host, port: ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(AddressRefused):
        await Resolver(allow_private=False).resolve(target_of("http://shop.example/"))
    assert await Resolver(allow_private=True).resolve(target_of("http://shop.example/")) == [
        "8.8.8.8",
        "10.0.0.1",
    ]


async def test_a_name_without_an_address_is_refused() -> None:
    with pytest.raises(AddressRefused):
        await Resolver(allow_private=True).resolve(target_of("http://nothing.invalid/"))
