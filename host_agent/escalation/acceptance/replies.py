"""The reader of a message accepts its alarm with the one-time code in it: over MQTT, a push service, or a post.

    addressed = with_reply_code(tx, addressed, now_ms)          # before the message is queued
    reply = accept_by_token(tx, code, "Maria", "ntfy", now_ms)  # when it comes back; reply.text answers the reader

A code is of one message to one receiver. It is good once, until its alarm has ended, and for a day at most.
"""

import base64
import hashlib
import json
import os
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from host_agent.escalation.acceptance.words import first_words
from host_agent.people import accepting
from host_agent.people.asking import Refusal
from host_agent.printable import printable
from host_agent.store import acceptances as store
from host_agent.store.acceptances import Acceptance
from host_agent.store.counters import count
from host_agent.store.db import Tx
from host_agent.store.outbox import Addressed, has_delivery
from host_agent.store.reply_tokens import ReplyToken, add_token, token_by_hash, use_token
from host_agent.text import iso_utc, local_time_near

REPLY_REFUSED = "reply_refused_"  # counters of refused replies are called so, followed by the reason
TOKEN_MS = 86_400_000
_TOKEN = re.compile(r"[a-z2-7]{24}")
_WHO_CHARS = 64


class Reply(NamedTuple):
    """`made` is the acceptance, None: refused. `why` is one word, "" when it was taken; `text` is for the reader."""

    made: Acceptance | None
    why: str
    text: str


def with_reply_code(tx: Tx, message: Addressed, now_ms: int) -> Addressed:
    """The message with a code of its own as `accept`; unchanged when nobody can accept anything by it.

    A message that this receiver has already keeps its code: call it once, right before the message is queued.
    """
    if (
        message.episode is None
        or message.withheld
        or not message.priority
        or has_delivery(tx, message.target, message.event_key)
    ):
        return message
    whole = json.loads(message.payload)
    if whole.get("stage") == "over":  # made of an event that had one
        whole.pop("accept", None)
        return message._replace(payload=json.dumps(whole, ensure_ascii=False, separators=(",", ":")))
    code = base64.b32encode(os.urandom(15)).decode().lower()
    until_ms = now_ms + TOKEN_MS
    token = ReplyToken(
        _hash(code), message.target, message.event_key, message.episode, message.priority, until_ms, None
    )
    add_token(tx, token)
    whole |= {"accept": {"token": code, "until": iso_utc(until_ms)}}
    return message._replace(payload=json.dumps(whole, ensure_ascii=False, separators=(",", ":")))


def accept_by_token(
    tx: Tx,
    token: str,
    who: str,
    how: str,
    now_ms: int,
    *,
    event_key: str | None = None,
    people: Mapping[str, str] = MappingProxyType({}),
) -> Reply:
    """Accept the alarm of the message that this code stands in; a refusal is counted and changes nothing.

    `who` is the name that the reply gives, "": whom the receiver reaches by `people`, or its own name. `how` is the
    channel, `event_key` the event that the reply names, when it names one. Whoever comes second is told who was first.
    Give `made` to `Escalation.accepted` in the same transaction, so that everyone is told.
    """
    code = token.strip().lower() if isinstance(token, str) else ""
    found = token_by_hash(tx, _hash(code)) if _TOKEN.fullmatch(code) else None
    refusal = _why_not(tx, found, now_ms, event_key)
    if refusal is not None or found is None:
        why, text = refusal or Refusal("unknown", "")
        count(tx, None, REPLY_REFUSED + why)
        return Reply(None, why, text)
    accepting.end_finished(tx, now_ms, found.episode)
    episode = store.episode_by_row(tx, found.episode, now_ms)
    name = printable(who)[:_WHO_CHARS].strip() or people.get(found.target, found.target)
    made = accepting.accept(tx, episode, accepting.By(name, how, now_ms), found.priority)
    use_token(tx, found.hash, made.id)
    if made.after is not None:
        return Reply(made, "", f"{first_words(store.acceptance(tx, made.after), now_ms)}. You are noted too.")
    return Reply(
        made,
        "",
        f"Accepted by {name} until {local_time_near(made.until_utc_ms, now_ms)}. The alarm still stands.",
    )


def _why_not(tx: Tx, found: ReplyToken | None, now_ms: int, event_key: str | None) -> Refusal | None:
    if found is None:
        return Refusal("unknown", "This code is not known. Use the newest message, or call.")
    if event_key is not None and event_key not in (
        found.event_key,
        found.event_key.partition("-reminder-")[0],
    ):
        return Refusal("other_event", "This code belongs to another alarm. Use the code of its own message.")
    if found.used_by is not None:
        used = store.acceptance(tx, found.used_by)
        return Refusal("used", f"This code was used: {first_words(used, now_ms)}.")
    episode = store.episode_by_row(tx, found.episode, now_ms)
    if refusal := accepting.why_not(episode, episode.key, found.priority, episode.binding):
        return refusal
    if now_ms >= found.until_utc_ms or now_ms < found.until_utc_ms - TOKEN_MS - accepting.CLOCK_BACK_MS:
        return Refusal("too_old", "This code is too old. Use the newest message, or call.")
    return None


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
