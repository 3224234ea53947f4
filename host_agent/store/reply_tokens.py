"""The codes with which the reader of one message may accept its alarm, as hashes."""

from typing import NamedTuple

from host_agent.store.db import Tx


class ReplyToken(NamedTuple):
    """One message for one receiver; `used_by` is the acceptance (row id) that was made with it."""

    hash: bytes
    target: str
    event_key: str
    episode: int
    priority: int
    until_utc_ms: int
    used_by: int | None


def add_token(tx: Tx, token: ReplyToken) -> None:
    """Keep a new one."""
    tx.execute("INSERT INTO reply_tokens VALUES (?, ?, ?, ?, ?, ?, ?)", token)


def token_by_hash(tx: Tx, hash_: bytes) -> ReplyToken | None:
    """The one with this hash."""
    row = tx.execute("SELECT * FROM reply_tokens WHERE hash = ?", (hash_,)).fetchone()
    return ReplyToken(*row) if row else None


def use_token(tx: Tx, hash_: bytes, acceptance: int) -> None:
    """It was used, and is good for nothing more."""
    tx.execute("UPDATE reply_tokens SET used_by = ? WHERE hash = ? AND used_by IS NULL", (acceptance, hash_))
