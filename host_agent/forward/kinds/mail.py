"""Deliver an event by mail over SMTP: encrypted, and with the server's answer for each recipient by name.

A recipient who was refused keeps the others from nothing: they get the mail, and a later attempt asks only for whoever
is missing. What the agent remembers of that is lost when it ends; the Message-ID then marks the copy as the same mail.
"""

import re
import ssl
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from host_agent.errors import ConfigError
from host_agent.forward.address import check_address
from host_agent.forward.endpoint import Endpoint, is_loopback
from host_agent.forward.http_settings import tls_context
from host_agent.forward.mail.greeting import greet
from host_agent.forward.message import cut
from host_agent.forward.receiver import Receiver
from host_agent.forward.secret import VariableName

if TYPE_CHECKING:
    from host_agent.forward.mail.delivery import Mail

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class MailReceiver(Receiver):
    """Recipients of mail, over one SMTP server. Write one [[mail]] table for each group of people."""

    example: ClassVar[dict[str, Any]] = {
        "name": "ward-mail",
        "server": "smtp.example.org",
        "user": "cytowatch@example.org",
        "password_file": "/etc/cytowatch/mail.secret",
        "sender": "cytowatch@example.org",
        "recipients": ("ward-7@example.org", "on-call@example.org"),
    }
    secrets: ClassVar[tuple[str, ...]] = ("password",)
    files: ClassVar[tuple[str, ...]] = ("ca_file",)

    server: str = Field(description="Name of the SMTP server.")
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port; without it 587, or 465 with security = tls, or 25 with none.",
    )
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="How the connection is encrypted. none is for a server on this computer, or with allow_plain.",
    )
    allow_plain: bool = Field(
        default=False,
        description="Allow security = none to another machine. Everyone on the network can then read the mail.",
    )
    ca_file: str | None = Field(
        default=None,
        description="File with the certificates (PEM) that may sign for the server, instead of the public ones.",
    )
    user: str | None = Field(default=None, description="Name for signing in at the server.")
    password_file: str | None = Field(
        default=None, description="File with the password for user: its first line, readable by you alone."
    )
    password_env: VariableName | None = Field(
        default=None, description="Environment variable with the password. Instead of password_file."
    )
    sender: str = Field(description="Address that the mail comes from.")
    recipients: tuple[str, ...] = Field(
        strict=False,
        min_length=1,
        max_length=50,
        description="Addresses that the mail goes to. Each is in its header.",
    )

    @field_validator("server")
    @classmethod
    def _server_can_work(cls, server: str) -> str:
        try:
            check_address(f"smtps://{server}", ("smtps",))
        except ValueError:
            raise ValueError("the name of a machine, such as smtp.example.org") from None
        if set(server) & set("/?#:") and not server.startswith("["):
            raise ValueError("the name of a machine alone; the port has its own key")
        return server.strip("[]")

    @field_validator("sender")
    @classmethod
    def _sender_can_work(cls, sender: str) -> str:
        return _checked(sender)

    @field_validator("recipients")
    @classmethod
    def _recipients_can_work(cls, recipients: tuple[str, ...]) -> tuple[str, ...]:
        seen = [_checked(recipient).casefold() for recipient in recipients]
        for recipient in recipients:
            if seen.count(recipient.casefold()) > 1:
                raise ValueError(
                    f"each recipient once; {recipient} is there {seen.count(recipient.casefold())} times"
                )
        return recipients

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        if self.security == "none" and not is_loopback(self.server) and not self.allow_plain:
            raise ValueError(
                "security = starttls or tls (or allow_plain = true, when the network itself is protected)"
            )
        if (self.user is None) == self.has_secret("password"):
            raise ValueError("user together with password_file or password_env, or none of them")
        return self

    def needs(self, name: str) -> bool:
        return False

    def problems(self) -> Iterator[ConfigError]:
        yield from super().problems()
        try:
            self.tls()
        except ConfigError as error:
            yield error

    def tls(self) -> ssl.SSLContext | None:
        """Which certificates count; None when nothing is encrypted."""
        return None if self.security == "none" else tls_context(self.title, self.ca_file, None)

    def forwarder(self, utc_ms: Callable[[], int]) -> "Mail":
        # the library takes 30 ms to import, and most laptops send no mail
        from host_agent.forward.mail.delivery import Mail, Route  # noqa: PLC0415

        password = self.read_secret("password", shortest_chars=1).decode() if self.user is not None else ""
        route = Route(
            self.server, self.own_port, self.security, self.tls(), self.user, self.sender, self.recipients
        )
        return Mail(
            self.name,
            route,
            password,
            timeout_s=self.timeout_s,
            accept_simulated=self.accept_simulated,
            utc_ms=utc_ms,
        )

    def endpoint(self) -> Endpoint:
        return Endpoint(
            self.server, self.own_port, self.tls(), greet=greet if self.security == "starttls" else None
        )

    @property
    def own_port(self) -> int:
        """The port of the configuration, or that of its kind of encryption."""
        return self.port or _PORTS[self.security]

    def proves(self) -> str:
        return "the mail server took it for each recipient; whether it reached a mailbox or a person, it does not say"

    def shown_address(self) -> str:
        return f"{', '.join(self.recipients)} by {self.server}:{self.own_port}"


def _checked(address: str) -> str:
    if not _ADDRESS.fullmatch(address) or address.startswith(".") or ".@" in address or ".." in address:
        raise ValueError(f"a mail address such as ward-7@example.org, found {cut(address, 60)!r}")
    return address
