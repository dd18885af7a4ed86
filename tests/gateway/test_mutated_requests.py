"""Requests of every operation, bent in every way and truly signed, so that they reach the operations.

Whatever is asked: HTTP 200, signed, a documented code, no fault of ours, nothing half done, and no memory
that grows. `FUZZ_HOURS` makes it longer, `FUZZ_SEED` other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec import inspect

from comptoir.flows.api import verify_books
from comptoir.gateway.openapi import REQUESTS, path_of
from comptoir.standards.antom.results import ResultCode
from comptoir.wallet import api as wallet

from .conftest import Till, exchange
from .shop import Shop, aside, in_store, now
from .world import CLIENT

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

#: A busy till: 400 payments an hour, and for each an inquiry; now and then a refund or a cancellation.
HOUR = 1000

SEED = int(os.environ.get("FUZZ_SEED", "1"))
REQUESTS_SENT = int(HOUR * float(os.environ.get("FUZZ_HOURS", "1")))

#: Texts that break things elsewhere.
TEXTS = (
    "", " ", "\x00", "\ud800", "é" * 3, "巧克力", "\u202e\u0000", "🍫" * 200, "x" * 70_000, "1e3", "-1", "0",
    "00", "9" * 17, "9" * 400, "1.5", "NaN", "EUR", "XXX", "eur", "' OR 1=1 --", "%s%s", "../../etc/passwd",
    "2026-13-45T99:99:99Z", "2026-11-23T09:20:36", "null", "true", "{}", "\r\nX: y", "https://[::1", "0" * 32,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, 1e308, 10**17, 10**400, [], {}, [None], [[]], {"": ""}, [1, "a", {}],
)  # fmt: skip


class Fuzzer:
    """Makes requests that are right, and then bends them."""

    def __init__(self, rng: Random, payment: str, code: str) -> None:
        self._rng, self._payment, self._code = rng, payment, code
        self._number = 0

    def body(self, name: str, right: Callable[[], dict[str, Any]]) -> bytes:
        """One request of an operation, right but for up to three changes."""
        rng = self._rng
        if name == "payments/pay" and rng.random() < 0.7:
            tree: Any = right()
        else:
            tree = self._example(inspect.type_info(REQUESTS[name]), "")
        self._number += 1
        if isinstance(tree, dict) and rng.random() < 0.8:
            for key in ("paymentRequestId", "refundRequestId", "captureRequestId", "updateRequestId"):
                if key in tree:
                    tree[key] = f"X{self._number}"
        for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
            tree = self._bent(tree)
        text = json.dumps(tree, ensure_ascii=rng.random() < 0.5)
        return self._twisted(text).encode("utf-8", "surrogatepass")

    def _example(self, kind: Any, name: str) -> Any:
        """A value of a type, with most of its members."""
        rng = self._rng
        match kind:
            case inspect.StructType():
                given = [one for one in kind.fields if one.required or rng.random() < 0.6]
                return {one.encode_name: self._example(one.type, one.encode_name) for one in given}
            case inspect.UnionType():
                return self._example(rng.choice(kind.types), name)
            case inspect.ListType() | inspect.VarTupleType() | inspect.CollectionType():
                return [self._example(kind.item_type, name) for _ in range(rng.choice((0, 1, 2)))]
            case inspect.DictType():
                return {"a": "b"}
            case inspect.EnumType():
                return rng.choice([one.value for one in kind.cls])
            case inspect.LiteralType():
                return rng.choice(kind.values)
            case inspect.BoolType():
                return rng.random() < 0.5
            case inspect.IntType():
                return rng.randint(0, 100)
            case inspect.FloatType():
                return 1.5
            case inspect.NoneType():
                return None
            case _:
                return self._text(name)

    def _text(self, name: str) -> str:
        """A text that a member of this name may well have."""
        fitting = {
            "paymentId": self._payment, "currency": "EUR", "value": "100", "paymentMethodId": self._code,
            "paymentMethodType": "CONNECT_WALLET", "productCode": "IN_STORE_PAYMENT",
            "inStorePaymentScenario": "PaymentCode", "settlementCurrency": "EUR",
        }  # fmt: skip
        return fitting.get(name, f"{name}{self._rng.randint(0, 20)}")

    def _bent(self, tree: Any) -> Any:
        """One change somewhere."""
        places = list(_places(tree))
        if not places:
            return self._odd(tree)
        holder, key = self._rng.choice(places)
        match self._rng.choice(("drop", "odd", "odd", "odd", "text", "type", "deep", "rename")):
            case "drop":
                del holder[key]
            case "odd":
                holder[key] = self._odd(holder[key])
            case "text":
                holder[key] = self._rng.choice(TEXTS)
            case "type":
                holder[key] = [holder[key]] if self._rng.random() < 0.5 else {"value": holder[key]}
            case "deep":
                holder[key] = _deep(self._rng.choice((5, 100, 300)), self._rng.random() < 0.5)
            case "rename" if isinstance(holder, dict):
                holder[f"{key}x"] = holder.pop(key)
        return tree

    def _odd(self, value: Any) -> Any:
        """Something else than this value, often nearly it."""
        rng = self._rng
        if isinstance(value, str) and rng.random() < 0.6:
            nearly = (
                value * 40, value[:-1], value + "\x00", value.swapcase(), f" {value}",
                int(value) if value.isdecimal() and value.isascii() else 7,
                f"{value}0000000000000000", f"-{value}", f"{value}.0",
            )  # fmt: skip
            return rng.choice(nearly)
        return rng.choice(VALUES + TEXTS)

    def _twisted(self, text: str) -> str:
        """Now and then what no tree can say: a member twice, something behind the end, another form."""
        rng = self._rng
        roll = rng.random()
        if roll < 0.06 and text.startswith("{") and len(text) > 2:
            return '{"paymentRequestId":"twice",' + text[1:]
        if roll < 0.08:
            return text + rng.choice(("}", " ", "\n{}", "\x00", "//"))
        if roll < 0.10:
            return text[: rng.randint(0, len(text))]
        return f"\ufeff{text}" if roll < 0.11 else text


def _places(tree: Any, levels: int = 12) -> list[tuple[Any, Any]]:
    """Every member and element with what holds it, as far down as messages go."""
    if not levels or not isinstance(tree, dict | list):
        return []
    keys = list(tree) if isinstance(tree, dict) else range(len(tree))
    here: list[tuple[Any, Any]] = [(tree, key) for key in keys]
    return here + [place for _, key in here for place in _places(tree[key], levels - 1)]


def _deep(levels: int, in_lists: bool) -> Any:
    value: Any = "bottom"
    for _ in range(levels):
        value = [value] if in_lists else {"a": value}
    return value


@dataclass
class Line:
    """A signed exchange with the application, judged."""

    shop: Shop
    till: Till

    async def send(self, name: str, body: bytes) -> dict[str, Any]:
        path = path_of(name)
        time = now().isoformat(timespec="seconds")
        headers = self.till.headers(body, path=path, time=time)
        reply = await exchange(self.shop.app, "POST", path, headers, [body])
        result = self.till.check(reply, path, CLIENT)
        assert result["resultCode"] in ResultCode.__members__, (name, body[:300], result)
        assert result["resultCode"] != "UNKNOWN_EXCEPTION", (name, body[:2000], result)
        found: dict[str, Any] = msgspec.json.decode(reply.body)
        return found


def _resident() -> int:
    """Bytes of memory that this process has now."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_an_hour_of_bent_requests(shop: Shop, key: rsa.RSAPrivateKey) -> None:
    rng = Random(SEED)
    line = Line(shop, Till({1: key}, shop.platform_key))
    paid = await shop.pay()
    assert paid["result"]["resultCode"] == "SUCCESS"
    fuzzer = Fuzzer(rng, paid["paymentId"], "281010897274821897")
    device = shop.world.device
    curve: list[int] = []
    for number in range(REQUESTS_SENT):
        name = rng.choice(("payments/pay", "payments/refund", *REQUESTS))
        code = await aside(_code, device)
        body = fuzzer.body(name, lambda code=code: in_store(shop.world, code=code))
        await line.send(name, body)
        if number % (REQUESTS_SENT // 12) == 0:
            curve.append(_resident())
    print(f"{REQUESTS_SENT} requests, MiB: {' '.join(f'{size / 2**20:.0f}' for size in curve)}")
    grown = _resident() - curve[4]
    report = await aside(verify_books)
    assert report.holds, report.first_difference
    assert grown < 16 * 2**20, (
        f"{REQUESTS_SENT} requests, and {grown / 2**20:.1f} MiB more than after a third"
    )


def _code(device: int) -> str:
    """A fresh code; when all ten of this half minute are spent, one that is not good any more."""
    try:
        return wallet.payment_code_for(device, now()).digits
    except wallet.CodesExhausted:
        return "281010897274821897"
