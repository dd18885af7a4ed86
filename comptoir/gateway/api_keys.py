"""Callers that sign nothing and show an API key instead.

There is no time and no signature to check: who has the key can call, and can repeat what was called, which
the ids in the requests make harmless. So the key is for TLS only, is looked up by the half that is no
secret, and its secret half is compared in constant time. It is never logged, and no answer says which half
was wrong.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from comptoir.gateway.clients import Memory
from comptoir.gateway.results import Turned
from comptoir.gateway.transport import Head
from comptoir.identity.api import ApiKeyView, ClientView, is_secret
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import parse_id
from comptoir.standards.antom import api_key
from comptoir.standards.antom.api_key import ApiKey
from comptoir.standards.antom.paths import Operation, is_sandbox
from comptoir.standards.antom.results import ResultCode

_WRONG: Final = (
    "no live API key is this one: it is isak_ or irak_, TEST or PROD, and was shown when it was made"
)


class ApiKeys:
    """The keys that were shown lately, each remembered for a few seconds."""

    def __init__(self, load: Callable[[UUID], Awaitable[ApiKeyView | None]]) -> None:
        async def by_name(name: str) -> ApiKeyView | None:
            try:
                key_id = parse_id(name, "id")
            except InvalidValue:
                return None
            return await load(key_id)

        self._keys: Memory[ApiKeyView] = Memory(by_name)

    async def holder(self, head: Head, operation: Operation) -> ClientView:
        """Whose key it is, if it is one and opens this path. Raises Turned."""
        shown = api_key.parse_header(head.authorization)
        kept = await self._keys.get(shown.id) if shown else None
        right = is_secret(shown.secret if shown else "", kept.secret_hash if kept else None)
        if shown is None or kept is None or not right or _disguised(shown, kept):
            raise Turned(ResultCode.KEY_NOT_FOUND, _WRONG)
        if is_sandbox(head.path) is not shown.test:
            side = "/ams/sandbox/api/ only" if shown.test else "/ams/api/, not the sandbox"
            raise Turned(ResultCode.CLIENT_FORBIDDEN_ACCESS_API, f"this key is for {side}")
        if kept.operations is not None and operation.name not in kept.operations:
            raise Turned(ResultCode.CLIENT_FORBIDDEN_ACCESS_API, f"this key is not for {operation.name}")
        return kept.client


def _disguised(shown: ApiKey, kept: ApiKeyView) -> bool:
    """Whether the words before the id are not those that the key was handed out with."""
    return (shown.kind, shown.test) != (kept.kind, kept.client.sandbox)
