"""Services as they document themselves: each refuses what its documentation does not allow, in its own words.

Written from the pages of the services, not from what CytoWatch sends; no service is reached.
"""

import json
from collections.abc import Callable

from tests.fakes.fake_http import Received, Reply


def _json(code: int, /, **fields: object) -> Reply:
    return Reply(code, {"Content-Type": "application/json"}, json.dumps(fields).encode())


def slack(request: Received) -> Reply:
    """Incoming webhooks: `text` is needed; answers are words."""
    body = _body(request)
    if body is None:
        return Reply(400, body=b"invalid_payload")
    if not isinstance(body.get("text"), str) or not body["text"]:
        return Reply(400, body=b"no_text")
    if not set(body) <= {"text", "unfurl_links", "unfurl_media", "blocks", "mrkdwn", "attachments"}:
        return Reply(400, body=b"invalid_payload")
    return Reply(200, body=b"ok") if len(body["text"]) <= 40_000 else Reply(400, body=b"msg_too_long")


def teams(request: Received) -> Reply:
    """A workflow of Teams: a message with one Adaptive Card, at most 28 kB; it answers 202 without words."""
    body = _body(request)
    cards = body.get("attachments") if body else None
    good = (
        body is not None
        and body.get("type") == "message"
        and len(request.body) <= 28_000
        and isinstance(cards, list)
        and len(cards) == 1
        and cards[0].get("contentType") == "application/vnd.microsoft.card.adaptive"
        and cards[0]["content"].get("type") == "AdaptiveCard"
        and cards[0]["content"].get("version") in ("1.0", "1.2", "1.4", "1.5")
        and cards[0]["content"]["body"]
        and all(
            block["type"] == "TextBlock" and isinstance(block["text"], str)
            and block.get("weight", "default") in ("default", "lighter", "bolder")
            and block.get("color", "default") in ("default", "dark", "light", "accent", "good", "warning", "attention")
            for block in cards[0]["content"]["body"]
        )
    )  # fmt: skip
    return Reply(202) if good else _json(400, error={"code": "InvalidRequest", "message": "no adaptive card"})


def discord(request: Received) -> Reply:
    """A channel's webhook: `content` of 1 to 2000 characters; the message comes back only when asked for."""
    body = _body(request)
    if body is None:
        return _json(400, code=50109, message="The request body contains invalid JSON.")
    if not isinstance(body.get("content"), str) or not body["content"].strip():
        return _json(400, code=50006, message="Cannot send an empty message")
    if len(body["content"]) > 2000:
        return _json(400, code=50035, message="Invalid Form Body")
    if not set(body.get("allowed_mentions", {}).get("parse", ())) <= {"roles", "users", "everyone"}:
        return _json(400, code=50035, message="Invalid Form Body")
    return _json(200, id="1", content=body["content"]) if request.path.endswith("wait=true") else Reply(204)


def ntfy(request: Received) -> Reply:
    """Publishing as JSON: a POST to the root of the server, with the topic in the body."""
    body = _body(request)
    if request.path != "/":
        return _json(400, code=40008, http=400, error="invalid request: topic invalid")
    if body is None:
        return _json(400, code=40024, http=400, error="invalid request: request body must be message JSON")
    actions = body.get("actions", [])
    good = (
        isinstance(body.get("topic"), str)
        and isinstance(body.get("message"), str)
        and type(body.get("priority", 3)) is int
        and 1 <= body.get("priority", 3) <= 5
        and all(isinstance(tag, str) for tag in body.get("tags", []))
        and len(actions) <= 3
        and all(one["action"] == "view" and one["label"] and one["url"] for one in actions)
    )
    if not good:
        return _json(400, code=40024, http=400, error="invalid request: request body must be message JSON")
    if len(body["message"].encode()) > 4096:
        return _json(413, code=41301, http=413, error="attachment too large, or bandwidth limit reached")
    return _json(200, id="hwQ2YpKdmg", time=1, event="message", topic=body["topic"], message=body["message"])


def home_assistant(request: Received) -> Reply:
    """A webhook trigger: any JSON object, 200 without a word, known or not."""
    return Reply(200)


def pagerduty(request: Received) -> Reply:
    """Events API v2: 202 and `success`, or 400 with `errors`."""
    body = _body(request) or {}
    errors = []
    if not isinstance(body.get("routing_key"), str) or len(body["routing_key"]) != 32:
        errors.append("Invalid routing key")
    if body.get("event_action") not in ("trigger", "acknowledge", "resolve"):
        errors.append(
            "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"
        )
    if len(body.get("dedup_key", "")) > 255:
        errors.append("'dedup_key' is too long (maximum is 255 characters)")
    alert = body.get("payload", {})
    if body.get("event_action") == "trigger":
        if not 0 < len(alert.get("summary", "")) <= 1024:
            errors.append("'payload.summary' is missing or blank")
        if not alert.get("source"):
            errors.append("'payload.source' is missing or blank")
        if alert.get("severity") not in ("critical", "error", "warning", "info"):
            errors.append("'payload.severity' is invalid")
    if errors:
        return _json(400, status="invalid event", message="Event object is invalid", errors=errors)
    return _json(202, status="success", message="Event processed", dedup_key=body.get("dedup_key"))


SERVICES: dict[str, Callable[[Received], Reply]] = {
    "slack": slack, "teams": teams, "discord": discord, "ntfy": ntfy, "home-assistant": home_assistant,
    "pagerduty": pagerduty,
}  # fmt: skip


def _body(request: Received) -> dict | None:
    """The JSON object of a request, None when it is none or not declared as such."""
    if request.method != "POST" or not request.headers.get("content-type", "").startswith("application/json"):
        return None
    try:
        body = json.loads(request.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
