"""The signature of https://www.standardwebhooks.com beside our own: libraries for many languages check it.

`webhook-signature: v1,<base64>` where base64 = HMAC-SHA256(key, "<webhook-id>.<webhook-timestamp>." + body). The key
is what stands behind `whsec_` in base64; a secret without that mark is the key as it is.
"""

import base64
import binascii
import hashlib
import hmac

MARK = "whsec_"


def standard_headers(secret: bytes, message_id: str, sent_at_s: int, body: bytes) -> dict[str, str]:
    """The three headers for `body`, sent at `sent_at_s` (unix seconds)."""
    # the parts of the signed text are divided by dots, so an id may hold none
    message_id = message_id.replace(".", "-")
    signed = f"{message_id}.{sent_at_s}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(sent_at_s),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def _key(secret: bytes) -> bytes:
    if not secret.startswith(MARK.encode()):
        return secret
    try:
        return base64.b64decode(secret[len(MARK) :], validate=True)
    except binascii.Error:
        return secret
