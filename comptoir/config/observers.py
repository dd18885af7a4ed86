"""Who watches a process, as its environment says: nobody, metrics, traces, or both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from comptoir.config.environment import Environment
from comptoir.kernel.watch import NOBODY, Watch

if TYPE_CHECKING:
    from comptoir.config.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Observers:
    """`watch` is what the process tells; `metrics`, if there are any, what is shown at `address`."""

    watch: Watch
    metrics: Metrics | None
    address: tuple[str, int] | None

    @classmethod
    def of(cls, environment: Environment) -> Observers:
        """Loads what is wanted and nothing else: a process without metrics must not pay for them."""
        watch, metrics = NOBODY, None
        if environment.metrics is not None:
            from comptoir.config.metrics import Metrics

            watch = metrics = Metrics()
        if environment.traces:
            from comptoir.config.tracing import Traces

            watch = Traces(watch)
        return cls(watch, metrics, environment.metrics)

    @asynccontextmanager
    async def showing(self) -> AsyncIterator[None]:
        """Show the metrics, if there are any, while the context lasts. Raises EnvironmentInvalid."""
        if self.metrics is None or self.address is None:
            yield
            return
        from comptoir.config.metrics import show

        async with show(self.metrics.render, self.address):
            yield


UNOBSERVED = Observers(NOBODY, None, None)
