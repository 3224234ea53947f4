"""One event as a mail: plain text and HTML, threaded by the event's key, the same text at every attempt."""

import hashlib
import html
import re
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from host_agent.forward.message import Message, dialled, one_line

_POLICY = SMTP.clone(cte_type="7bit")  # goes through every server, whatever extensions it has
_LONGEST_SUBJECT = 150
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_IMPORTANCE = {"HIGH": ("high", "1"), "MEDIUM": ("high", "2")}
_STYLE = "font: 16px/1.5 sans-serif; max-width: 40em"


def mail_bytes(message: Message, sender: str, recipients: Sequence[str], sent_at_s: float) -> bytes:
    """The whole mail. `Message-ID` names the message, `References` the event: mail programs show them as one thread."""
    domain = sender.rpartition("@")[2]
    mail = EmailMessage(policy=_POLICY)
    mail["From"], mail["To"] = f"CytoWatch <{sender}>", ", ".join(recipients)
    mail["Subject"] = one_line(message.headline[0], _LONGEST_SUBJECT)
    mail["Date"] = formatdate(sent_at_s)
    mail["Message-ID"] = _message_id(message.id, domain)
    if message.id != message.key:
        mail["In-Reply-To"] = mail["References"] = _message_id(message.key, domain)
    mail["Auto-Submitted"] = "auto-generated"  # no holiday answer comes back
    importance = _IMPORTANCE.get(message.priority)
    if importance and message.rings:
        mail["Importance"], mail["X-Priority"] = importance
    mail.set_content(message.text + "\n")
    mail.add_alternative(_html(message), subtype="html")
    mail.set_boundary("=_" + hashlib.sha256(message.id.encode()).hexdigest()[:32])
    return bytes(mail)


def _html(message: Message) -> str:
    """The first sentence stands out; each number can be tapped."""
    headline, rest = message.headline
    parts = [f"<p><strong>{_escaped(headline)}</strong></p>"]
    parts += [f"<p>{_escaped(rest)}</p>"] if rest else []
    parts += [
        f'<p><a href="{dialled(number)}">{_escaped(label)}</a></p>' for label, number in message.to_call
    ]
    return f'<!DOCTYPE html><html><body style="{_STYLE}">{"".join(parts)}</body></html>\n'


def _escaped(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")


def _message_id(key: str, domain: str) -> str:
    left = key if _ID.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()
    return f"<{left}@{domain}>"
