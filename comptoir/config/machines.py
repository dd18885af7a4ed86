"""What stands behind the machines' door in one server process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from comptoir.gateway.app import Pool
from comptoir.gateway.call import Operations


@asynccontextmanager
async def start(pool: Pool) -> AsyncIterator[Operations]:
    """Start what the operations need, hand them over, and stop it in the end.

    Operations join here as they are built; the door answers NO_INTERFACE_DEF for every other path.
    """
    yield {}
