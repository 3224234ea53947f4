"""A receiver with moods: it takes events, or answers as it is told."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

from tools.rig.webhook_receiver import Receiver


class MoodyReceiver(Receiver):
    """`answers`: the status that it gives without taking anything, or one of quiet_server's; 204: it takes events."""

    def __init__(self, secret: bytes, now_s: Callable[[], float]) -> None:
        self.answers = 204
        super().__init__(secret, now_s=now_s)

    def recover(self) -> None:
        """It takes events again."""
        self.answers = 204

    def take(self, request: BaseHTTPRequestHandler) -> tuple[int, str]:
        """As Receiver, in a good mood."""
        if self.answers == 204:
            return super().take(request)
        request.rfile.read(int(request.headers.get("Content-Length", "0")))
        return self.answers, "not now\n"
