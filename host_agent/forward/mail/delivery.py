"""Hands one mail to an SMTP server, and keeps apart what it says of each recipient."""

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import NamedTuple

import aiosmtplib

from host_agent.forward.delivery import Delivered, Delivery, Outcome, Rejected, RetryAfter
from host_agent.forward.mail.greeting import own_name
from host_agent.forward.mail.message import mail_bytes
from host_agent.forward.message import one_line, read_message

_POLICY = re.compile(r"(^|\s)5\.7\.\d+")  # refused by a rule of the server, not for want of a mailbox
_MAILBOX_FULL = 552
_REMEMBERED = 10_000
_LONGEST = 120  # characters of an answer that are shown


class Route(NamedTuple):
    """From whom to whom, by which server; `security` is starttls, tls or none."""

    server: str
    port: int
    security: str
    tls: ssl.SSLContext | None
    user: str | None
    sender: str
    recipients: tuple[str, ...]


class _Refused(NamedTuple):
    recipient: str
    answer: str
    may_change: bool


class Mail:
    """One group of recipients. The password is held in memory only."""

    def __init__(
        self,
        name: str,
        route: Route,
        password: str,
        *,
        timeout_s: float,
        accept_simulated: bool,
        utc_ms: Callable[[], int],
    ) -> None:
        self.name = name
        self.accept_simulated = accept_simulated
        self._route = route
        self._timeout_s = timeout_s
        self._password = password
        self._utc_ms = utc_ms
        self._took: dict[str, set[str]] = {}

    async def send(self, delivery: Delivery) -> Outcome:
        """Hand the mail to the server for each recipient who has not got it, within timeout_s in all."""
        took = self._took.setdefault(delivery.event_key, set())
        missing = [one for one in self._route.recipients if one not in took]
        client = self._client()
        sent = _Progress()
        try:
            async with asyncio.timeout(self._timeout_s):
                refused, answer = await self._hand_over(client, delivery, missing, sent)
        except (TimeoutError, aiosmtplib.SMTPTimeoutError):
            return self._keep(RetryAfter(f"no answer within {self._timeout_s:g} s{sent.doubt}"))
        except aiosmtplib.SMTPResponseException as error:
            return self._keep(_of_server(error))
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            why = one_line(str(error), _LONGEST) or type(error).__name__
            return self._keep(RetryAfter(f"not reached: {why}{sent.doubt}"))
        finally:
            client.close()
        gone = {one.recipient for one in refused}
        took |= {one for one in missing if one not in gone}
        if not refused:
            del self._took[delivery.event_key]
            return Delivered(f"for {_recipients(len(self._route.recipients))}: {answer}")
        return self._keep(_of_refused(refused, len(took)))

    async def close(self) -> None:
        """Nothing is kept open between mails."""

    async def _hand_over(
        self, client: aiosmtplib.SMTP, delivery: Delivery, missing: list[str], sent: "_Progress"
    ) -> tuple[list[_Refused], str]:
        """(recipients that the server refuses, what it says of the mail)"""
        route = self._route
        await client.connect()
        await client.mail(route.sender)
        refused = []
        for recipient in missing:
            try:
                await client.rcpt(recipient)
            except aiosmtplib.SMTPRecipientRefused as error:
                if error.code == 421:  # the server ends the whole conversation
                    raise
                refused.append(_Refused(recipient, _answer(error), _may_change(error)))
        if len(refused) == len(missing):
            return refused, ""
        mail = mail_bytes(read_message(delivery), route.sender, route.recipients, self._utc_ms() / 1000)
        sent.all_of_it = True
        done = await client.data(mail)
        return refused, f"{done.code} {one_line(done.message, _LONGEST)}"

    def _client(self) -> aiosmtplib.SMTP:
        route = self._route
        return aiosmtplib.SMTP(
            hostname=route.server, port=route.port, timeout=self._timeout_s,
            username=route.user, password=self._password or None, local_hostname=own_name(), tls_context=route.tls,
            use_tls=route.security == "tls", start_tls=route.security == "starttls",
        )  # fmt: skip

    def _keep(self, outcome: Outcome) -> Outcome:
        """Forget the oldest of what is remembered, when it grows beyond its bound."""
        while len(self._took) > _REMEMBERED:
            del self._took[next(iter(self._took))]
        return outcome


class _Progress:
    """Whether the mail itself was on its way when the time was up."""

    all_of_it = False

    @property
    def doubt(self) -> str:
        """What nobody knows then."""
        return "; it may have taken the mail, which is sent again as the same" if self.all_of_it else ""


def _recipients(number: int) -> str:
    return "1 recipient" if number == 1 else f"{number} recipients"


def _of_refused(refused: list[_Refused], taken: int) -> Outcome:
    names = "; ".join(f"{one.recipient}: {one.answer}" for one in refused)
    others = f". Handed over for {taken} other{'s' if taken > 1 else ''}" if taken else ""
    reason = f"the mail server refuses {names}{others}"
    return (
        RetryAfter(reason, whole_target=False) if any(one.may_change for one in refused) else Rejected(reason)
    )


def _of_server(error: aiosmtplib.SMTPResponseException) -> Outcome:
    """What the server says of signing in, the sender or the mail itself."""
    if isinstance(error, aiosmtplib.SMTPDataError) and not _may_change(error):
        return Rejected(f"the mail server refuses this mail: {_answer(error)}")
    return RetryAfter(f"the mail server says: {_answer(error)}")


def _may_change(error: aiosmtplib.SMTPResponseException) -> bool:
    """A 4xx, a full mailbox, or a rule of the server that somebody can repair."""
    return error.code < 500 or error.code == _MAILBOX_FULL or bool(_POLICY.search(error.message))


def _answer(error: aiosmtplib.SMTPResponseException) -> str:
    return f"{error.code} {one_line(error.message, _LONGEST)}".strip()
