"""A real SMTP server on loopback (aiosmtpd) that refuses whom it is told to, hangs, or accepts late."""

# ruff: noqa: N802 (aiosmtpd gives these names)
import asyncio
import email
import email.policy
import ssl
from email.message import EmailMessage
from typing import NamedTuple

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class Mail(NamedTuple):
    """One mail as it was taken: for whom, and what."""

    recipients: list[str]
    message: EmailMessage
    raw: bytes


class FakeMail:
    """`async with FakeMail() as server:` then `server.port`; `answers` by recipient or step, else everything is taken.

    A step is MAIL or DATA; an answer `hang` never comes. `stalls` makes the server take the mail and never say so.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        starttls: bool = False,
        password: str = "",
        implicit: bool = False,
    ) -> None:
        self.answers: dict[str, str] = {}
        self.mails: list[Mail] = []
        self.asked: list[str] = []
        self.stalls = False
        self.port = 0
        self._tls, self._starttls, self._password, self._implicit = tls, starttls, password, implicit

    async def __aenter__(self) -> "FakeMail":
        self._server = await asyncio.get_running_loop().create_server(
            self._protocol, "127.0.0.1", 0, ssl=self._tls if self._implicit else None
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()

    def _protocol(self) -> SMTP:
        return SMTP(
            self, hostname="mail.test", tls_context=self._tls if self._starttls else None,
            require_starttls=self._starttls, auth_required=bool(self._password), auth_require_tls=False,
            authenticator=self._authenticate, timeout=5,
        )  # fmt: skip

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data
    ) -> AuthResult:
        return AuthResult(success=data.password.decode() == self._password, handled=False)

    async def _answer(self, step: str) -> str | None:
        answer = self.answers.get(step)
        if answer == "hang":
            await asyncio.Event().wait()
        return answer

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options
    ) -> str:
        if answer := await self._answer("MAIL"):
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options
    ) -> str:
        self.asked.append(address)
        if answer := await self._answer(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if answer := await self._answer("DATA"):
            return answer
        raw = envelope.content
        message = email.message_from_bytes(raw, policy=email.policy.default)
        self.mails.append(Mail(list(envelope.rcpt_tos), message, raw))
        if self.stalls:
            await asyncio.Event().wait()
        return "250 queued as 4711"
