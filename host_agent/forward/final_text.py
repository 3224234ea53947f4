"""The text of each message for one receiver's reader: made when the receiver is first given it, and then final."""

import logging
from collections.abc import Callable

from host_agent.forward.delivery import Delivered, Outcome, RetryAfter
from host_agent.store import outbox

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

    def of(self, row: outbox.Row) -> str:
        """The payload to send: of a row that was never given to anybody with the text that `new_of` made."""
        return self.made(row.event_key, row.payload) if row.is_new else row.payload

    def new_of(self, row: outbox.Row) -> str | None:
        """The payload with the text to store before anybody is given it; None: the row has its final text."""
        return self.made(row.event_key, row.payload) if row.is_new and self._word is not None else None

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
