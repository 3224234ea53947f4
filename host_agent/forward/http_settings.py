"""The keys of a receiver that is reached over HTTP: address, headers, token, proxy, and which certificates count."""

import os
import re
import ssl
from collections.abc import Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit

import httpx2
from pydantic import Field, field_validator, model_validator

from host_agent.errors import ConfigError
from host_agent.forward.address import check_address
from host_agent.forward.endpoint import Endpoint, is_loopback
from host_agent.forward.peer import Peer
from host_agent.forward.receiver import Receiver
from host_agent.forward.secret import VariableName
from host_agent.text import without_secrets

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,1000}")
_OURS = (
    "content-type", "content-length", "transfer-encoding", "connection", "host", "user-agent", "idempotency-key",
    "cytowatch-signature", "webhook-id", "webhook-timestamp", "webhook-signature",
)  # fmt: skip
HeaderValue = Annotated[str, Field(pattern=r"^[\x20-\x7e]{0,1000}$")]


class HttpPeer(Peer):
    """Keys for all that speak HTTP."""

    may_be_off: ClassVar[bool] = False
    """Whether a table without an address is no mistake."""

    url: str | None = Field(
        default=None,
        description="Address that takes the POST. Redirects are refused. An address that is a secret itself, as that"
        " of Slack, Teams and Discord, belongs into a file: url_file.",
    )
    url_file: str | None = Field(
        default=None,
        description="File whose first line is the address, readable by you alone. Instead of url.",
    )
    url_env: VariableName | None = Field(
        default=None, description="Environment variable with the address. Instead of url."
    )
    headers: dict[str, HeaderValue] = Field(
        default_factory=dict,
        description='More headers of each request: { "X-Ward" = "7" }. For secrets use token_file.',
    )
    token_file: str | None = Field(
        default=None,
        description="File with the token of the service: its first line, readable by you alone. It is sent as"
        " `Authorization: Bearer TOKEN`; the form pagerduty takes it as the integration key.",
    )
    token_env: VariableName | None = Field(
        default=None, description="Environment variable with the token. Instead of token_file."
    )
    token_header: str = Field(
        default="Authorization",
        description="Header that carries the token. Another one than Authorization carries it without `Bearer`.",
    )
    proxy: str | None = Field(
        default=None,
        description="Proxy on the way there, as http://proxy.example.org:3128."
        " Variables such as HTTPS_PROXY are not read.",
    )
    ca_file: str | None = Field(
        default=None,
        description="File with the certificates (PEM) that may sign for the receiver, instead of the public ones.",
    )
    ca_env: VariableName | None = Field(
        default=None,
        description="Environment variable that names such a file, for example SSL_CERT_FILE."
        " It is read only when named here.",
    )
    allow_plain_http: bool = Field(
        default=False,
        description="Allow http:// to another machine. Everyone on the network can then read what is sent.",
    )

    @field_validator("url")
    @classmethod
    def _can_work(cls, url: str | None) -> str | None:
        return url if url is None else check_url(url)

    @field_validator("proxy")
    @classmethod
    def _proxy_can_work(cls, proxy: str | None) -> str | None:
        return proxy if proxy is None else check_address(proxy, ("http", "https"))

    @field_validator("headers")
    @classmethod
    def _headers_can_work(cls, headers: dict[str, str]) -> dict[str, str]:
        for name in headers:
            if not _HEADER_NAME.fullmatch(name) or name.lower() in _OURS:
                raise ValueError(
                    f"names of headers that are not CytoWatch's own; {name[:64]!r} cannot be set"
                )
        return headers

    @field_validator("token_header")
    @classmethod
    def _token_header_can_work(cls, name: str) -> str:
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OURS:
            raise ValueError("the name of a header that is not CytoWatch's own, such as X-Api-Key")
        return name

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        places = (self.url is not None) + self.has_secret("url")
        if places > 1 or (not places and not self.may_be_off):
            number = "at most" if self.may_be_off else "exactly"
            raise ValueError(f"{number} one of url, url_file and url_env")
        if self.url is not None:
            check_encrypted(self.url, plain_is_allowed=self.allow_plain_http)
        if self.ca_file is not None and self.ca_env is not None:
            raise ValueError("only one of ca_file and ca_env")
        if self.has_secret("token") and self.token_header.lower() in (name.lower() for name in self.headers):
            raise ValueError(f"the header {self.token_header} either in headers or from the token")
        return self

    def needs(self, name: str) -> bool:
        return False

    def problems(self) -> Iterator[ConfigError]:
        yield from super().problems()
        for read in (self.address, self.tls):
            try:
                read()
            except ConfigError as error:
                yield error

    def address(self) -> str:
        """The address, from the key or from its secret place; ConfigError never shows it."""
        if self.url is not None:
            return self.url
        url = self.read_secret("url").decode()
        try:
            check_encrypted(check_url(url), plain_is_allowed=self.allow_plain_http)
        except ValueError as error:
            raise self.wrong_address(error) from None
        return url

    def wrong_address(self, expected: object) -> ConfigError:
        """The error for an address that stands in a secret place, without showing it."""
        return ConfigError(f"{self.title}: the address in its file or variable: expected {expected}.")

    def token(self) -> str:
        """The token, "" without one."""
        if not self.has_secret("token"):
            return ""
        token = self.read_secret("token", shortest_chars=1).decode()
        if not _HEADER_VALUE.fullmatch(token):
            raise ConfigError(f"{self.title}: the token holds characters that no header may have.")
        return token

    def token_headers(self, token: str) -> dict[str, str]:
        """The header that carries `token`."""
        if not token:
            return {}
        is_bearer = self.token_header.lower() == "authorization"
        return {self.token_header: f"Bearer {token}" if is_bearer else token}

    def tls(self, environ: Mapping[str, str] = os.environ) -> ssl.SSLContext:
        """Which certificates count; ConfigError when the file that a key names cannot serve."""
        return tls_context(self.title, self.ca_file, self.ca_env, environ)

    def client(self) -> httpx2.AsyncClient:
        """A client for this receiver alone."""
        return make_client(self.timeout_s, self.tls(), self.proxy)

    def endpoint(self) -> Endpoint:
        parts = urlsplit(self.address())
        is_tls = parts.scheme == "https"
        proxy = urlsplit(self.proxy) if self.proxy else None
        return Endpoint(
            parts.hostname or "", parts.port or (443 if is_tls else 80), self.tls() if is_tls else None,
            (proxy.hostname or "", proxy.port or (443 if proxy.scheme == "https" else 80)) if proxy else None,
        )  # fmt: skip

    def shown_address(self) -> str:
        return (
            without_secrets(self.url)
            if self.url
            else f"address in {self.url_file or f'variable {self.url_env}'}"
        )


class HttpReceiver(HttpPeer, Receiver):
    """A receiver of events that speaks HTTP."""


def make_client(
    timeout_s: float, tls: ssl.SSLContext | None = None, proxy: str | None = None
) -> httpx2.AsyncClient:
    """An HTTP client that takes nothing from the environment, follows no redirect and keeps no cookie."""
    # trust_env off: a proxy or .netrc of the environment must not see patient events unasked
    client = httpx2.AsyncClient(
        follow_redirects=False, trust_env=False, proxy=proxy,
        # the shorter limit is met first, and tells a receiver that is away from one that is slow
        timeout=httpx2.Timeout(timeout_s, connect=0.9 * timeout_s),
        verify=True if tls is None else tls,
    )  # fmt: skip
    # Each cookie that a receiver sets would make every later request longer, until it is refused.
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
    return client


def check_url(url: str) -> str:
    """`url` as it was given; ValueError says what is wrong with it."""
    check_address(url)
    try:
        httpx2.Request("POST", url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise ValueError(f"an address that can be called; {without_secrets(str(error))}") from None
    return url


def check_encrypted(url: str, *, plain_is_allowed: bool) -> None:
    """ValueError when others could read what is sent there."""
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not plain_is_allowed:
        raise ValueError("https:// (or allow_plain_http = true, when the network itself is protected)")


def tls_context(
    owner: str, file: str | None, variable: str | None, environ: Mapping[str, str] = os.environ
) -> ssl.SSLContext:
    """Certificates that may sign for a receiver: those of the file, else the public ones."""
    if variable is not None and not environ.get(variable):
        raise ConfigError(
            f"{owner}: the environment variable {variable} is not set.", "Set it where the agent starts."
        )
    named = environ[variable] if variable is not None else file
    if named is None:
        return httpx2.create_ssl_context(trust_env=False)
    path = Path(named).expanduser()
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        why = "holds no certificate in PEM form" if isinstance(error, ssl.SSLError) else "cannot be read"
        raise ConfigError(
            f"{owner}: the file of certificates {path} {why}.", "Check ca_file or ca_env."
        ) from None
