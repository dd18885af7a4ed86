"""`comptoir up`: everything on this machine, from one command."""

from __future__ import annotations

import argparse
import os
import socket
import ssl
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from comptoir.cli import main
from comptoir.cli.demo.world import demo_json, rates_on, use_demo_variables
from comptoir.config.environment import (
    Environment,
    EnvironmentInvalid,
    embedded_data_dir,
    read_environment,
)

HELP = "start the whole of Comptoir on this machine; Ctrl-C stops it"

_READY_SECONDS = 120
_OLDEST_POSTGRES = 160_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, help="HTTP port (default COMPTOIR_PORT or 8400)")
    parser.add_argument("--tls", action="store_true", help="listen with TLS too, under a local CA")
    parser.add_argument("--tls-port", type=int, default=443, help="port of TLS (default %(default)s)")
    parser.add_argument("--no-demo", action="store_true", help="do not seed the demo world")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the installation is reached. `tls` and `ca_file` are None without --tls."""

    http: str
    tls: str | None
    ca_file: Path | None


def run(arguments: argparse.Namespace) -> int:
    """Start, watch and stop everything. Exit code 0 after a clean stop, 2 when it could not start."""
    from comptoir.cli.home import Home

    if not arguments.no_demo:
        use_demo_variables()
    if arguments.port:
        os.environ["COMPTOIR_PORT"] = str(arguments.port)
    environment = read_environment()
    home = Home(environment.home)
    home.prepare()
    home.take(f"http://{_name(arguments.host)}:{environment.port}")
    home.end_leftovers()
    (home.path / "demo.json").unlink(missing_ok=True)
    _require_free(arguments.host, environment.port, "COMPTOIR_PORT or --port")
    if arguments.tls:
        _require_free(arguments.host, arguments.tls_port, "--tls-port")
    home.master_key(environment)
    return _supervise(arguments, read_environment(), home)


def _supervise(arguments: argparse.Namespace, environment: Environment, home: Any) -> int:
    from comptoir.cli.postgres import EmbeddedPostgres
    from comptoir.cli.supervisor import StopAsked, Supervisor

    postgres = None
    if environment.embedded:
        postgres = EmbeddedPostgres(embedded_data_dir(environment.home), log_file=home.logs / "postgres.log")
    supervisor = Supervisor(home, _child_variables(environment, demo=not arguments.no_demo), postgres)
    supervisor.listen()
    try:
        addresses = _start(arguments, environment, supervisor)
        _show(environment, addresses)
        supervisor.watch()
    except StopAsked:
        pass
    finally:
        print("\nStopping ...", flush=True)
        supervisor.stop()
    print("Stopped; everything is on disk.")
    return 0


def _start(arguments: argparse.Namespace, environment: Environment, supervisor: Any) -> Addresses:
    """Database, tables, demo world, then the processes, until they answer."""
    from comptoir.cli.home import write_json

    supervisor.start_postgres()
    _require_postgres(environment)
    supervisor.once("migrate", ["migrate", "--quiet"])
    if not arguments.no_demo:
        supervisor.once("demo", ["demo", "seed"])
    addresses = _spawn_all(arguments, environment, supervisor)
    supervisor.wait_ready(_answers(addresses), _READY_SECONDS)
    if not arguments.no_demo:
        demo = demo_json(environment, addresses.http, addresses.tls, addresses.ca_file)
        write_json(environment.home / "demo.json", demo)
    return addresses


def _spawn_all(arguments: argparse.Namespace, environment: Environment, supervisor: Any) -> Addresses:
    """Say which processes there are. They are stopped in this order: doors first, then the worker."""
    from comptoir.cli.supervisor import Child
    from comptoir.cli.tls import issue_local

    serve = ["serve", "all", "--drain", "0", "--host", arguments.host, "--port"]
    supervisor.children.append(Child("serve", [*serve, str(environment.port)]))
    name = _name(arguments.host)
    addresses = Addresses(f"http://{name}:{environment.port}", None, None)
    if arguments.tls:
        public = urlsplit(environment.public_url).hostname
        issued = issue_local(environment.home / "tls", name.strip("[]"), public or name)
        tls = ["--tls-cert", str(issued.chain), "--tls-key", str(issued.key)]
        supervisor.children.append(Child("serve-tls", [*serve, str(arguments.tls_port), *tls]))
        port = "" if arguments.tls_port == 443 else f":{arguments.tls_port}"
        addresses = Addresses(addresses.http, f"https://{name}{port}", issued.ca)
    if "worker" in main.COMMANDS:
        supervisor.children.append(Child("worker", ["worker"]))
    if environment.metrics is not None:
        host, first = environment.metrics
        for number, child in enumerate(supervisor.children, first):
            child.variables = {"COMPTOIR_METRICS": f"[{host}]:{number}"}
    return addresses


def _name(host: str) -> str:
    """How this machine itself calls the address that it listens on."""
    if host in {"127.0.0.1", "::1", "0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _child_variables(environment: Environment, *, demo: bool) -> dict[str, str]:
    """The environment of every child: explicit, so that none of them looks elsewhere."""
    return {
        "COMPTOIR_HOME": str(environment.home),
        "COMPTOIR_PORT": str(environment.port),
        "COMPTOIR_PUBLIC_URL": environment.public_url,
        # The merchants of the demo world are on this machine.
        "COMPTOIR_NOTIFY_PRIVATE": "1" if demo or environment.notify_private else "0",
    }


def _require_free(host: str, port: int, setting: str) -> None:
    """Refuse early, and in words, a port that is taken or not allowed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise EnvironmentInvalid(
                f"this user may not listen on port {port}; choose one above 1023 with {setting}"
            ) from None
        except OSError as error:
            raise EnvironmentInvalid(
                f"cannot listen on {host}:{port} ({error.strerror}); choose another with {setting}"
            ) from None


def _require_postgres(environment: Environment) -> None:
    """The database answers and is new enough."""
    import psycopg

    try:
        with psycopg.connect(environment.database_url, connect_timeout=10) as connection:
            version = connection.info.server_version
    except psycopg.OperationalError as error:
        raise EnvironmentInvalid(f"the database does not answer: {error}", field="DATABASE_URL") from None
    if version < _OLDEST_POSTGRES:
        raise EnvironmentInvalid("Comptoir needs PostgreSQL 16 or newer", field="DATABASE_URL")


def _answers(addresses: Addresses) -> Callable[[], bool]:
    """A question: do all servers answer /healthz with 200?"""
    urls = [f"{addresses.http}/healthz"]
    context = None
    if addresses.tls:
        urls.append(f"{addresses.tls}/healthz")
        context = ssl.create_default_context(cafile=addresses.ca_file)

    def ask() -> bool:
        try:
            for url in urls:
                tls = context if url.startswith("https:") else None
                with urllib.request.urlopen(url, timeout=2, context=tls):  # noqa: S310 - our own address
                    pass
        except OSError:  # refused, not yet 200, TLS not up
            return False
        return True

    return ask


def _show(environment: Environment, addresses: Addresses) -> None:
    """The one screen of what is where."""
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table

    rows = [("Gateway", f"{addresses.http}/ams/api/v1/...")]
    if addresses.tls:
        rows += [("Gateway, TLS", f"{addresses.tls}/ams/api/v1/..."), ("CA to trust", str(addresses.ca_file))]
    rows += [
        ("Staff", f"{addresses.http}/login"),
        ("Travellers", f"{addresses.http}/wallet/login"),
        ("Health", f"{addresses.http}/healthz"),
        ("Database", "embedded PostgreSQL" if environment.embedded else "DATABASE_URL"),
        ("Home", str(environment.home)),
        ("Logs", str(environment.home / "logs")),
    ]
    demo = environment.home / "demo.json"
    if demo.exists():
        rows += [("Rates", f"ECB, {rates_on(environment.home)} (the demo world takes old ones)")]
        rows += [("Demo keys, logins", str(demo)), ("A payment code", "comptoir demo code --login LOGIN")]
    table = Table.grid(padding=(0, 2))
    for name, value in rows:
        table.add_row(f"[bold]{name}[/]", value)
    console = Console(soft_wrap=True, highlight=False)
    console.print(Panel(table, title="Comptoir is ready", subtitle="Ctrl-C stops it", expand=False))
