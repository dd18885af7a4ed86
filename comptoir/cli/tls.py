"""A local certificate authority for `comptoir up --tls`, kept in the home folder.

For machines of developers and demonstrations only: clients must be told to trust its `ca.pem`
(for the official Python SDK: the environment variable SSL_CERT_FILE).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from comptoir.cli.home import write_whole


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """Files of a server's certificate chain, its private key (PKCS#8), and the CA to trust."""

    chain: Path
    key: Path
    ca: Path


def issue_local(folder: Path, *hosts: str) -> ServerCertificate:
    """A fresh certificate for this machine under the CA in `folder`, which is made once and then kept.

    Names: localhost, 127.0.0.1, ::1 and `hosts`.
    """
    import trustme
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    ca_file, ca_key = folder / "ca.pem", folder / "ca.key"
    if ca_file.exists() and ca_key.exists():
        ca = trustme.CA.from_pem(ca_file.read_bytes(), ca_key.read_bytes())
    else:
        ca = trustme.CA(organization_name="Comptoir", organization_unit_name="Local certificate authority")
        write_whole(ca_key, ca.private_key_pem.bytes())
        write_whole(ca_file, ca.cert_pem.bytes(), 0o644)
    names = dict.fromkeys(["localhost", "127.0.0.1", "::1", *hosts])
    issued = ca.issue_cert(*names, organization_name="Comptoir", common_name="localhost")
    files = ServerCertificate(chain=folder / "server.pem", key=folder / "server.key", ca=ca_file)
    write_whole(files.chain, b"".join(blob.bytes() for blob in issued.cert_chain_pems), 0o644)
    private = load_pem_private_key(issued.private_key_pem.bytes(), None)
    write_whole(files.key, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files
