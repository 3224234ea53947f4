"""Why an attempt failed, as the store, the log and the screen may have it."""

from dataclasses import replace

from host_agent.forward.delivery import Rejected, RetryAfter
from host_agent.text import without_secrets

_LONGEST_CHARS = 300


def one_line(text: str) -> str:
    """`text` in one line, without control characters and secrets."""
    words = "".join(c if c.isprintable() else " " for c in without_secrets(text)).split()
    return " ".join(words)[:_LONGEST_CHARS]


def with_plain_reason(outcome: Rejected | RetryAfter) -> Rejected | RetryAfter:
    """The same outcome with such a reason, which is never empty."""
    return replace(outcome, reason=one_line(str(outcome.reason)) or "no reason given")
