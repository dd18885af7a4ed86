"""Tills that pay and refund without a pause while a test breaks things, and the proof afterwards."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg
from django.db import connections

from tests.api.support import House, Shop, Traveller
from tests.api.till import Answer, NoAnswer, in_store

SUCCESS = ("SUCCESS", "S")

#: What may be said while nothing is wrong with the request: done, or not known yet.
HONEST = {SUCCESS, ("UNKNOWN_EXCEPTION", "U"), ("REQUEST_TRAFFIC_EXCEED_LIMIT", "U")}

#: What a payment is told that was never processed while its code was good.
EXPIRED = ("EXPIRED_CODE", "F")


@dataclass
class Asked:
    """One request, and what was heard of it: nothing, or an answer."""

    name: str
    ref: str
    body: dict[str, Any] = field(repr=False)
    answer: Answer | None
    seconds: float

    @property
    def final(self) -> bool:
        """Whether it is known what became of it."""
        return self.answer is not None and self.answer.status != "U"


class Load:
    """`hands` threads at one shop's till. Every fourth payment is refunded in part.

    `patience`: for so many seconds a request is sent again, to the gateways in turn, until it is final.
    """

    def __init__(
        self,
        house: House,
        shop: Shop,
        travellers: Sequence[Traveller],
        hands: int = 6,
        patience: float = 0.0,
    ) -> None:
        self.house, self.shop, self.travellers = house, shop, travellers
        self.asked: list[Asked] = []
        self._hands, self._patience = hands, patience
        self._numbers = itertools.count()
        self._stop = threading.Event()

    @contextmanager
    def running(self, pause: float = 0.05) -> Iterator[None]:
        """Load from here on; when this ends every hand has finished its last request."""
        with ThreadPoolExecutor(self._hands) as pool:
            under_way = [pool.submit(self._work, pause) for _ in range(self._hands)]
            try:
                yield
            finally:
                self._stop.set()
            for one in under_way:
                one.result()

    @property
    def answered(self) -> int:
        """How many requests succeeded so far."""
        return sum(one.answer is not None and one.answer.kind == SUCCESS for one in list(self.asked))

    @property
    def unanswered(self) -> set[str]:
        """The requests that never had a final answer, however often they were sent."""
        return {one.ref for one in self.asked} - {one.ref for one in self.asked if one.final}

    def kinds(self) -> Counter[tuple[str, str] | None]:
        """How often each kind of answer was heard; None: no answer at all."""
        return Counter(one.answer.kind if one.answer else None for one in self.asked)

    def _work(self, pause: float) -> None:
        while not self._stop.is_set():
            n = next(self._numbers)
            traveller = self.travellers[n % len(self.travellers)]
            paid = self._ask("pay", f"R{n}", payment(self.shop, f"R{n}", traveller.code(), 500 + n % 700))
            if n % 4 == 0 and paid.answer is not None and paid.answer.kind == SUCCESS:
                back = {"currency": "EUR", "value": "123"}
                body = {
                    "refundRequestId": f"F{n}", "paymentId": paid.answer["paymentId"], "refundAmount": back,
                }  # fmt: skip
                self._ask("refund", f"F{n}", body)
            time.sleep(pause)

    def _ask(self, name: str, ref: str, body: dict[str, Any]) -> Asked:
        ends = time.monotonic() + self._patience
        asked = self._send(name, ref, body)
        while not asked.final and time.monotonic() < ends:
            asked = self._send(name, ref, body)
        return asked

    def _send(self, name: str, ref: str, body: dict[str, Any]) -> Asked:
        started, answer = time.monotonic(), None
        try:
            answer = self.shop.till.call(name, body)
        except NoAnswer:
            time.sleep(0.1)
        asked = Asked(name, ref, body, answer, time.monotonic() - started)
        self.asked.append(asked)
        return asked

    # ------------------------------------------------------------ the proof

    def prove(self) -> None:
        """All that must be true when the load has ended and everything runs again."""
        connections.close_all()  # ours may be victims too
        assert set(self.kinds()) <= HONEST | {None} | ({EXPIRED} if self._patience else set()), self.kinds()
        before = self.house.books()
        answered = [one for one in self.asked if one.answer is not None and one.answer.kind == SUCCESS]
        open_ones = [one for one in self.asked if one not in answered]
        for one, again in self._again(answered):
            assert one.answer is not None
            assert again.body == one.answer.body, one
        assert self.house.books() == before  # asking again did nothing
        late = self._again(open_ones)
        for one, again in late:
            expired = one.name == "pay" and again.kind == EXPIRED
            assert again.kind == SUCCESS or expired, (one, again.body)
        done = answered + [one for one, again in late if again.kind == SUCCESS]
        self._prove_books(done)

    def _again(self, asked: Sequence[Asked]) -> list[tuple[Asked, Answer]]:
        """The same requests once more, and their answers."""
        with ThreadPoolExecutor(self._hands) as pool:
            return list(zip(asked, pool.map(partial(_once_more, self.shop), asked), strict=True))

    def _prove_books(self, done: Sequence[Asked]) -> None:
        """What succeeded is in the books once, and nothing else is."""
        wanted = {
            name: {one.ref: int(one.body[amount]["value"]) for one in done if one.name == name}
            for name, amount in (("pay", "paymentAmount"), ("refund", "refundAmount"))
        }
        assert self._recorded("acquiring_payment") == wanted["pay"]
        assert self._recorded("acquiring_refund") == wanted["refund"]
        owed = sum(wanted["pay"].values()) - sum(wanted["refund"].values())
        assert self.shop.owed == owed
        self.house.assert_holds()

    def _recorded(self, table: str) -> dict[str, int]:
        """Amount of each success by its request id; a request that was done twice fails here."""
        with psycopg.connect(self.house.url) as connection:
            rows = connection.execute(
                f"SELECT request_ref, amount FROM {table} WHERE merchant_id = %s AND state = 'SUCCESS'",  # type: ignore[arg-type]
                (self.shop.merchant_id,),
            ).fetchall()
        assert len({ref for ref, _ in rows}) == len(rows)
        return {str(ref): int(amount) for ref, amount in rows}


def payment(shop: Shop, ref: str, code: str, minor: int) -> dict[str, Any]:
    """The body of a payment, with the shop's notification address if it has one."""
    notify = {"paymentNotifyUrl": shop.till.notify_url} if shop.till.notify_url else {}
    return in_store(ref, code, str(minor)) | notify


def _once_more(shop: Shop, one: Asked) -> Answer:
    return shop.till.call(one.name, one.body)
