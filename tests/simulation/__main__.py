"""`python -m tests.simulation`: many histories over several processes; one that fails names its seed."""

from __future__ import annotations

import argparse
import base64
import gc
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.history import Result


def main() -> int:
    """Run what the arguments say; 1 when a history fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--payments", type=int, default=1_000_000, help="payments in all histories together")
    parser.add_argument("--each", type=int, default=2000, help="payments of one history")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seed", type=int, help="replay one history, and print every answer of it")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    if given.seed is not None:
        return _replay(given.seed, given.each)
    seeds = range(given.first, given.first + -(-given.payments // given.each))
    return _many(seeds, given.each, given.processes)


def _many(seeds: range, each: int, processes: int) -> int:
    _set_up()  # results are read here
    started, codes, faults, payments = time.monotonic(), Counter[str](), Counter[str](), 0
    with ProcessPoolExecutor(processes, initializer=_set_up) as pool:
        asked = {pool.submit(_one, seed, each): seed for seed in seeds}
        for done in as_completed(asked):
            seed = asked[done]
            try:
                result = done.result()
            except Exception as error:
                print(f"seed {seed}: {type(error).__name__}: {error}")
                print(f"replay it: .venv/bin/python -m tests.simulation --seed {seed} --each {each}")
                pool.shutdown(cancel_futures=True)
                return 1
            payments += result.payments
            codes += result.codes
            faults += result.faults
    took = time.monotonic() - started
    print(f"{payments} payments in {len(seeds)} histories, {took:.0f} s, {payments / took:.0f} a second")
    for name, number in sorted(codes.items()):
        print(f"  {number:>9}  {name}")
    print("  killed: " + ", ".join(f"{name} {number}" for name, number in sorted(faults.items())))
    return 0


def _replay(seed: int, each: int) -> int:
    _set_up()
    from tests.simulation.history import run

    result = run(seed, each, digest=True, show=True)
    print(f"seed {seed}: {result.payments} payments, {result.digest}")
    return 0


def _one(seed: int, each: int) -> Result:
    from tests.simulation.history import run

    return run(seed, each)


def _set_up() -> None:
    """Settings without a home folder or a database: the simulation has its own."""
    os.environ["COMPTOIR_MASTER_KEY"] = base64.b64encode(bytes(range(32))).decode()
    os.environ["DJANGO_SETTINGS_MODULE"] = "comptoir.config.settings"
    import django

    django.setup()
    gc.freeze()  # the modules stay: nobody need look through them again


if __name__ == "__main__":
    sys.exit(main())
