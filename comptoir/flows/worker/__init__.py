"""The worker: what has to be done without anybody asking.

`notify` delivers notifications, `expire` closes payments whose time is up, `renew` charges subscriptions,
`disputes` reminds merchants of disputes and ends those they do not answer, `issuers` finds out what other
wallets did, `rates` fetches reference rates where that is wanted, `housekeeping` tidies up. `loop` runs them
side by side and outlives the database. Any number of worker processes may run: items and payments are
claimed or locked in the database, never by a process for itself.

Started by `comptoir worker`.
"""

from __future__ import annotations

from comptoir.flows.engine.desk import Desk
from comptoir.flows.notifications import Sender
from comptoir.flows.worker.disputes import DisputesJob
from comptoir.flows.worker.expire import ExpireJob
from comptoir.flows.worker.housekeeping import HousekeepingJob
from comptoir.flows.worker.issuers import IssuersJob
from comptoir.flows.worker.loop import Job, Worker
from comptoir.flows.worker.notify import NotifyJob
from comptoir.flows.worker.rates import RatesJob
from comptoir.flows.worker.renew import RenewJob
from comptoir.kernel.clock import Clock
from comptoir.kernel.watch import NOBODY, Watch
from comptoir.wallet.api import IssuerDirectory

__all__ = [
    "DisputesJob",
    "ExpireJob",
    "HousekeepingJob",
    "IssuersJob",
    "Job",
    "NotifyJob",
    "RatesJob",
    "RenewJob",
    "Worker",
    "jobs",
]


def jobs(
    *,
    clock: Clock,
    desk: Desk,
    issuers: IssuerDirectory,
    notify_private: bool,
    fx_fetch: bool,
    watch: Watch = NOBODY,
) -> list[Job]:
    """Every job of a worker. `notify_private`: merchants may be on this machine or network (demo only)."""
    work: list[Job] = [
        NotifyJob(Sender(allow_private=notify_private), clock, watch),
        ExpireJob(desk),
        RenewJob(desk),
        DisputesJob(desk),
        IssuersJob(issuers, desk),
        HousekeepingJob(watch),
    ]
    return [*work, RatesJob()] if fx_fetch else work
