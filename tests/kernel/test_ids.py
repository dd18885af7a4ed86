"""Ids that sort by the time they were made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import accumulate
from unittest.mock import patch
from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from comptoir.kernel.ids import before_all_of, made_at, new_id

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 10**16).map(lambda micros: _EPOCH + timedelta(microseconds=micros))


@given(made=INSTANTS, asked=INSTANTS)
def test_a_bound_parts_what_was_made_before_from_what_was_made_since(made: datetime, asked: datetime) -> None:
    ms = (made - _EPOCH) // timedelta(milliseconds=1)
    one = new_id(ms)
    assert timedelta(0) <= made - made_at(one) < timedelta(milliseconds=1)
    bound = (asked - _EPOCH) // timedelta(milliseconds=1)
    assert (one > before_all_of(asked)) == (ms >= bound)


def test_a_bound_exists_for_every_instant() -> None:
    assert before_all_of(datetime.min.replace(tzinfo=UTC)).int == 0
    assert before_all_of(datetime.max.replace(tzinfo=UTC)) > new_id()


@given(
    start=st.integers(0, 2**47 * 1_000_000), steps=st.lists(st.integers(250, 10**7), min_size=1, max_size=20)
)
def test_what_is_made_one_after_another_stays_in_that_order(start: int, steps: list[int]) -> None:
    """Also within a millisecond: a quarter of a microsecond (1/4096 of it) is told apart."""
    clock = list(accumulate([start, *steps]))
    with patch("comptoir.kernel.ids.time.time_ns", side_effect=clock):
        made = [new_id() for _ in clock]
    assert made == sorted(made)
    assert {(one.version, one.variant) for one in made} == {(7, RFC_4122)}
    assert [one.int >> 80 for one in made] == [at // 1_000_000 for at in clock]
