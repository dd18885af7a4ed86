"""What can be read off the code and the lock: algorithms, comparisons, hashes."""

from __future__ import annotations

import ast
import hmac
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from comptoir.identity import rules as identity
from comptoir.standards import payment_code

ROOT = Path(__file__).parents[2]
BROKEN = {"md5", "md4", "sha1", "MD5", "SHA1", "RC4", "ARC4", "DES", "TripleDES", "ECB"}


def names_in(path: Path) -> Iterator[str]:
    """Every name, attribute and import of a module."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield name
            case ast.ImportFrom(names=names) | ast.Import(names=names):
                yield from (one.name for one in names)


def test_no_broken_hash_is_used() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "comptoir").rglob("*.py")
        for name in names_in(path)
        if name in BROKEN
    }
    assert found == set()


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Payment codes and API keys, right and wrong, go through `hmac.compare_digest`."""
    compared: list[bool] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(hmac.compare_digest(one, other))
        return compared[-1]

    watched = SimpleNamespace(compare_digest=compare, digest=hmac.digest)
    for module in (identity, payment_code):
        monkeypatch.setattr(module, "hmac", watched)
    now, seed = datetime(2026, 11, 23, 9, 20, tzinfo=UTC), bytes(20)
    code = payment_code.build(payment_code.Form.SHORT, 12_345_678, seed, now, 0)
    for known, right in ((seed, 1), (bytes(range(20)), 0)):
        compared.clear()
        payment_code.matching_window(payment_code.parse(code), known, now)
        payment_code.was_valid(payment_code.parse(code), known, now)
        assert (len(compared), sum(compared)) == (23, right), "as many for a wrong one as for a right one"
    compared.clear()
    assert identity.is_secret("right", identity.secret_hash("right"))
    assert not identity.is_secret("wrong", identity.secret_hash("right"))
    assert not identity.is_secret("wrong", None)
    assert compared == [True, False, False]


@pytest.mark.parametrize("lock", ["base.txt", "dev.txt", "sdk.txt"])
def test_every_locked_package_has_its_hash(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text("utf-8").replace("\\\n", " ")
    packages = [line for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert packages
    assert [one for one in packages if not re.search(r"==\S+ .*--hash=sha256:[0-9a-f]{64}", one)] == []
