"""What speaks against an answer 2xx of a service whose own words nobody here knows."""

import json
from typing import Any

_FAILED = ("error", "errored", "fail", "failed", "failure", "invalid")


def objection_in(text: str) -> str:
    """Why an answer is no success although its status says so; "" when nothing speaks against it."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return "it says that it failed" if isinstance(body, dict) and _says_no(body) else ""


def _says_no(body: dict[str, Any]) -> bool:
    status, code = body.get("status"), body.get("code")
    return (
        body.get("ok") is False
        or body.get("success") in (False, "false")
        or bool(body.get("error"))
        or bool(body.get("errors"))
        or (isinstance(status, str) and status.lower().split(" ")[0] in _FAILED)
        or any(type(number) is int and number >= 400 for number in (status, code))
    )
