"""`comptoir serve`: answer HTTP, for machines, for people or for both."""

from __future__ import annotations

import argparse
import importlib
import signal
from pathlib import Path
from typing import Any

from comptoir.cli.processes import follow_parent

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


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("door", choices=sorted(_TARGETS))
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, help="port to listen on (default COMPTOIR_PORT or 8400)")
    parser.add_argument("--workers", type=int, default=1, help="server processes (default %(default)s)")
    parser.add_argument("--tls-cert", type=Path, help="PEM certificate chain: listen with TLS 1.2 or newer")
    parser.add_argument("--tls-key", type=Path, help="PEM private key of the certificate, PKCS#8")


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; requests under way are answered first."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
    from granian.http import HTTP1Settings

    from comptoir.config.environment import EnvironmentInvalid, read_environment

    environment = read_environment()
    environment.require_master_key()
    if (arguments.tls_cert is None) != (arguments.tls_key is None):
        raise EnvironmentInvalid("--tls-cert and --tls-key go together")
    server = Granian(
        _TARGETS[arguments.door],
        address=arguments.host,
        port=arguments.port or environment.port,
        interface=Interfaces.WSGI if arguments.door == "web" else Interfaces.ASGI,
        workers=arguments.workers,
        blocking_threads=16 if arguments.door == "web" else 1,
        loop=Loops.uvloop,
        # Clients of the gateway speak HTTP/1.1; one parser less to reason about.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEAD_MILLISECONDS, max_buffer_size=_HEAD_BYTES),
        websockets=False,
        ssl_cert=arguments.tls_cert,
        ssl_key=arguments.tls_key,
        ssl_protocol_min=SSLProtocols.tls12,
        # Never an access log: paths and bodies are logged where secrets are known, or not at all.
        log_access=False,
        respawn_failed_workers=True,
        respawn_interval=0.1,
        workers_kill_timeout=_STOP_SECONDS,
    )
    server.serve(target_loader=load_target)
    return 0


def load_target(target: str) -> Any:
    """Import `module:name` in a server process, which from now on dies with the process that started it.

    A server process that survives its killed parent would hold the port and answer without anybody
    watching it. Losing it at once is safe: what it answered is committed.
    """
    follow_parent(signal.SIGKILL)
    module, name = target.split(":")
    return getattr(importlib.import_module(module), name)
