"""The table for people and the one line for machines."""

from __future__ import annotations

import json
import os
import platform
import statistics

from rich.console import Console
from rich.table import Table

from bench.rounds import Figures, Kind


def summary(figures: Figures) -> dict[str, str | float]:
    """The figures that the project is held to."""
    per_second = figures.spread.per_second
    return {
        "bench": "payments",
        "per_second": round(per_second, 1),
        "ratio_pgbench": round(per_second / statistics.median(figures.pgbench), 3),
        "ratio_ungrouped": round(per_second / figures.ungrouped.per_second, 2),
        "ratio_one_merchant": round(figures.one_merchant.per_second / per_second, 3),
        "p99_ms_at_half_load": round(figures.half.quantile_ms(0.99), 1),
        "gateway_rss_mb": round(figures.gateway_rss_mb, 1),
    }


def show(figures: Figures, console: Console) -> None:
    """Both, to `console`; the JSON line comes last, alone on its line."""
    console.print()
    console.print(_kinds(figures))
    console.print(_machine(figures))
    console.print(_targets(figures))
    console.print(json.dumps(summary(figures)), soft_wrap=True, highlight=False, markup=False)


def _kinds(figures: Figures) -> Table:
    table = Table(title="Signed in-store payments over HTTP (medians of the rounds)")
    table.add_column("load")
    for name in ("payments/s", "p50 ms", "p95 ms", "p99 ms", "gateway µs", "PostgreSQL µs", "generator µs"):
        table.add_column(name, justify="right")
    rows: tuple[tuple[str, Kind], ...] = (
        ("all shops, full speed", figures.spread),
        ("all shops, half speed", figures.half),
        ("one merchant, full speed", figures.one_merchant),
        ("all shops, batches of 1", figures.ungrouped),
    )
    for name, kind in rows:
        waits = [f"{kind.quantile_ms(share):.1f}" for share in (0.5, 0.95, 0.99)]
        parts = ("gateway", "PostgreSQL", "load generator")
        cpu = [f"{kind.cpu[part] / kind.payments * 1e6:.0f}" for part in parts]
        table.add_row(name, f"{kind.per_second:,.0f}", *waits, *cpu)
    table.caption = "µs: processor time per payment"
    return table


def _machine(figures: Figures) -> Table:
    table = Table(title="This machine, in the same run", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row(
        "processors", f"{os.cpu_count()} ({platform.machine()}, Python {platform.python_version()})"
    )
    table.add_row("RSA-2048 signatures per second, one core", f"{statistics.median(figures.signatures):,.0f}")
    table.add_row(
        "pgbench -N -c 16 -j 2, transactions per second", f"{statistics.median(figures.pgbench):,.0f}"
    )
    what = f"{figures.gateway_rss_mb:.0f} MB in {figures.gateway_processes} processes"
    table.add_row("gateway, resident memory (supervisor and servers)", what)
    table.add_row("the same, shared pages counted once", f"{figures.gateway_pss_mb:.0f} MB")
    found = f"{figures.verified_payments:,} payments, {figures.verified_transfers:,} transfers"
    table.add_row("verified on the books, no difference", found)
    return table


#: Figure, what it should be, and whether more or less is better.
_TARGETS = (
    ("ratio_pgbench", 0.30, True),
    ("ratio_ungrouped", 10.0, True),
    ("ratio_one_merchant", 0.8, True),
    ("p99_ms_at_half_load", 60.0, False),
    ("gateway_rss_mb", 200.0, False),
)


def _targets(figures: Figures) -> Table:
    table = Table(title="Targets")
    table.add_column("figure")
    table.add_column("measured", justify="right")
    table.add_column("wanted", justify="right")
    table.add_column("")
    measured = summary(figures)
    for name, wanted, at_least in _TARGETS:
        value = float(measured[name])
        reached = value >= wanted if at_least else value < wanted
        sign = "at least" if at_least else "under"
        table.add_row(
            name, f"{value:g}", f"{sign} {wanted:g}", "[green]reached[/]" if reached else "[red]missed[/]"
        )
    return table
