"""`comptoir issuers`: upstreams are added with sealed keys, routed, and tested against a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from comptoir.cli.main import main
from comptoir.kernel.clock import utc_now
from comptoir.standards.antom import signing
from comptoir.standards.antom.messages import AcquirerInquiryResponse, Result, encode
from comptoir.standards.antom.results import ResultCode
from comptoir.standards.antom.times import format_time
from comptoir.wallet import api as wallet
from tests.cli.operators import done, listed, refused
from tests.conftest import Database

NAME, CLIENT = "NEXT", "5Y00000000000077"
Capture = pytest.CaptureFixture[str]


class Upstream:
    """A server that answers an inquiry as a gateway does: signed, and only to who signs."""

    def __init__(self) -> None:
        self.key = signing.generate_key()
        self.caller: rsa.RSAPublicKey | None = None
        self.paths: list[str] = []
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                upstream.answer(self)

            def log_message(self, format: str, *arguments: Any) -> None:
                """Quiet."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, call: BaseHTTPRequestHandler) -> None:
        body = call.rfile.read(int(call.headers["Content-Length"]))
        self.paths.append(call.path)
        signature = signing.parse_header(call.headers["Signature"]).signature()
        content = signing.content_to_sign(call.path, CLIENT, call.headers["Request-Time"], body)
        known = self.caller is not None and signature is not None
        known = known and signing.verify(self.caller, content, signature)  # type: ignore[arg-type]
        code = ResultCode.ORDER_NOT_EXIST if known else ResultCode.INVALID_SIGNATURE
        said, at = encode(AcquirerInquiryResponse(result=Result.of(code))), format_time(utc_now())
        signed = signing.sign(self.key, signing.content_to_sign(call.path, CLIENT, at, said))
        call.send_response(200)
        for name, value in (
            ("client-id", CLIENT), ("response-time", at), ("signature", signing.format_header(1, signed)),
            ("Content-Length", str(len(said))),
        ):  # fmt: skip
            call.send_header(name, value)
        call.end_headers()
        call.wfile.write(said)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def upstream(database: Database) -> Iterator[Upstream]:
    opened = Upstream()
    yield opened
    opened.close()


@pytest.fixture
def their_key(upstream: Upstream, tmp_path: Path) -> str:
    path = tmp_path / "theirs.pub"
    path.write_text(signing.export_public_key(upstream.key.public_key()))
    return str(path)


def add(name: str, url: str, key_file: str, *more: str) -> tuple[str, ...]:
    return (
        "issuers",
        "add",
        name,
        "--url",
        url,
        "--client-id",
        CLIENT,
        "--platform-key-file",
        key_file,
        *more,
    )


def test_an_upstream_is_added_tested_and_routed(
    upstream: Upstream, their_key: str, database: Database, capsys: Capture
) -> None:
    done(*add(NAME, upstream.url, their_key, "--prefix", "2599", "--prefix", "2577"))
    printed = capsys.readouterr().out
    shown = listed(capsys, "issuers", "show", NAME)
    assert shown["public_key"] in printed
    assert (shown["family"], shown["prefixes"]) == ("aps", ["2599", "2577"])

    assert main(["issuers", "test", NAME]) == 1  # our key is not registered there yet
    assert "INVALID_SIGNATURE" in capsys.readouterr().out
    upstream.caller = signing.load_public_key(shown["public_key"])
    assert main(["issuers", "test", NAME]) == 0
    assert upstream.paths == ["/aps/api/v1/payments/inquiryPayment"] * 2
    upstream.key = signing.generate_key()  # theirs changed, and nobody told us
    assert main(["issuers", "test", NAME]) == 1
    upstream.close()
    assert main(["issuers", "test", NAME]) == 1

    done("issuers", "routes", NAME, "--prefix", "2555")
    assert listed(capsys, "issuers", "list")[0]["prefixes"] == ["2555"]
    done("issuers", "routes", NAME)
    assert listed(capsys, "issuers", "list")[0]["prefixes"] == []
    assert wallet.upstream_account(NAME).client_ref == CLIENT


def test_the_private_key_is_sealed_and_printed_by_nobody(
    upstream: Upstream, their_key: str, database: Database, capsys: Capture
) -> None:
    done(*add(NAME, upstream.url, their_key))
    done("issuers", "show", NAME)
    done("issuers", "list")
    done("issuers", "list", "--json")
    account = wallet.upstream_account(NAME)
    said = capsys.readouterr().out + repr(account) + repr(wallet.upstream(NAME))
    secret = signing.export_private_key(signing.private_key_from_der(account.private_key))
    assert secret[40:80] not in said
    with psycopg.connect(database.url) as connection:
        row = connection.execute(
            "SELECT sealed_private_key, wallet_upstream::text FROM wallet_upstream"
        ).fetchone()
    assert row is not None
    assert account.private_key not in bytes(row[0])
    assert account.private_key[-60:-30].hex() not in row[1]


@pytest.mark.parametrize(
    ("name", "url", "more", "says"),
    [
        ("lower", "https://x.example", (), "capitals"),
        ("COMPTOIR", "https://x.example", (), "our own"),
        ("NEXT", "http://x.example", (), "https"),
        ("NEXT", "https://x.example/path", (), "https"),
        ("NEXT", "https://user@x.example", (), "https"),
        ("NEXT", "ftp://x.example", (), "https"),
        ("NEXT", "https://x.example", ("--prefix", "2"), "2 to 16 digits"),
        ("NEXT", "https://x.example", ("--prefix", "2588"), "claimed twice"),
        ("NEXT", "https://x.example", ("--settle", "EURO"), "ISO 4217"),
        ("TAKEN", "https://x.example", (), "already"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    their_key: str, capsys: Capture, name: str, url: str, more: tuple[str, ...], says: str
) -> None:
    done(*add("TAKEN", "https://y.example", their_key, "--prefix", "2588"))
    before = wallet.upstreams()
    assert says in refused(capsys, *add(name, url, their_key, *more))
    assert "claimed twice" not in refused(capsys, "issuers", "routes", "NOBODY")
    assert wallet.upstreams() == before


def test_a_private_key_is_no_public_key(database: Database, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "theirs.pem"
    path.write_text(signing.export_private_key(signing.generate_key()))
    assert "is a private key: it stays with" in refused(capsys, *add(NAME, "https://x.example", str(path)))
    assert wallet.upstreams() == ()
