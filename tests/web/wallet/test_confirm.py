"""What is asked is confirmed with the PIN or declined, once; whatever stands in the way moves nothing."""

from __future__ import annotations

import threading
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from comptoir.acquiring import api as acquiring
from comptoir.flows import api as flows
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.wallet import api as wallet
from tests.flows.support import assert_books_hold
from tests.web.pages import (
    client_of,
)
from tests.web.wallet.support import (
    FULL,
    WRONG_PIN,
    asked,
    balance,
)
from tests.web.world import PIN, World


def test_five_wrong_pins_lock_it_and_nothing_moves(world: World) -> None:
    client, one = client_of(world.traveller.person), asked(world)
    told = [
        client.post(f"/wallet/asks/{one.id}", {"answer": "pay", "pin": WRONG_PIN}).content.decode()
        for _ in range(5)
    ]
    assert "Wrong PIN. 4 tries left" in told[0]
    assert "Wrong PIN. 1 try left" in told[3]
    assert "Too many wrong PINs. The PIN is locked until" in told[4]
    right = client.post(f"/wallet/asks/{one.id}", {"answer": "pay", "pin": PIN})
    assert "The PIN is locked until" in right.content.decode()
    assert PIN not in right.content.decode()
    assert balance(world.traveller.wallet_id) == FULL
    assert wallet.authorization(one.wallet_id, one.id) == one


@pytest.mark.parametrize("pin", ["", "20468", "2046811", "abcdef"])
def test_what_is_no_pin_costs_no_try(world: World, pin: str) -> None:
    client, one = client_of(world.traveller.person), asked(world)
    for _ in range(6):
        told = client.post(f"/wallet/asks/{one.id}", {"answer": "pay", "pin": pin}).content.decode()
        assert "A PIN has six digits." in told
    assert balance(world.traveller.wallet_id) == FULL
    answer = client.post(f"/wallet/asks/{one.id}", {"answer": "pay", "pin": PIN})
    assert answer["Location"] == f"/wallet/results/{one.id}"


def test_whoever_presses_twelve_times_at_once_pays_once(world: World) -> None:
    one = asked(world)
    clients = [client_of(world.traveller.person) for _ in range(12)]
    answers: list[str] = []

    def press(client: Client) -> None:
        try:
            answer = client.post(f"/wallet/asks/{one.id}", {"answer": "pay", "pin": PIN})
            answers.append(answer["Location"])
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [f"/wallet/results/{one.id}"] * 12
    assert balance(world.traveller.wallet_id) == FULL - one.total.minor
    assert_books_hold()


def test_declining_moves_nothing_and_cannot_be_paid_afterwards(world: World) -> None:
    client, one = client_of(world.traveller.person), asked(world)
    for answer in ({"answer": "decline"}, {"answer": "pay", "pin": PIN}):
        assert client.post(f"/wallet/asks/{one.id}", answer)["Location"] == f"/wallet/results/{one.id}"
    page = client.get(f"/wallet/results/{one.id}").content.decode()
    assert "Declined" in page
    assert "Nothing was taken from your wallet." in page
    assert balance(world.traveller.wallet_id) == FULL


@pytest.mark.parametrize(
    ("minor", "limits", "said"),
    [
        (200_000, None, "This is above your limit for one payment."),
        (100_00, wallet.Limits(no_pin=0, payment=100_000, day=100_000), "above what you may spend today"),
    ],
)
def test_a_limit_is_said_and_moves_nothing(
    world: World, minor: int, limits: wallet.Limits | None, said: str
) -> None:
    client, one = client_of(world.traveller.person), asked(world, minor)
    if limits is not None:
        first = asked(world, 5_000)
        wallet.set_limits(world.traveller.wallet_id, limits)
        client.post(f"/wallet/asks/{first.id}", {"answer": "pay", "pin": PIN})
    before = balance(world.traveller.wallet_id)
    answer = client.post(f"/wallet/asks/{one.id}", {"answer": "pay", "pin": PIN})
    assert said in answer.content.decode()
    assert balance(world.traveller.wallet_id) == before


def test_a_price_that_is_no_longer_promised_is_made_anew(world: World) -> None:
    client = client_of(world.traveller.person)
    one = asked(world, 1000, session=True, scenario=None, product=acquiring.Product.CASHIER)
    later = utc_now() + 2 * (one.expires_at - one.created_at) / 3
    with patch("comptoir.web.components.access.utc_now", lambda: later):
        page = client.get(f"/wallet/asks/{one.id}").content.decode()
        assert "The price was no longer promised." in page
        answer = client.post(f"/wallet/asks/{one.id}", {"answer": "pay", "pin": PIN})
        assert "The price was no longer promised." in answer.content.decode()
        assert balance(world.traveller.wallet_id) == FULL
        renewed = client.post(f"/wallet/asks/{one.id}", {"answer": "renew"})["Location"]
        assert renewed != f"/wallet/asks/{one.id}"
        assert client.post(renewed, {"answer": "pay", "pin": PIN})["Location"].startswith("/wallet/results/")
    assert balance(world.traveller.wallet_id) == FULL - 7979


def test_a_lost_database_says_perhaps_and_the_next_press_finds_out(world: World) -> None:
    client, one = client_of(world.traveller.person), asked(world)
    with patch("comptoir.web.wallet.pages.asks.do", side_effect=DatabaseError):
        answer = client.post(f"/wallet/asks/{one.id}", {"answer": "pay", "pin": PIN})
    assert answer.status_code == 503
    assert "you will not be charged twice" in answer.content.decode()
    client.post(f"/wallet/asks/{one.id}", {"answer": "pay", "pin": PIN})
    assert balance(world.traveller.wallet_id) == FULL - 7979


def test_money_that_is_held_is_said_to_be_held(world: World) -> None:
    client, one = client_of(world.traveller.person), asked(world, hold=True)
    assert "held for the shop" in client.get(f"/wallet/asks/{one.id}").content.decode()
    client.post(f"/wallet/asks/{one.id}", {"answer": "pay", "pin": PIN})
    assert "Authorized" in client.get(f"/wallet/results/{one.id}").content.decode()
    home = client.get("/wallet/").content.decode()
    assert "CN¥79.79 more are held for shops." in home
    assert balance(world.traveller.wallet_id) == FULL


def test_the_shop_withdraws_what_waits(world: World) -> None:
    client, one = client_of(world.traveller.person), asked(world)
    command = flows.Cancel(
        merchant_id=one.merchant_id, client_ref=world.shop.client_ref, payment_id=one.payment_id
    )
    flows.execute([command], utc_now(), flows.Desk(5))
    answer = client.post(f"/wallet/asks/{one.id}", {"answer": "pay", "pin": PIN})
    assert answer["Location"] == f"/wallet/results/{one.id}"
    assert "Canceled by the shop" in client.get(answer["Location"]).content.decode()
    assert balance(world.traveller.wallet_id) == FULL


@pytest.mark.parametrize("place", ["asks", "results", "payments"])
def test_what_another_is_asked_does_not_exist(world: World, place: str) -> None:
    one = asked(world)
    stranger = client_of(world.other_traveller.person)
    assert stranger.get(f"/wallet/{place}/{one.id}").status_code == 404
    assert stranger.get(f"/wallet/{place}/{new_id()}").status_code == 404
    if place == "asks":
        for answer in ("pay", "decline", "renew"):
            told = stranger.post(f"/wallet/asks/{one.id}", {"answer": answer, "pin": PIN})
            assert told.status_code == 404
    assert wallet.authorization(one.wallet_id, UUID(one.id.hex)) == one
    assert balance(world.other_traveller.wallet_id) == FULL
