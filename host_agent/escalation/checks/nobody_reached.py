"""An alarm that stands and that no receiver took is an alarm itself: NOBODY_REACHED, here and on the wearable.

It stands while a receiver refuses the event for good, while the event cannot be handed over in time, while no
receiver that reaches a person is configured, or while nobody whom the contact steps called has accepted it in time. A
delivery to a receiver that reaches a person ends the first two: a log, a record or a broker that took it told nobody.
The end of the alarm and a person who accepts it end all. What was refused is sent again when the agent starts. Its own
deliveries never raise it. The times are proposals that a clinician must sign.
"""

import contextlib
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from crs_core import code_texts
from crs_core.codes import NOBODY_REACHED, PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_MEDIUM

from host_agent.clock import Clock
from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts, Finding
from host_agent.escalation.checks.standing import make_stand, stands
from host_agent.forward.worker import Undelivered as InMemory
from host_agent.store.contact_courses import unaccepted
from host_agent.store.db import Tx
from host_agent.store.devices import device_row, devices
from host_agent.store.undelivered import Undelivered, open_priorities, retry_standing, unreached
from host_agent.text import span_text

_LOG = logging.getLogger(__name__)
# From the event until it must be in the hands of a receiver, by priority.
LIMITS_MS: Mapping[int, int] = {PRIORITY_HIGH: 120_000, PRIORITY_MEDIUM: 600_000}
_GRADE_STANDS_MS = 3_600_000
_NAMED_MAX = 3


class NobodyReachedCheck:
    """`sounding` holds the wearables (device id) on which it must sound."""

    name = "deliveries"
    every_s = 1.0
    least_real_s = 1.0

    def __init__(
        self,
        parts: CheckParts,
        targets: Sequence[str],
        link_clock: Clock,
        in_memory: Callable[[], Iterable[InMemory]] = tuple,
        *,
        taken: Callable[[], Iterable[int]] = tuple,
        address_again: Callable[[Tx, int], None] = lambda tx, utc_ms: None,
        retry_now: Callable[[], None] = lambda: None,
        accept_within_ms: int | None = None,
    ) -> None:
        """`targets` are the receivers that reach a person.

        `in_memory` gives what receivers have not got of the events that no store holds, `taken` the rows (ids) that
        they took while the store could not note it.

        At the first look `address_again` gives what earlier runs could not deliver to the receivers of today, and
        `retry_now` then wakes them. `accept_within_ms` None: there are no contacts, and nobody need accept.
        """
        self._address_again = address_again
        self._retry_now = retry_now
        self.sounding: set[bytes] = set()
        self._parts = parts
        self._targets = tuple(targets)
        self._link = link_clock
        self._in_memory = in_memory
        self._taken = taken
        self._accept_within_ms = accept_within_ms
        self._by_store: set[bytes] = set()  # of `sounding`, what the store said when it could last be read
        self._since_ms = link_clock.utc_ms()
        self._is_retried = False

    async def look(self) -> None:
        """Judge what was not delivered now."""
        parts, now_ms = self._parts, self._parts.clock.utc_ms()
        unsaved = {share: finding for share, finding in self._judge_memory() if share}
        taken = list(self._taken())

        def keep(tx: Tx) -> None:
            make_stand(tx, parts.derive, NOBODY_REACHED, self._found(tx, unsaved, taken), now_ms)

        try:
            if not self._is_retried:
                await parts.store.write(self._send_again)
                self._is_retried = True
                self._retry_now()
            if not await parts.store.read(
                lambda tx: stands(tx, NOBODY_REACHED, self._found(tx, unsaved, taken))
            ):
                await parts.store.write(keep)
            self._by_store = set(await parts.store.read(lambda tx: self._sound_on(tx, unsaved, taken)))
            self.sounding = self._by_store
        except StoreError as error:
            _LOG.error("what was not delivered cannot be read or stored: %s", error)
            found = {bytes.fromhex(share): finding for share, finding in unsaved.items()}
            with contextlib.suppress(StoreError):
                by_store = await parts.store.read(lambda tx: self._sound_on(tx, unsaved, taken))
                found |= by_store
                self._by_store = set(by_store)
            self.sounding = self._by_store | found.keys()
            for device_id, finding in found.items():
                parts.alarm_from_memory(device_id, finding)

    def _send_again(self, tx: Tx) -> None:
        """What earlier runs could not deliver, to the receivers of today."""
        retry_standing(tx, self._link.utc_ms(), self._since_ms)
        self._address_again(tx, self._parts.clock.utc_ms())

    def _found(
        self, tx: Tx, unsaved: Mapping[str, Finding], taken: Collection[int]
    ) -> dict[int | None, Finding]:
        now_ms = self._link.utc_ms()
        rows: dict[int | None, list[Undelivered]] = {}
        for row in unreached(
            tx,
            now_ms,
            limits_ms=LIMITS_MS,
            since_ms=self._since_ms,
            without_alarm=NOBODY_REACHED,
            taken=taken,
            reaching=self._targets,
        ):
            rows.setdefault(row.device, []).append(row)
        found = {device: _finding(of_one) for device, of_one in rows.items()}
        if not self._targets:
            grade_since_ms = self._parts.clock.utc_ms() - _GRADE_STANDS_MS
            for device in open_priorities(
                tx, now_ms, least=PRIORITY_HIGH, without_alarm=NOBODY_REACHED, grade_since_ms=grade_since_ms
            ):
                found[device] = Finding(
                    NOBODY_REACHED, PRIORITY_HIGH, "no receiver that reaches a person is configured"
                )
        if self._accept_within_ms is not None:
            for device, finding in _unaccepted(tx, self._accept_within_ms).items():
                also = f"; {found[device].detail}" if device in found else ""
                found[device] = finding._replace(detail=finding.detail + also)
        for share, finding in unsaved.items():
            found.setdefault(device_row(tx, bytes.fromhex(share)), finding)
        return found

    def _sound_on(
        self, tx: Tx, unsaved: Mapping[str, Finding], taken: Collection[int]
    ) -> dict[bytes, Finding]:
        found = self._found(tx, unsaved, taken)
        return {
            one.device_id: found[one.id]
            for one in devices(tx)
            if one.id in found and found[one.id].priority == PRIORITY_HIGH
        }

    def _judge_memory(self) -> Iterable[tuple[str, Finding]]:
        now_ms = self._link.utc_ms()
        for one in self._in_memory():
            if one.kind.endswith(f"-{NOBODY_REACHED}"):
                continue
            limit_ms = LIMITS_MS.get(one.priority)
            is_late = limit_ms is not None and not 0 <= now_ms - one.since_ms < limit_ms
            if one.is_refused or is_late:
                why = "refused" if one.is_refused else "not taken in time"
                priority = PRIORITY_LOW if one.priority < PRIORITY_MEDIUM else PRIORITY_HIGH
                yield one.share, Finding(NOBODY_REACHED, priority, f"{why}: {one.reason}")


def _unaccepted(tx: Tx, within_ms: int) -> dict[int | None, Finding]:
    """Row id of a wearable (None: the agent) -> the alarms that nobody accepted in time, and who was told."""
    said: dict[int | None, list[str]] = {}
    for one in unaccepted(tx):
        name = code_texts.alarm_name(one.alarm) if one.alarm else "grade rise"
        told = f"; told: {', '.join(one.told)}" if one.told else ""
        said.setdefault(one.device, []).append(
            f"{name}: nobody has accepted it in {span_text(within_ms / 1000)}{told}"
        )
    return {
        device: Finding(NOBODY_REACHED, PRIORITY_HIGH, _first_of(texts)) for device, texts in said.items()
    }


def _first_of(texts: Sequence[str]) -> str:
    more = len(texts) - _NAMED_MAX
    return "; ".join(texts[:_NAMED_MAX]) + (f"; and {more} more" if more > 0 else "")


def _finding(rows: Sequence[Undelivered]) -> Finding:
    """One alarm for all of one wearable that is not delivered; its words change only with what that is."""
    said: dict[str, None] = {}
    for row in rows:
        name = code_texts.alarm_name(row.alarm) if row.alarm else "grade rise"
        why = f"refused it ({row.last_error})" if row.refusals else "has not taken it in time"
        said[f"{name}: {row.target} {why}"] = None
    priority = PRIORITY_HIGH if any(row.priority >= PRIORITY_MEDIUM for row in rows) else PRIORITY_LOW
    return Finding(NOBODY_REACHED, priority, _first_of(list(said)))
