"""Prove to a receiver that an event came from this agent, was not altered, and when it was sent.

Header `CytoWatch-Signature: t=<unix seconds>,v1=<hex>` where hex = HMAC-SHA256(secret, "<t>." + body).
A receiver recomputes it over the raw body, compares in constant time and refuses a `t` more than 5 minutes off.
"""

import hashlib
import hmac

from host_agent.errors import ForwardError

HEADER = "CytoWatch-Signature"
TOLERANCE_S = 300  # clock skew plus transport, and the window in which a captured request could be replayed


def sign(secret: bytes, sent_at_s: int, body: bytes) -> str:
    """Value of the signature header for `body` sent at `sent_at_s` (unix seconds)."""
    digest = hmac.new(secret, b"%d." % sent_at_s + body, hashlib.sha256).hexdigest()
    return f"t={sent_at_s},v1={digest}"


def check(secret: bytes, header: str, body: bytes, now_s: int, tolerance_s: int = TOLERANCE_S) -> None:
    """Receiver side: return when `header` proves `body`; raises ForwardError saying what is wrong."""
    fields = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    sent_text, given = fields.get("t", ""), fields.get("v1", "")
    if not (sent_text.isascii() and sent_text.isdigit()) or not given:
        raise ForwardError("The signature header is not t=<seconds>,v1=<hex>.", advice="Check the sender.")
    expected = sign(secret, int(sent_text), body)
    if not hmac.compare_digest(expected.encode(), f"t={int(sent_text)},v1={given}".encode()):
        raise ForwardError(
            "The signature does not match the body.", advice="Compare the shared secret on both ends."
        )
    if abs(now_s - int(sent_text)) > tolerance_s:
        raise ForwardError(
            f"Signed {abs(now_s - int(sent_text))} s away from this clock.", advice="Set both clocks (NTP)."
        )
