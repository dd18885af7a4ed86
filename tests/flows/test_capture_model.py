"""Any order of steps on one authorization, against a model of it in plain Python.

The model knows amounts only: what is authorized, captured, refunded, and the rules of when. Its parts are
computed from fractions. The wallet also pays for other things meanwhile, from what is left free.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comptoir.acquiring.rules import AUTHORIZATION_LIFE
from comptoir.flows import api as flows
from comptoir.standards.payment_code import Form, build
from tests.flows.support import NOW, Scene, assert_books_hold, make_scene

BALANCE = 12_000
PRICE, MID = Fraction("7.979"), Fraction("7.9")


@dataclass
class Model:
    """One authorization and the wallet behind it; amounts in cents and fen."""

    authorized: int
    free: int = BALANCE
    captured: int = 0
    refunded: int = 0
    wallet_back: int = 0
    mid_back: int = 0
    ended: str = ""

    @property
    def whole(self) -> tuple[int, int]:
        """(mid, total) of what is authorized."""
        return round(self.authorized * MID), round(self.authorized * PRICE)

    @property
    def taken(self) -> tuple[int, int]:
        """(mid, margin) of what was captured: every part rounded down as a sum."""
        mid, total = self.whole
        return mid * self.captured // self.authorized, (total - mid) * self.captured // self.authorized

    @property
    def held(self) -> int:
        return 0 if self.ended else self.whole[1] - sum(self.taken)

    @property
    def purse(self) -> int:
        return self.free + self.held

    def capture(self, minor: int, last: bool) -> bool:
        if self.ended or self.captured + minor > self.authorized:
            return False
        left = self.held
        before = sum(self.taken)
        self.captured += minor
        if last or self.captured == self.authorized:
            self.free += left - (sum(self.taken) - before)
            self.ended = "captured"
        return True

    def update(self, minor: int) -> bool:
        if self.ended or self.captured:
            return False
        more = round(minor * PRICE) - self.whole[1]
        if more > self.free:
            return False
        self.free -= more
        self.authorized = minor
        return True

    def refund(self, minor: int) -> bool:
        if self.ended == "void" or not self.captured or self.refunded + minor > self.captured:
            return False
        self.refunded += minor
        mid, margin = (part * self.refunded // self.captured for part in self.taken)
        back_mid = max(mid - self.mid_back, 0)
        back_margin = max(margin - (self.wallet_back - self.mid_back), 0)
        self.free += back_mid + back_margin
        self.mid_back += back_mid
        self.wallet_back += back_mid + back_margin
        return True

    def release(self) -> None:
        if not self.ended:
            self.free += self.held
            self.ended = "expired" if self.captured else "void"

    def cancel(self) -> bool:
        if self.ended == "void":
            return True
        if self.captured:
            return False
        self.release()
        return True

    def spend(self, minor: int) -> bool:
        cost = round(minor * PRICE)
        if cost > self.free:
            return False
        self.free -= cost
        return True


amounts = st.integers(1, 1500)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("capture"), st.integers(1, 700), st.sampled_from([False, False, False, True])),
        st.tuples(st.just("update"), amounts, st.just(False)),
        st.tuples(st.just("refund"), st.integers(1, 700), st.just(False)),
        st.tuples(st.just("spend"), st.integers(1, 400), st.just(False)),
        st.tuples(st.just("cancel"), st.just(0), st.just(False)),
        st.tuples(st.sampled_from(["wait", "expire"]), st.just(0), st.just(False)),
    ),
    min_size=3,
    max_size=10,
)


@pytest.mark.usefixtures("module_database")
@given(authorized=amounts, plan=steps, together=st.booleans())
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
def test_any_order_of_steps(authorized: int, plan: list[tuple[str, int, bool]], together: bool) -> None:
    scene = make_scene(balance=BALANCE)
    scene.desk = flows.Desk(3650)
    now = NOW
    held = scene.one(scene.hold("A", authorized))
    model = Model(authorized)
    fits = round(authorized * PRICE) <= BALANCE
    assert (held.code == flows.OK) is fits
    if not fits:
        assert scene.purse == scene.available == BALANCE
        return
    assert held.payment is not None
    model.free -= model.whole[1]
    spent = 0
    for number, (step, minor, last) in enumerate(plan):
        now = now + (AUTHORIZATION_LIFE if step == "expire" else timedelta(seconds=30))
        command = _command(scene, step, f"{step}-{number}", held.payment.id, minor, last, now)
        before = scene.purse, scene.available, scene.owed(), scene.held()
        outcomes = scene.do(*[command] * (2 if together else 1), now=now)
        done = {
            "capture": lambda minor=minor, last=last: model.capture(minor, last),
            "update": lambda minor=minor: model.update(minor),
            "refund": lambda minor=minor: model.refund(minor),
            "spend": lambda minor=minor: model.spend(minor),
            "cancel": model.cancel,
        }
        if step == "expire":
            model.release()
        elif step != "wait":
            succeeded = done[step]()
            assert [one.code == flows.OK for one in outcomes] == [succeeded] * len(outcomes), (step, outcomes)
            spent += minor if step == "spend" and succeeded else 0
            if not succeeded:
                assert before == (scene.purse, scene.available, scene.owed(), scene.held()), "nothing moves"
        assert (scene.purse, scene.available) == (model.purse, model.free), (step, number)
        left = 0 if model.ended else model.authorized - model.captured
        assert (scene.owed(), scene.held()) == (model.captured - model.refunded + spent, left)
    assert_books_hold()


def _command(
    scene: Scene, step: str, ref: str, payment_id: UUID, minor: int, last: bool, now: datetime
) -> flows.Command:
    match step:
        case "capture":
            return scene.capture(ref, payment_id, minor, last=last)
        case "update":
            return scene.update(ref, payment_id, minor)
        case "refund":
            return scene.refund(ref, payment_id, minor)
        case "spend":
            return scene.pay(ref, minor, code=build(Form.SHORT, scene.device, scene.seed, now, 1))
        case "cancel":
            return scene.cancel(payment_id)
    return flows.Expire(merchant_id=scene.merchant_id, payment_id=payment_id)
