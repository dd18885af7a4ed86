"""A server that answers every request after a while with its own body."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Seen:
    """How many requests were under way at once, at most."""

    most: int = 0
    now: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def slow_server(seconds: float, answers: int = 1000) -> Iterator[tuple[tuple[str, int], Seen]]:
    """Serve on a port of this machine; after `answers` answers each connection is closed."""
    seen = Seen()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for _ in range(answers):
                length = 0
                while (line := self.rfile.readline()) not in (b"\r\n", b""):
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                if line == b"":
                    return
                self.answer(self.rfile.read(length))

        def answer(self, body: bytes) -> None:
            with seen.lock:
                seen.now += 1
                seen.most = max(seen.most, seen.now)
            time.sleep(seconds)
            with seen.lock:
                seen.now -= 1
            body = body.replace(b"}", b', "result": {"resultCode":"SUCCESS"}}')
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield ("127.0.0.1", server.server_address[1]), seen
        finally:
            server.shutdown()
            thread.join()
