"""A small receiver of events, for trying out a webhook: `python -m tools.rig.webhook_receiver --secret-file FILE`.

It checks the signature of each POST, keeps one copy per Idempotency-Key, prints a line for each event, and answers 204.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from host_agent.errors import ForwardError
from host_agent.forward.signature import HEADER, check
from host_agent.text_file import first_line, read_text_file
from tools.rig.quiet_server import OneAtATimeServer, own_address

LARGEST_BODY_BYTES = 1_000_000


class Receiver:
    """Serves on a loopback port from its own thread. `events` maps Idempotency-Key to the decoded body.

    `now_s` says the wall time in seconds. `quiet` lets it work under a conductor (tools/conductor).
    """

    def __init__(
        self, secret: bytes, port: int = 0, on_event: Callable[[dict[str, Any]], None] | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.events: dict[str, dict[str, Any]] = {}
        self.refused: list[str] = []
        self.repeats = 0
        self._on_event = on_event
        self._secret = secret
        self._now_s = now_s
        self._server = OneAtATimeServer(port, self.take, "127.0.0.1" if port else own_address())
        self.quiet = self._server.quiet
        self.url = f"{self._server.origin}/events"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def take(self, request: BaseHTTPRequestHandler) -> tuple[int, str]:
        """Check and keep one request; return (status, text)."""
        length = int(request.headers.get("Content-Length", "0"))
        if not 0 < length <= LARGEST_BODY_BYTES:
            return 413, "body missing or too large\n"
        body = request.rfile.read(length)
        try:
            check(self._secret, request.headers.get(HEADER, ""), body, int(self._now_s()))
            event = json.loads(body)
        except (ForwardError, ValueError) as error:
            self.refused.append(str(error))
            return 401, f"{error}\n"
        key = request.headers.get("Idempotency-Key", "")
        new = key not in self.events
        self.events.setdefault(key, event)
        self.repeats += not new
        if new and self._on_event:
            self._on_event(event)
        return 204, ""

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def main() -> int:
    """Serve until Ctrl-C; exit 0."""
    parser = argparse.ArgumentParser(prog="python -m tools.rig.webhook_receiver", description=__doc__)
    parser.add_argument("--secret-file", type=Path, required=True, help="shared secret, first line")
    parser.add_argument("--port", type=int, default=8765)
    options = parser.parse_args()
    secret = first_line(read_text_file(options.secret_file)).encode()
    receiver = Receiver(secret, options.port, lambda event: print(json.dumps(event), flush=True))
    print(f"receiving at {receiver.url}", file=sys.stderr, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        receiver.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
