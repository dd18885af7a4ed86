"""`comptoir clients`: machines with their keys; what is refused changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from comptoir.identity import api as identity
from comptoir.standards.antom import signing
from tests.cli.operators import (
    CLIENT,
    REF,
    Capture,
    done,
    key_in,
    listed,
    refused,
    sha256_of,
)


def test_a_client_is_registered_and_shown_with_both_fingerprints(
    shop: None, key_file: Path, capsys: Capture
) -> None:
    url = "https://shop.example/notify"
    done("clients", "add", CLIENT, "--merchant", REF, "--public-key-file", str(key_file), "--notify-url", url)
    merchants_own = sha256_of(key_file.read_text())
    assert merchants_own in capsys.readouterr().out
    shown = listed(capsys, "clients", "show", CLIENT)
    assert shown["merchant"] == REF
    assert shown["keys"] == [{"version": 1, "sha256": merchants_own, "live": True}]
    assert shown["platform_key_sha256"] == sha256_of(shown["platform_public_key"])
    assert shown["platform_key_sha256"] != merchants_own
    platform = identity.platform_key()
    assert signing.public_der(signing.load_public_key(shown["platform_public_key"])) == platform.public_key

    done("clients", "show", CLIENT)
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == shown["platform_public_key"], "one line, to be copied whole"
    assert merchants_own in said
    assert shown["platform_key_sha256"] in said
    private = signing.export_private_key(signing.private_key_from_der(platform.private_key))
    assert private[40:80] not in said
    assert listed(capsys, "clients", "list", "--merchant", REF)[0]["notify_url"] == url


def test_an_api_key_is_shown_once_and_ends_for_good(shop: None, capsys: Capture) -> None:
    done("clients", "add", CLIENT, "--merchant", REF)
    capsys.readouterr()
    done("clients", "api-key", CLIENT)
    key = capsys.readouterr().out.splitlines()[-1]
    head, _, secret = key.rpartition("_")
    assert head.startswith("isak_PROD_")
    key_id = head.rpartition("_")[2]
    done("clients", "api-key", CLIENT, "--only", "payments/pay", "payments/cancel")
    assert capsys.readouterr().out.splitlines()[-1].startswith("irak_PROD_")
    done("clients", "revoke-api-key", key_id)
    restricted, first = listed(capsys, "clients", "show", CLIENT)["api_keys"]
    assert first == {"id": key_id, "kind": "isak", "operations": None, "live": False}
    assert (restricted["operations"], restricted["live"]) == (["payments/cancel", "payments/pay"], True)
    done("clients", "show", CLIENT)
    said = capsys.readouterr().out
    assert key_id in said
    assert secret not in said
    assert "no operation" in refused(capsys, "clients", "api-key", CLIENT, "--only", "payments/steal")
    assert "each once" in refused(capsys, "clients", "api-key", CLIENT, "--only", *["payments/pay"] * 2)
    assert "no client" in refused(capsys, "clients", "api-key", "5Y43")
    assert "no API key" in refused(capsys, "clients", "revoke-api-key", "0" * 32)
    assert "not one of our ids" in refused(capsys, "clients", "revoke-api-key", "nonsense")


def test_a_pem_file_holds_the_same_key(shop: None, tmp_path: Path) -> None:
    plain = key_in(tmp_path / "plain").read_text()
    pem = tmp_path / "merchant.pem"
    lines = [plain[at : at + 64] for at in range(0, len(plain), 64)]
    pem.write_text("\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""]))
    done("clients", "add", CLIENT, "--merchant", REF, "--public-key-file", str(pem))
    assert hashlib.sha256(identity.client_keys(CLIENT)[0].public_key).hexdigest() == sha256_of(plain)


def test_keys_change_without_a_pause(shop: None, key_file: Path, tmp_path: Path, capsys: Capture) -> None:
    done("clients", "add", CLIENT, "--merchant", REF, "--public-key-file", str(key_file))
    done("clients", "key", CLIENT, "--public-key-file", str(key_in(tmp_path / "second")))
    assert listed(capsys, "clients", "list")[0]["live_keys"] == [2, 1]
    done("clients", "revoke", CLIENT, "1")
    assert listed(capsys, "clients", "list")[0]["live_keys"] == [2]
    capsys.readouterr()
    done("clients", "revoke", CLIENT, "2")
    assert "no live key left" in capsys.readouterr().out
    keys = listed(capsys, "clients", "show", CLIENT)["keys"]
    assert [(one["version"], one["live"]) for one in keys] == [(2, False), (1, False)]


def test_a_client_is_suspended_and_let_in_again(shop: None, key_file: Path, capsys: Capture) -> None:
    done("clients", "add", CLIENT, "--merchant", REF, "--public-key-file", str(key_file))
    done("clients", "suspend", CLIENT)
    assert listed(capsys, "clients", "list")[0]["status"] == "suspended"
    done("clients", "activate", CLIENT)
    assert listed(capsys, "clients", "list")[0]["status"] == "active"


def test_what_is_refused_of_a_client_changes_nothing(
    shop: None, contents: Callable[[], Any], key_file: Path, tmp_path: Path, capsys: Capture
) -> None:
    done("clients", "add", CLIENT, "--merchant", REF, "--public-key-file", str(key_file))
    private = signing.export_private_key(signing.generate_key())
    files = {
        "fresh": key_in(tmp_path / "fresh"),
        "known": key_file,
        "missing": tmp_path / "missing",
        "nonsense": tmp_path / "nonsense",
        "binary": tmp_path / "binary",
        "private": tmp_path / "private",
        "ours": tmp_path / "ours",
    }
    files["nonsense"].write_text("not a key")
    files["binary"].write_bytes(b"\xff\xfe")
    files["private"].write_text(private)
    ours = signing.public_key_from_der(identity.platform_key().public_key)
    files["ours"].write_text(signing.export_public_key(ours))
    path = {name: str(file) for name, file in files.items()}
    before = contents()

    def add(client: str, merchant: str, file: str, *more: str) -> str:
        given = ("--merchant", merchant, "--public-key-file", path[file], *more)
        return refused(capsys, "clients", "add", client, *given)

    assert "exists already" in add(CLIENT, REF, "fresh")
    assert "no merchant" in add("5Y43", "M43", "fresh")
    assert "client id" in add("5Y 43", REF, "fresh")
    assert "cannot be read" in add("5Y43", REF, "missing")
    assert "base64" in add("5Y43", REF, "nonsense")
    assert "not text" in add("5Y43", REF, "binary")
    assert "our public key" in add("5Y43", REF, "ours")
    assert "http" in add("5Y43", REF, "fresh", "--notify-url", "ftp://shop.example")
    said = add("5Y43", REF, "private")
    assert "private key" in said
    assert private[40:80] not in said
    assert "already" in refused(capsys, "clients", "key", CLIENT, "--public-key-file", path["known"])
    assert "no client" in refused(capsys, "clients", "key", "5Y43", "--public-key-file", path["fresh"])
    assert "no key 7" in refused(capsys, "clients", "revoke", CLIENT, "7")
    assert "no client" in refused(capsys, "clients", "show", "5Y43")
    assert contents() == before


def test_a_test_client_is_for_a_test_merchant_and_no_other(
    shop: None, contents: Callable[[], Any], key_file: Path, capsys: Capture
) -> None:
    test_ref = "T0000000042"
    done(
        "merchants",
        "add",
        test_ref,
        "--name",
        "Test counter",
        "--mcc",
        "5947",
        "--country",
        "BE",
        "--sandbox",
    )
    given = ("--public-key-file", str(key_file))
    before = contents()
    assert "SANDBOX_" in refused(capsys, "clients", "add", "SANDBOX_5Y1", "--merchant", REF, *given)
    assert "SANDBOX_" in refused(capsys, "clients", "add", "5Y1", "--merchant", test_ref, *given)
    assert contents() == before
    done("clients", "add", "SANDBOX_5Y1", "--merchant", test_ref, *given)
    assert listed(capsys, "clients", "list", "--merchant", test_ref)[0]["sandbox"] is True
