from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from comptoir.cli import main
from comptoir.cli.home import Home, HomeInUse, write_whole
from comptoir.cli.processes import is_alive, open_log
from comptoir.config.environment import read_environment
from tests.cli.processes import wait_for


def test_a_home_has_one_holder_at_a_time(tmp_path: Path) -> None:
    first, second = Home(tmp_path), Home(tmp_path)
    first.prepare()
    first.take("http://localhost:1")
    with pytest.raises(HomeInUse, match=rf"pid {os.getpid()}, http://localhost:1"):
        second.take("http://localhost:2")
    assert "localhost:1" in (tmp_path / "run" / "up.lock").read_text()
    assert first._lock is not None
    first._lock.close()  # as the kernel does when the holder ends
    second.take("http://localhost:2")
    assert second._lock is not None
    second._lock.close()


def test_the_master_key_is_made_once_for_the_owner_only(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    variables = {"COMPTOIR_HOME": str(home.path)}
    home.master_key(read_environment(variables))
    made = read_environment(variables).require_master_key()
    assert stat.S_IMODE((home.path / "master.key").stat().st_mode) == 0o600
    home.master_key(read_environment(variables))
    assert read_environment(variables).require_master_key() == made


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    write_whole(file, b"first, which is longer")
    with file.open() as reader:
        write_whole(file, b"second")
        assert reader.read() == "first, which is longer"
    assert file.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [file]


def test_only_leftovers_of_this_home_are_ended(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    sleeps = [sys.executable, "-c", "import time; time.sleep(60)"]
    ours = subprocess.Popen(sleeps, env={**os.environ, "COMPTOIR_HOME": str(tmp_path)})
    stranger = subprocess.Popen(sleeps)
    try:
        wait_for(lambda: str(tmp_path).encode() in Path(f"/proc/{ours.pid}/environ").read_bytes())
        (home.run / "serve.pid").write_text(f"{ours.pid}\n")
        (home.run / "worker.pid").write_text(f"{stranger.pid}\n")
        home.end_leftovers()
        assert not is_alive(ours.pid)
        assert stranger.poll() is None
        assert not list(home.run.glob("*.pid"))
    finally:
        for process in (ours, stranger):
            process.kill()
            process.wait()


def test_a_long_log_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "serve.log"
    for _ in range(2):
        with open_log(file) as log:
            log.write(b"x" * 6_000_000)
    with open_log(file) as log:
        log.write(b"fresh")
    assert file.read_bytes() == b"fresh"
    assert file.with_name("serve.log.1").stat().st_size == 12_000_000
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_cannot_be_done_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMPTOIR_MASTER_KEY", "not a key")
    assert main.main(["serve", "gateway"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("comptoir serve: the master key must be")
    assert told.err.count("\n") == 1
