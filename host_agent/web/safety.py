"""What stands before every request of the page: which machine and site may ask, and what a browser may do with it.

The page is reachable from every website that runs in a browser here. So: the Host must be this laptop's own address
(against DNS rebinding), a request needs the key in a cookie that no other site's request carries, and a change must
come from a form of this page. The headers forbid scripts, styles and frames from anywhere else.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from host_agent.web.key import is_key

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "referrer-policy": "same-origin",  # with no-referrer a browser sends its own forms with Origin: null
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_YEAR_S = 365 * 86_400
_CLOSED = "This page is closed. Open it on the laptop with: cytowatch page\n"
_LONGEST_PATH = 200
LARGEST_BODY_BYTES = 64 * 1024


def cookie_name(port: int) -> str:
    """Cookies do not tell the ports of a machine apart."""
    return f"cytowatch-{port}"


class Safety:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, key: str, port: int) -> None:
        self._app = app
        self._key = key
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        self._cookie = cookie_name(port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        answer = self._refusal(scope, headers)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                for name, value in _HEADERS.items():
                    MutableHeaders(scope=message).setdefault(name, value)
            await send(message)

        await (answer or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if host not in self._hosts or len(scope["path"]) > _LONGEST_PATH:
            return PlainTextResponse("This is not an address of the page.\n", 400)
        if scope["path"].startswith("/static/"):
            return None
        if scope["method"] == "POST" and not _is_own(headers, host):
            return PlainTextResponse("This did not come from a form of the page.\n", 403)
        length = headers.get("content-length", "" if scope["method"] == "POST" else "0")
        if not length.isascii() or not length.isdigit() or int(length) > LARGEST_BODY_BYTES:
            return PlainTextResponse("Too much for a form of the page.\n", 413)
        if is_key(_cookie(headers, self._cookie), self._key):
            return None
        return self._opening(scope) or PlainTextResponse(_CLOSED, 401)

    def _opening(self, scope: Scope) -> Response | None:
        """`/?key=…`, as `cytowatch page` opens it: the key goes to a cookie, and out of the address."""
        given = scope["query_string"].decode("ascii", "replace").removeprefix("key=")
        if scope["path"] != "/" or scope["method"] != "GET" or not is_key(given, self._key):
            return None
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, self._key, max_age=_YEAR_S, httponly=True, samesite="strict")
        return answer


def _is_own(headers: Headers, host: str) -> bool:
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc == host and urlsplit(origin).scheme == "http"
    return headers.get("sec-fetch-site") == "same-origin"


def _cookie(headers: Headers, name: str) -> str | None:
    for part in headers.get("cookie", "").split(";"):
        found, equals, value = part.strip().partition("=")
        if equals and found == name:
            return value
    return None
