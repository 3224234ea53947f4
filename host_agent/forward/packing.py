"""A JSON body with its header: the same message gives the same bytes at every attempt."""

import json
from collections.abc import Mapping
from typing import Any

from host_agent.forward.http_answer import Request

JSON_TYPE = "application/json"


def packed(url: str, payload: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Request:
    """A request that posts `payload`."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return Request(url, {"Content-Type": JSON_TYPE, **(headers or {})}, body)
