"""`comptoir serve`: answer HTTP, for machines, for people or for both."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from comptoir.cli.logs import log_as_json
from comptoir.cli.processes import follow_parent

if TYPE_CHECKING:
    from comptoir.config.environment import Environment

HELP = "answer HTTP: the machines' door (gateway), the people's (web), or both on one port (all)"

_TARGETS = {
    "gateway": "comptoir.config.asgi:gateway",
    "web": "comptoir.config.wsgi:application",
    "all": "comptoir.config.asgi:application",
}

#: Bytes of request line and headers. A signed request has under 2 kB of them; hyper stops at 100 headers.
_HEAD_BYTES = 65_536
_HEAD_MILLISECONDS = 10_000
_STOP_SECONDS = 10
_WSGI_THREADS = 16

#: After SIGTERM a gateway serves on for so long, and says at /readyz that it is to get no more: a balancer
#: that asks every second or two has noticed by then.
DRAIN_SECONDS = 5

#: A batch of payments makes a few ten thousand objects that nearly all go by themselves.
_NEW_OBJECTS_BEFORE_COLLECTION = 20_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("door", choices=sorted(_TARGETS))
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, help="port to listen on (default COMPTOIR_PORT or 8400)")
    parser.add_argument(
        "--workers",
        type=int,
        default=_workers(),
        help="server processes (default here: %(default)s)",
    )
    parser.add_argument(
        "--drain",
        type=int,
        metavar="SECONDS",
        default=DRAIN_SECONDS,
        help="how long to serve on, not ready, after SIGTERM (default %(default)s)",
    )
    parser.add_argument("--tls-cert", type=Path, help="PEM certificate chain: listen with TLS 1.2 or newer")
    parser.add_argument("--tls-key", type=Path, help="PEM private key of the certificate, PKCS#8")


def _workers() -> int:
    """Two, where there are two processors: a third more payments than one (docs/operating/performance.md).

    The database and everybody else need the rest, and the books take one batch at a time anyway.
    """
    return min(2, os.cpu_count() or 1)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT, or for `--drain` seconds after SIGTERM; requests under way are answered first."""
    from comptoir.config.environment import EnvironmentInvalid, read_environment

    environment = read_environment()
    environment.require_master_key()
    if (arguments.tls_cert is None) != (arguments.tls_key is None):
        raise EnvironmentInvalid("--tls-cert and --tls-key go together")
    people_only = arguments.door == "web"
    machines_only = arguments.door == "gateway"
    with (
        nullcontext() if people_only else _metrics_shared(environment),
        _without_pages() if machines_only else nullcontext(),
    ):
        serve_target(
            _TARGETS[arguments.door],
            host=arguments.host,
            port=arguments.port or environment.port,
            workers=arguments.workers,
            tls_files=(arguments.tls_cert, arguments.tls_key) if arguments.tls_cert else None,
            wsgi=people_only,
            drain=0 if people_only else arguments.drain,
        )
    return 0


@contextmanager
def _without_pages() -> Iterator[None]:
    """The server processes started meanwhile load no page and nothing that pages need."""
    before = os.environ.get("COMPTOIR_MACHINES_ONLY")
    os.environ["COMPTOIR_MACHINES_ONLY"] = "1"
    try:
        yield
    finally:
        del os.environ["COMPTOIR_MACHINES_ONLY"]
        if before is not None:
            os.environ["COMPTOIR_MACHINES_ONLY"] = before


@contextmanager
def _metrics_shared(environment: Environment) -> Iterator[None]:
    """A folder in which the server processes keep their metrics together, if metrics are wanted.

    Each of them listens on the metrics' port, which the system shares among them: so it is made sure here
    that nobody else has it. Raises EnvironmentInvalid.
    """
    from comptoir.config.environment import metrics_refused

    if environment.metrics is None:
        yield
        return
    host, port = environment.metrics
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise metrics_refused(environment.metrics, error) from None
    with tempfile.TemporaryDirectory(prefix="comptoir-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


def serve_target(
    target: str,
    *,
    host: str,
    port: int,
    workers: int = 1,
    tls_files: tuple[Path, Path] | None = None,
    wsgi: bool = False,
    drain: int = 0,
) -> None:
    """Serve `module:name` with our one set of limits. Exits with code 1 when its processes keep dying.

    `drain`: seconds to serve on after SIGTERM, with the application told by its `drain` method.
    """
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
    from granian.http import HTTP1Settings

    certificate, key = tls_files or (None, None)
    server = Granian(
        target,
        address=host,
        port=port,
        interface=Interfaces.WSGI if wsgi else Interfaces.ASGI,
        workers=workers,
        blocking_threads=_WSGI_THREADS if wsgi else 1,
        loop=Loops.uvloop,
        # Clients of the gateway speak HTTP/1.1; one parser less to reason about.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEAD_MILLISECONDS, max_buffer_size=_HEAD_BYTES),
        websockets=False,
        ssl_cert=certificate,
        ssl_key=key,
        ssl_protocol_min=SSLProtocols.tls12,
        # Never an access log: paths and bodies are logged where secrets are known, or not at all.
        log_access=False,
        respawn_failed_workers=True,
        respawn_interval=0.1,
        workers_kill_timeout=_STOP_SECONDS,
    )
    if drain:
        server.on_startup(partial(_drain_first, server, drain))
    server.serve(target_loader=load_target)


def _drain_first(server: Any, seconds: int) -> None:
    """Put a time of draining before what SIGTERM does; SIGINT, or a second SIGTERM, stops at once."""
    stop = signal.getsignal(signal.SIGTERM)
    assert callable(stop)  # noqa: S101

    def begin(number: int, frame: Any) -> None:
        signal.signal(signal.SIGTERM, stop)
        for one in server.wrks:
            with suppress(ProcessLookupError):
                os.kill(one.inner.pid, signal.SIGUSR1)
        # The process waits for an event meanwhile: the alarm is a signal, which it wakes up for.
        signal.alarm(seconds)

    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGTERM, begin)
    # Server processes start with it: one that is not ready yet must not die of being asked to drain.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)


def load_target(target: str) -> Any:
    """Import `module:name` in a server process, which from now on dies with the process that started it.

    A server process that survives its killed parent would hold the port and answer without anybody
    watching it. Losing it at once is safe: what it answered is committed.
    """
    follow_parent(signal.SIGKILL)
    # The process was forked with its parent's handlers, which would swallow a stop until the loop runs.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    log_as_json()
    # Django's, to take migrations apart, and what upstreams are called with: 4 MB in each server.
    for name in ("sqlparse", "httpx"):
        sys.modules.setdefault(name, _Later(name))
    module, _, attribute = target.partition(":")
    loaded = getattr(importlib.import_module(module), attribute)
    if hasattr(loaded, "drain"):
        signal.signal(signal.SIGUSR1, lambda *_: loaded.drain())
    _spare_what_is_loaded()
    return loaded


class _Later(ModuleType):
    """Stands in for a module, which is imported when something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def _spare_what_is_loaded() -> None:
    """Leave everything that is loaded by now, and will stay, out of garbage collections.

    Looking through all of Django again and again took a tenth of the gateway's time, and a full
    collection held up every payment under way.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS_BEFORE_COLLECTION, 20, 50)
