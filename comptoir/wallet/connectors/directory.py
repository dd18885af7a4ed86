"""Whose code is it: our own wallet's, or which connector's."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from comptoir.kernel.errors import InvalidValue
from comptoir.standards import payment_code
from comptoir.standards.antom.messages import Result
from comptoir.standards.payment_code import Scheme
from comptoir.wallet.connectors import IssuerConnector, IssuerListener, Notice
from comptoir.wallet.connectors.simulator import Behavior, SimulatedWallet
from comptoir.wallet.errors import IssuersInvalid
from comptoir.wallet.types import OWN_ISSUER, SIMULATED, UpstreamAccount

#: Shapes that no wallet shows: they name no issuer.
_NO_PAYMENT_CODE: Final = (Scheme.UNKNOWN, Scheme.ALIPAY_PLUS_ORDER)

#: They hold nothing, and anybody may have them.
_SIMULATED_WALLETS: Final = {f"{SIMULATED}{one.name}": SimulatedWallet(one) for one in Behavior}

_NAME: Final = re.compile(r"[A-Z0-9_]{1,32}")
_PREFIX: Final = re.compile(r"[0-9]{2,16}")


class IssuerEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One issuer of the table: the dotted path of what makes its connector, called with `options`.

    Its codes are those that begin with one of `prefixes`, and those of `schemes` that nobody's prefix claims.
    """

    connector: str
    prefixes: Sequence[str] = ()
    schemes: Sequence[Scheme] = ()
    options: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"IssuerEntry({self.connector})"  # options may hold keys


class IssuerDirectory:
    """Routes codes to issuers and has a connector for each but our own. Codes of our shape are ours."""

    def __init__(
        self,
        entries: Mapping[str, IssuerEntry],
        connectors: Mapping[str, IssuerConnector],
        *,
        own_wallets: bool = True,
    ) -> None:
        """`connectors` has one for each entry. Without `own_wallets` a code of our shape is nobody's unless
        claimed. Raises IssuersInvalid when two claim the same codes."""
        self._own_wallets = own_wallets
        self._connectors = dict(connectors)
        self._prefixes, self._schemes = _claims(entries)
        if entries.keys() != self._connectors.keys():
            raise IssuersInvalid("every issuer needs a connector")

    def route(self, code: str) -> str | None:
        """The name of the issuer of a scanned code: OWN_ISSUER, a name of the table, or None for nobody's.

        A code of our own shape is ours, if there are wallets here; then the longest claimed prefix counts,
        then the scheme.
        """
        scheme = payment_code.classify(code)
        if scheme in _NO_PAYMENT_CODE:
            return None
        if self._own_wallets and _is_ours(code):
            return OWN_ISSUER
        for length in range(len(code), 1, -1):
            if name := self._prefixes.get(code[:length]):
                return name
        return self._schemes.get(scheme)

    @property
    def names(self) -> tuple[str, ...]:
        """The issuers of the table, as it lists them."""
        return tuple(self._connectors)

    def connector(self, name: str) -> IssuerConnector:
        """The connector of an issuer of the table, or of a simulated wallet; no code is routed to those.

        Raises IssuersInvalid for any other, our own too.
        """
        if (simulated := _SIMULATED_WALLETS.get(name)) is not None:
            return simulated
        try:
            return self._connectors[name]
        except KeyError:
            raise IssuersInvalid(f"there is no connector to the issuer {name}") from None

    def heard(self, name: str, path: str, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """What an issuer told us unasked; None when it is not believed, or nobody here listens to it."""
        connector = self._connectors.get(name)
        return connector.heard(path, headers, body) if isinstance(connector, IssuerListener) else None

    async def aclose(self) -> None:
        """Close every connector."""
        for one in self._connectors.values():
            await one.aclose()


def open_issuers(table: Mapping[str, Mapping[str, Any]] | None = None) -> IssuerDirectory:
    """The directory of `table` (default: the setting COMPTOIR_ISSUERS). Raises IssuersInvalid.

    The table: name (capitals, digits, underscores) to `connector`, `prefixes`, `schemes`, `options`.
    """
    return IssuerDirectory(*_configured(settings.COMPTOIR_ISSUERS if table is None else table))


def _configured(
    table: Mapping[str, Mapping[str, Any]],
) -> tuple[dict[str, IssuerEntry], dict[str, IssuerConnector]]:
    entries: dict[str, IssuerEntry] = {}
    connectors: dict[str, IssuerConnector] = {}
    for name, members in table.items():
        try:
            entries[name] = msgspec.convert(members, IssuerEntry)
            connectors[name] = import_string(entries[name].connector)(**entries[name].options)
        except (msgspec.ValidationError, ImportError, TypeError) as error:
            # Not the error's own text: it may quote an option, and options hold keys.
            raise IssuersInvalid(f"the issuer {name} cannot be set up: {type(error).__name__}") from None
    return entries, connectors


async def configured_issuers(public_url: str) -> IssuerDirectory:
    """The directory of this installation: the setting's issuers, and the upstreams of the database.

    `public_url` is where upstreams reach us. The database is read in a thread of its own, whose connection
    ends with it. Raises IssuersInvalid, CannotUnseal, and what Django's database raises.
    """
    return await asyncio.to_thread(_read_configured, public_url)


async def probe_upstream(account: UpstreamAccount) -> Result | None:
    """What an upstream answers about a payment that nobody made, or None without a believable answer."""
    from comptoir.wallet.connectors.upstream import UpstreamConnector

    connector = UpstreamConnector(account, "http://localhost")
    try:
        return await connector.probe()
    finally:
        await connector.aclose()


def _read_configured(public_url: str) -> IssuerDirectory:
    from comptoir.wallet.queries.upstreams import upstream_account, upstreams

    entries, made = _configured(settings.COMPTOIR_ISSUERS)
    try:
        for one in upstreams():
            # Here: who has no upstream needs no HTTP client in each gateway.
            from comptoir.wallet.connectors.upstream import UpstreamConnector

            if one.name in entries:
                raise IssuersInvalid(f"there are two issuers {one.name}: one of the file, one added")
            entries[one.name] = IssuerEntry(connector="", prefixes=one.prefixes)
            made[one.name] = UpstreamConnector(upstream_account(one.name), public_url)
    finally:
        connection.close()
    return IssuerDirectory(entries, made, own_wallets=bool(settings.COMPTOIR.wallet_currencies))


def check_claims(entries: Mapping[str, IssuerEntry]) -> None:
    """Refuse names that are none, and codes that two issuers claim. Raises IssuersInvalid."""
    _claims(entries)


def _claims(entries: Mapping[str, IssuerEntry]) -> tuple[dict[str, str], dict[Scheme, str]]:
    """Whose a prefix is, and whose a scheme. Raises IssuersInvalid."""
    prefixes: dict[str, str] = {}
    schemes: dict[Scheme, str] = {}
    for name, entry in entries.items():
        _check_name(name)
        for prefix in entry.prefixes:
            if _PREFIX.fullmatch(prefix) is None:
                raise IssuersInvalid(f"{name}: a prefix has 2 to 16 digits")
            if prefixes.setdefault(prefix, name) != name:
                raise IssuersInvalid(f"the prefix {prefix} is claimed twice")
        for scheme in entry.schemes:
            if scheme in _NO_PAYMENT_CODE:
                raise IssuersInvalid(f"{name}: {scheme.value} is no scheme of payment codes")
            if schemes.setdefault(scheme, name) != name:
                raise IssuersInvalid(f"the scheme {scheme.value} is claimed twice")
    return prefixes, schemes


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None or name == OWN_ISSUER or name.startswith(SIMULATED):
        raise IssuersInvalid(
            "an issuer's name has capitals, digits and underscores, is not our own and no simulated one"
        )


def _is_ours(code: str) -> bool:
    try:
        payment_code.parse(code)
    except InvalidValue:
        return False
    return True
