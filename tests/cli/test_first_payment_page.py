"""docs/start/first-payment.md and docs/recipes/curl.md are run as they are written."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.processes import Up, free_port, processes_of
from tests.cli.test_demo_day import may_listen_on_443

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("curl") is None or shutil.which("openssl") is None, reason="no curl, no openssl"
    ),
]

PAGE = Path(__file__).parents[2] / "docs" / "start" / "first-payment.md"
RECIPE = Path(__file__).parents[2] / "docs" / "recipes" / "curl.md"


def blocks(language: str, page: Path = PAGE) -> list[str]:
    """A page's code blocks in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    yield folder
    for pid in processes_of(folder):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with `.venv/bin/python` and `.venv/bin/comptoir`, as the reader stands in one."""
    programs = tmp_path / "checkout" / ".venv" / "bin"
    programs.mkdir(parents=True)
    python = shlex.quote(sys.executable)
    for name, words in (("python", python), ("comptoir", f"{python} -m comptoir.cli.main")):
        (programs / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        (programs / name).chmod(0o755)
    return programs.parents[1]


def test_the_pages_do_what_they_say(home: Path, checkout: Path) -> None:
    tls = ["--tls"] if may_listen_on_443() else []
    up = Up(home, free_port(), *tls)
    up.wait_ready()
    demo = json.loads((home / "demo.json").read_text())
    assert demo["people"][0]["login"] == "+8613912340001"
    assert demo["clients"][0]["currency"] == "EUR"

    def read(script: str) -> str:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("COMPTOIR_", "DATABASE_"))
        }
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=checkout,
            env={**kept, "COMPTOIR_HOME": str(home), "PYTHONPATH": str(PAGE.parents[2])},
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    with_sdk, by_hand, statement, verify = blocks("bash")
    payments = 0
    if tls:
        (snippet,) = blocks("python")
        (checkout / "pay.py").write_text(snippet)
        told = read(with_sdk)
        assert re.match(r"SUCCESS [0-9a-f]{32}\nThe traveller paid \d+ CNY\nat [\d.]+ EUR/CNY\n", told), told
        payments += 1
    assert read(by_hand).startswith('{"result":{"resultCode":"SUCCESS","resultStatus":"S"')
    payments += 1
    assert read(statement).count("29.50 EUR") == payments
    told = read("".join(blocks("bash", RECIPE))).splitlines()
    codes = [json.loads(line)["result"]["resultCode"] for line in told]
    assert codes == [*["SUCCESS"] * 6, "PROCESS_FAIL"]
    assert json.loads(told[0])["paymentQuotes"]
    assert told[1] == told[2]
    assert "Everything agrees." in read(verify)
    assert not (checkout / "shop-key.der").exists()
    assert up.stop() == 0
