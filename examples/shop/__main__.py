"""`python -m examples.shop`: serve the shop on this machine, with the keys of the demo world."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from wsgiref.simple_server import make_server

from examples.shop.app import Server, Shop
from examples.shop.orders import Orders
from examples.shop.payments import Payments


def main() -> None:
    """Serve until it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8500)
    parser.add_argument(
        "--orders", type=Path, default=Path("orders.sqlite"), help="where the orders are kept"
    )
    arguments = parser.parse_args()
    home = Path(os.environ.get("COMPTOIR_HOME", "~/.comptoir")).expanduser()
    demo = json.loads((home / "demo.json").read_text())
    if not demo["tls"]:
        parser.error("the SDK speaks TLS only: start Comptoir with `comptoir up --tls`")
    os.environ["SSL_CERT_FILE"] = demo["ca_file"]  # the local certificate authority of `comptoir up --tls`
    client = demo["clients"][0]
    payments = Payments(
        gateway=demo["tls"],
        client_id=client["client_id"],
        address=f"http://localhost:{arguments.port}",
        platform_key=client["platform_public_key"],
        private_key=client["merchant_private_key"],
    )
    with make_server("localhost", arguments.port, Shop(Orders(arguments.orders), payments), Server) as server:
        print(f"The shop is open: http://localhost:{arguments.port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
