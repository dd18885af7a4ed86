"""What the machine can do at all, and what our processes take of it. Linux: read from /proc."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_TICKS = os.sysconf("SC_CLK_TCK")


def family(root: int) -> list[int]:
    """A process and all its descendants."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents[int(entry.name)] = int(fields[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time that processes have used so far, theirs and the kernel's on their behalf."""
    used = (fields[11:13] for pid in pids if (fields := _stat(pid)))
    return sum(int(user) + int(system) for user, system in used) / _TICKS


def resident_mb(pids: Iterable[int]) -> float:
    """Resident memory of processes in MB of 2^20 bytes; pages that two of them share count twice."""
    return _sum_kb(pids, "status", r"VmRSS:\s+(\d+) kB") / 1024


def proportional_mb(pids: Iterable[int]) -> float:
    """The same with shared pages divided among those who share them: what the machine really gives."""
    return _sum_kb(pids, "smaps_rollup", r"Pss:\s+(\d+) kB") / 1024


def signatures_per_second(seconds: float) -> float:
    """RSA-2048 signatures of one thread: the wall that every signed answer runs into."""
    from comptoir.standards.antom import signing

    key = signing.generate_key()
    content = signing.content_to_sign("/ams/api/v1/payments/pay", "5Y0000000000001", "2026-11-23", b"x" * 800)
    made, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        signing.sign(key, content)
        made += 1
    return made / (time.perf_counter() - started)


class PgBench:
    """`pgbench -N` on a database of its own in the same server: what single commits cost here."""

    def __init__(self, database_url: str, scale: int) -> None:
        """Make the database and its tables; `scale` times 100,000 accounts."""
        import psycopg

        from comptoir.cli.postgres import binary

        self._program = str(binary("pgbench"))
        parts = urlsplit(database_url)
        self._where = ["-h", parse_qs(parts.query)["host"][0], "-U", parts.username or "", "pgbench"]
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE pgbench")
        self._run("-i", "-q", "-s", str(scale))

    def transactions_per_second(self, seconds: int) -> float:
        """16 clients, 2 threads; a transaction is an update, a select and an insert, each committed."""
        said = self._run("-N", "-c", "16", "-j", "2", "-T", str(seconds))
        found = re.search(r"tps = ([0-9.]+)", said)
        if found is None:
            raise RuntimeError(f"pgbench did not say its rate:\n{said}")
        return float(found[1])

    def _run(self, *arguments: str) -> str:
        command = [self._program, *arguments, *self._where]
        environment = {"PATH": os.defpath, "LC_ALL": "C"}
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, env=environment, timeout=120
        )
        if done.returncode:
            raise RuntimeError(f"pgbench failed: {done.stderr}")
        return done.stdout


def _sum_kb(pids: Iterable[int], file: str, pattern: str) -> int:
    found = (re.search(pattern, Path(f"/proc/{pid}/{file}").read_text()) for pid in pids)
    return sum(int(one[1]) for one in found if one)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name; none for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
