"""The process environment, read once into a value.

COMPTOIR_HOME        folder of everything this installation keeps (default ~/.comptoir)
COMPTOIR_PORT        port of the one HTTP server (default 8400)
COMPTOIR_PUBLIC_URL  address under which the outside reaches us (default http://localhost:<port>)
COMPTOIR_MASTER_KEY  32 bytes in base64, or several as version:key; without it, $COMPTOIR_HOME/master.key
COMPTOIR_NOTIFY_PRIVATE  1: notify merchants on this machine and in private networks too (demonstrations)
COMPTOIR_FX_MAX_AGE_DAYS  reference rates older than this many days are refused (default 5)
COMPTOIR_FX_FETCH    1: the worker fetches the ECB's reference rates (default 0: nothing is fetched)
COMPTOIR_ISSUERS_FILE  JSON file of other wallets' issuers (see comptoir.wallet.connectors; may hold keys)
COMPTOIR_QR_TEMPLATES_FILE  JSON file of payment schemes' account templates (see comptoir.standards.emv_qr)
COMPTOIR_ENGINE_MAX_BATCH  most commands that share one commit (default 128; 1: no grouping)
COMPTOIR_ENGINE_MAX_WAITING  most commands that wait for their commit, more are throttled (default 1024)
COMPTOIR_CLIENT_RATE  requests a second that a server process takes of one client (default 1000; 0: all)
COMPTOIR_METRICS     [host:]port where this process shows Prometheus metrics (default none; host 127.0.0.1)
COMPTOIR_STAFF_MFA   required (default): staff set up a second factor before anything else; offered: they may
COMPTOIR_MACHINES_ONLY  1: no page can be served (default 0; gateways say it themselves)
COMPTOIR_TRUSTED_PROXIES  proxies in front of the people's door that add to X-Forwarded-For (default 0)
COMPTOIR_TRACES      1: make OpenTelemetry spans, for the SDK that the process is started with (default 0)
COMPTOIR_WALLET_CURRENCIES  currencies of our wallets, with commas (default CNY); none: there are none here
DATABASE_URL         any PostgreSQL 16+; without it, the embedded server of the home folder
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from comptoir.kernel.errors import ComptoirError
from comptoir.kernel.money import UnknownCurrency, exponent

DEFAULT_PORT = 8400
MASTER_KEY_BYTES = 32

#: What exchange rates are refused after: the longest the ECB ever paused (see comptoir.fx.rules).
FX_MAX_AGE_DAYS = 5

#: Enough that a commit's fixed cost hardly shows, few enough that a batch stays under a tenth of a second.
ENGINE_MAX_BATCH = 128

#: Eight full batches: who comes later would wait for most of a second, and is asked to come again instead.
ENGINE_MAX_WAITING = 1024

#: What one server process can do at all on a fast core: one client cannot take more than all of it.
CLIENT_RATE = 1000

#: sun_path of a Unix socket address holds 107 characters and a NUL on Linux, 103 on macOS.
_LONGEST_SOCKET_PATH = 100


class EnvironmentInvalid(ComptoirError):
    """The environment of the process cannot be used; `field` names the variable."""

    code = "config.environment_invalid"


def metrics_refused(address: tuple[str, int], error: OSError) -> EnvironmentInvalid:
    """The refusal to start where metrics cannot be shown, because somebody else listens there."""
    host, port = address
    return EnvironmentInvalid(
        f"cannot show metrics on {host}:{port} ({error.strerror})", field="COMPTOIR_METRICS"
    )


@dataclass(frozen=True, slots=True)
class Environment:
    """What the process was told. `master_key`, which seals, is None until `comptoir up` or the operator made
    one; `other_master_keys` open what they have sealed before, by version."""

    home: Path
    port: int
    public_url: str
    database_url: str
    embedded: bool
    notify_private: bool
    master_key: bytes | None = field(repr=False)
    wallet_currencies: tuple[str, ...] = ("CNY",)
    fx_max_age_days: int = FX_MAX_AGE_DAYS
    engine_max_batch: int = ENGINE_MAX_BATCH
    engine_max_waiting: int = ENGINE_MAX_WAITING
    issuers_file: Path | None = None
    qr_templates_file: Path | None = None
    fx_fetch: bool = False
    master_key_version: int = 1
    other_master_keys: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    client_rate: int = CLIENT_RATE
    metrics: tuple[str, int] | None = None
    traces: bool = False
    staff_mfa_required: bool = True
    trusted_proxies: int = 0
    machines_only: bool = False

    def require_master_key(self) -> bytes:
        """The master key, 32 bytes. Raises EnvironmentInvalid when there is none yet."""
        if self.master_key is None:
            raise EnvironmentInvalid(
                f"no master key: set COMPTOIR_MASTER_KEY, or let `comptoir up` make {self.key_file}",
                field="COMPTOIR_MASTER_KEY",
            )
        return self.master_key

    @property
    def key_file(self) -> Path:
        """Where the master key is kept when it does not come from the environment."""
        return self.home / "master.key"


def read_environment(variables: Mapping[str, str] | None = None) -> Environment:
    """Read `variables` (default: the process environment). Raises EnvironmentInvalid."""
    values = os.environ if variables is None else variables
    home = Path(values.get("COMPTOIR_HOME") or "~/.comptoir").expanduser().absolute()
    port = _port(values.get("COMPTOIR_PORT"))
    given_url = values.get("DATABASE_URL")
    master_keys = _master_keys(values.get("COMPTOIR_MASTER_KEY"), home / "master.key")
    sealing = next(iter(master_keys), 1)
    return Environment(
        home=home,
        port=port,
        public_url=(values.get("COMPTOIR_PUBLIC_URL") or f"http://localhost:{port}").rstrip("/"),
        database_url=given_url or embedded_url(home),
        embedded=not given_url,
        notify_private=_flag(values, "COMPTOIR_NOTIFY_PRIVATE"),
        master_key=master_keys.get(sealing),
        master_key_version=sealing,
        other_master_keys={version: key for version, key in master_keys.items() if version != sealing},
        wallet_currencies=_currencies(values.get("COMPTOIR_WALLET_CURRENCIES")),
        fx_max_age_days=_number(values, "COMPTOIR_FX_MAX_AGE_DAYS", FX_MAX_AGE_DAYS, range(100_000)),
        fx_fetch=_flag(values, "COMPTOIR_FX_FETCH"),
        issuers_file=_file(values, "COMPTOIR_ISSUERS_FILE"),
        qr_templates_file=_file(values, "COMPTOIR_QR_TEMPLATES_FILE"),
        engine_max_batch=_number(values, "COMPTOIR_ENGINE_MAX_BATCH", ENGINE_MAX_BATCH, range(1, 1001)),
        engine_max_waiting=_number(
            values, "COMPTOIR_ENGINE_MAX_WAITING", ENGINE_MAX_WAITING, range(1, 100_001)
        ),
        client_rate=_number(values, "COMPTOIR_CLIENT_RATE", CLIENT_RATE, range(1_000_001)),
        metrics=_address(values, "COMPTOIR_METRICS"),
        traces=_flag(values, "COMPTOIR_TRACES"),
        machines_only=_flag(values, "COMPTOIR_MACHINES_ONLY"),
        trusted_proxies=_number(values, "COMPTOIR_TRUSTED_PROXIES", 0, range(10)),
        staff_mfa_required=_choice(values, "COMPTOIR_STAFF_MFA", ("required", "offered")) == "required",
    )


def socket_folder(data_dir: Path) -> Path:
    """The folder of the embedded server's Unix socket: beside its data, or a short one in the temp folder."""
    beside = data_dir.parent / "socket"
    if len(str(beside / ".s.PGSQL.5432")) <= _LONGEST_SOCKET_PATH:
        return beside
    digest = hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"comptoir-{digest}"


def embedded_data_dir(home: Path) -> Path:
    """Where the embedded PostgreSQL of a home folder keeps its data."""
    return home / "postgres" / "data"


def embedded_url(home: Path, database: str = "comptoir") -> str:
    """Connection URL of the embedded server of a home folder; no password, the socket tells who asks."""
    folder = quote(str(socket_folder(embedded_data_dir(home))), safe="")
    return f"postgresql://comptoir@/{database}?host={folder}"


def _port(text: str | None) -> int:
    if not text:
        return DEFAULT_PORT
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise EnvironmentInvalid(f"COMPTOIR_PORT is not a port: {text!r}", field="COMPTOIR_PORT")
    return int(text)


def _address(values: Mapping[str, str], name: str) -> tuple[str, int] | None:
    """`[host:]port`; an IPv6 host in brackets."""
    text = values.get(name)
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or not 0 < int(port[:6]) < 65536:
        raise EnvironmentInvalid(f"{name} is [host:]port, not {text!r}", field=name)
    return host.strip("[]") or "127.0.0.1", int(port)


def _number(values: Mapping[str, str], name: str, default: int, allowed: range) -> int:
    text = values.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text[:9]) not in allowed:
        raise EnvironmentInvalid(
            f"{name} is a whole number from {allowed[0]} to {allowed[-1]}, not {text!r}", field=name
        )
    return int(text)


def _currencies(text: str | None) -> tuple[str, ...]:
    if not text:
        return ("CNY",)
    if text == "none":
        return ()
    currencies = tuple(one.strip() for one in text.split(","))
    for one in currencies:
        try:
            exponent(one)
        except UnknownCurrency:
            raise EnvironmentInvalid(
                f"COMPTOIR_WALLET_CURRENCIES names no currency: {one!r}", field="COMPTOIR_WALLET_CURRENCIES"
            ) from None
    return currencies


def _file(values: Mapping[str, str], name: str) -> Path | None:
    return Path(values[name]) if values.get(name) else None


def _choice(values: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """One of the choices; the first when nothing is said."""
    given = values.get(name) or choices[0]
    if given not in choices:
        raise EnvironmentInvalid(f"{name} is {' or '.join(choices)}", field=name)
    return given


def _flag(values: Mapping[str, str], name: str) -> bool:
    text = values.get(name) or "0"
    if text not in {"0", "1"}:
        raise EnvironmentInvalid(f"{name} is 0 or 1, not {text!r}", field=name)
    return text == "1"


def _master_keys(given: str | None, key_file: Path) -> dict[int, bytes]:
    """The master keys by version, the one that seals first; none when there is none yet.

    One key without a version has version 1. So the key of an old installation goes on opening what it
    sealed when a second one joins it.
    """
    if not given:
        try:
            given = key_file.read_text("ascii")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise EnvironmentInvalid(f"{key_file} cannot be read: {error}", field="COMPTOIR_HOME") from None
    keys: dict[int, bytes] = {}
    for text in given.replace(",", " ").split() or [""]:
        version, mark, encoded = text.rpartition(":")
        number = int(version) if version.isascii() and version.isdigit() and len(version) < 4 else 0
        number = number if mark else 1
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != MASTER_KEY_BYTES or not 0 < number < 256 or number in keys:
            raise EnvironmentInvalid(
                f"the master key must be {MASTER_KEY_BYTES} bytes in base64; several are version:key, each "
                "version from 1 to 255 once",
                field="COMPTOIR_MASTER_KEY",
            )
        keys[number] = key
    return keys
