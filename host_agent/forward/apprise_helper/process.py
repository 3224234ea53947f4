"""The process that sends with Apprise: `python -m host_agent.forward.apprise_helper.process`. See README.md here."""

import json
import logging
import re
import select
import sys
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import apprise

from host_agent.forward.apprise_helper.watched import Watch

_RECIPIENTS = ("to", "cc", "bcc")
_LONGEST_WORDS = 300
_IDLE_S = 3.0


class _Said(logging.Handler):
    """What Apprise logs as a warning: it is the only place where it says what it drops."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.words: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.words.append(" ".join(record.getMessage().split()))

    def take(self) -> str:
        words, self.words = "; ".join(self.words), []
        return words[:_LONGEST_WORDS]


def main() -> None:
    """Answer line by line until the input ends: then the agent has ended too."""
    said, watch = _Said(), Watch()
    logging.getLogger("apprise").addHandler(said)
    first = json.loads(sys.stdin.readline() or "{}")
    service, problem = make(str(first.get("url", "")), float(first.get("timeout_s", 10)), said)
    _tell({"problem": problem})
    for line in sys.stdin if service else ():
        message = json.loads(line)
        watch.answers.clear()
        said.take()
        taken = service.notify(
            body=message["body"], title=message["title"], notify_type=message["type"], body_format="text"
        )
        objections = [answer.objection for answer in watch.answers if answer.objection]
        _tell({
            "taken": bool(taken) and not objections, "answers": [answer.status for answer in watch.answers],
            "why": "; ".join(dict.fromkeys(objections)) or said.take(),
        })  # fmt: skip


def check() -> None:
    """Answer for one address a line, and end when nobody asks any more."""
    said = _Said()
    logging.getLogger("apprise").addHandler(said)
    while select.select([sys.stdin], [], [], _IDLE_S)[0] and (line := sys.stdin.readline()):
        asked = json.loads(line)
        _tell({"problem": make(str(asked["url"]), float(asked["timeout_s"]), said)[1]})


def make(url: str, timeout_s: float, said: _Said) -> tuple[Any, str | None]:
    """(what sends to the one recipient of `url`, None), or (None, why it cannot be used, without showing it)."""
    service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    words = said.take()
    if service is None:
        return None, "Apprise does not understand the address"
    if "ropped" in words:  # it says so, and sends to the others
        return None, f"Apprise drops a recipient of it: {words.replace(url, '…').rstrip('.')}"
    service.retry = 0
    service.optional = False  # with it, a failure would count as a success
    service.redirects = False
    service.request_rate_per_sec = 0
    # the agent's deadline is shorter: it ends this process
    service.socket_connect_timeout = service.socket_read_timeout = 2 * timeout_s
    if dropped := _dropped(url, str(service.url(privacy=False))):  # type: ignore[no-untyped-call]
        return None, f"Apprise drops {dropped}"
    if len(service) != 1:
        return (
            None,
            f"it has {len(service)} recipients: write one receiver for each, so that each is told by name",
        )
    return service, None


def _dropped(url: str, understood: str) -> str:
    """The part of the address that did not reach the service: most of them drop it without a word."""
    parts, known = urlsplit(url), _plain(understood)
    named = [
        value for key, values in parse_qsl(parts.query) if key in _RECIPIENTS for value in values.split(",")
    ]
    if lost := [value for value in named if _plain(value) not in known]:
        return f"the recipient {', '.join(lost)}"
    if parts.scheme not in ("http", "https"):
        for place, part in enumerate(filter(None, parts.path.split("/")), 1):
            if _plain(part) not in known:
                return f"part {place} of its path"
    return ""


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", unquote(unquote(text))).lower()


def _tell(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)  # noqa: T201 (the agent reads it)


if __name__ == "__main__":
    check() if "--check" in sys.argv else main()
