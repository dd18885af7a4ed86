"""`python -m tests.simulation`: many histories over several processes; one that fails names its seed."""

from __future__ import annotations

import argparse
import base64
import gc
import os
import sys
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.history import Result


#: How often a long run says how far it is.
PROGRESS_S = 30


def main() -> int:
    """Run what the arguments say; 1 when a history fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--payments", type=int, default=1_000_000, help="payments in all histories together")
    parser.add_argument("--each", type=int, default=2000, help="payments of one history")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seed", type=int, help="replay one history, and print every answer of it")
    parser.add_argument("--minutes", type=float, help="begin no history after so many minutes")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    if given.seed is not None:
        return _replay(given.seed, given.each)
    seeds = range(given.first, given.first + -(-given.payments // given.each))
    return _many(seeds, given.each, given.processes, given.minutes)


class Total:
    """What came of all histories together."""

    def __init__(self) -> None:
        self.began, self.said = time.monotonic(), 0.0
        self.histories, self.payments, self.processor_s = 0, 0, 0.0
        self.codes, self.faults = Counter[str](), Counter[str]()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.began

    def add(self, result: Result, processor_s: float) -> None:
        """Count a history; say now and then how far it is."""
        self.histories += 1
        self.payments += result.payments
        self.processor_s += processor_s
        self.codes += result.codes
        self.faults += result.faults
        if self.seconds - self.said >= PROGRESS_S:
            self.said = self.seconds
            print(f"  {self.said:.0f} s: {self.payments} payments in {self.histories} histories", flush=True)

    def show(self) -> None:
        """All of it."""
        print(
            f"{self.payments} payments in {self.histories} histories: {self.seconds:.0f} s, "
            f"{self.processor_s:.0f} s of processor time, {self.payments / self.processor_s:.0f} a second"
        )
        for name, number in sorted(self.codes.items()):
            print(f"  {number:>9}  {name}")
        print("  killed: " + ", ".join(f"{name} {number}" for name, number in sorted(self.faults.items())))


def _many(seeds: range, each: int, processes: int, minutes: float | None) -> int:
    _set_up()  # results are read here
    print(f"seeds from {seeds.start} on, {each} payments each, {processes} processes", flush=True)
    total, left = Total(), iter(seeds)
    asked: dict[Future[tuple[Result, float]], int] = {}
    with ProcessPoolExecutor(processes, initializer=_set_up) as pool:
        while True:
            going_on = minutes is None or total.seconds < 60 * minutes
            for seed in islice(left, 2 * processes - len(asked) if going_on else 0):
                asked[pool.submit(_one, seed, each)] = seed
            if not asked:
                break
            for done in wait(asked, return_when=FIRST_COMPLETED).done:
                seed = asked.pop(done)
                if error := done.exception():
                    print(f"seed {seed}: {type(error).__name__}: {error}")
                    print(f"replay it: .venv/bin/python -m tests.simulation --seed {seed} --each {each}")
                    pool.shutdown(cancel_futures=True)
                    return 1
                total.add(*done.result())
    total.show()
    return 0


def _replay(seed: int, each: int) -> int:
    _set_up()
    from tests.simulation.history import run

    result = run(seed, each, digest=True, show=True)
    print(f"seed {seed}: {result.payments} payments, {result.digest}")
    return 0


def _one(seed: int, each: int) -> tuple[Result, float]:
    """One history, and the processor time that it took, in seconds."""
    from tests.simulation.history import run

    began = time.process_time()
    return run(seed, each), time.process_time() - began


def _set_up() -> None:
    """Settings without a home folder or a database: the simulation has its own."""
    os.environ["COMPTOIR_MASTER_KEY"] = base64.b64encode(bytes(range(32))).decode()
    os.environ["DJANGO_SETTINGS_MODULE"] = "comptoir.config.settings"
    import django

    django.setup()
    gc.freeze()  # the modules stay: nobody need look through them again


if __name__ == "__main__":
    sys.exit(main())
