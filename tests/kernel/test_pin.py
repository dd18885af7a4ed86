"""PINs: what is one, what is too easy, what wrong ones cost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from comptoir.kernel.pin import is_guessable, is_pin, lock_after, tries_left


def test_six_digits_that_are_no_run() -> None:
    assert is_pin("204681")
    assert not is_pin("20468")
    assert not is_pin("２０４６８１")
    assert not is_guessable("204681")
    assert is_guessable("777777")
    assert is_guessable("890123")


def test_the_tries_that_are_left() -> None:
    assert [tries_left(failures) for failures in (1, 4, 6)] == [4, 1, 4]


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [
        (0, None), (1, None), (4, None), (5, 15), (6, None), (9, None), (10, 30), (15, 60), (20, 120),
        (25, 240), (30, 480), (35, 960), (40, 1440), (45, 1440), (5000, 1440), (32765, 1440),
    ],
)  # fmt: skip
def test_pauses_double_up_to_a_day(failures: int, minutes: int | None) -> None:
    assert lock_after(failures) == (None if minutes is None else timedelta(minutes=minutes))


def test_a_patient_guesser_gets_five_a_day() -> None:
    guesses, at = 0, timedelta(0)
    while at < timedelta(days=365):
        guesses += 1
        at += lock_after(guesses) or timedelta(0)
    assert guesses < 2000  # of a million
