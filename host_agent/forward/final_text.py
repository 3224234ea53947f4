"""The text of each message for one receiver's reader: made when the receiver is first given it, and then final."""

import logging
from collections.abc import Callable

from host_agent.errors import StoreError
from host_agent.forward.delivery import Delivered, Outcome, RetryAfter
from host_agent.store import outbox
from host_agent.store.db import Store

_LOG = logging.getLogger(__name__)
_REMEMBERED = 10_000
Word = Callable[[str], str]
"""Writes the text for a reader into the JSON of an event."""


class FinalTexts:
    """Of one receiver. `word` None: every message keeps the text that it has."""

    def __init__(self, target: str, word: Word | None) -> None:
        self._target = target
        self._word = word
        self._made: dict[str, str] = {}  # by event key: what no store holds
        self._given: set[str] = set()  # of those, what the receiver was given

    async def stored(self, store: Store, row: outbox.Row, now_ms: int) -> str:
        """The payload of a row; its text is stored before anybody is given it."""
        if not row.is_new or self._word is None:
            return row.payload
        payload = self.made(row.event_key, row.payload)
        try:
            await store.write(lambda tx: outbox.hand(tx, row.id, payload, now_ms))
        except StoreError as error:
            # a full disk delays no alarm: until it is stored, its text is kept here
            _LOG.error("target %s: %s", self._target, error)
        else:
            self._forget(row.event_key)
        return payload

    def made(self, event_key: str, payload: str) -> str:
        """The payload with its text, made once until nobody needs it any more."""
        if self._word is None:
            return payload
        if event_key not in self._made:
            try:
                self._made[event_key] = self._word(payload)
            except Exception:  # the text that it has is better than none
                _LOG.exception("target %s: an event keeps the text that it has", self._target)
                self._made[event_key] = payload
            while len(self._made) > _REMEMBERED:
                self._forget(next(iter(self._made)))
        return self._made[event_key]

    def tried(self, event_key: str, outcome: Outcome) -> None:
        """After each attempt. A text that nobody was given yet is made anew at the next one."""
        if isinstance(outcome, Delivered):
            self._forget(event_key)
        elif not isinstance(outcome, RetryAfter) or outcome.was_reached:
            self._given.update({event_key} & self._made.keys())
        elif event_key not in self._given:
            self._forget(event_key)

    def _forget(self, event_key: str) -> None:
        self._made.pop(event_key, None)
        self._given.discard(event_key)
