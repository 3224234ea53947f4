"""Who must be called now: the timers of the contact steps, acceptances, ends, and the word to all when a patient ends.

While the store cannot take the next step, nobody waits for it: everybody is told from memory, and it sounds.
"""

import logging

from crs_core.codes import NOBODY_REACHED, PRIORITY_HIGH

from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts, Finding
from host_agent.escalation.contact.calling import Calling
from host_agent.escalation.derive import Escalation
from host_agent.store.db import Tx
from host_agent.store.devices import device

_LOG = logging.getLogger(__name__)
_STUCK = Finding(NOBODY_REACHED, PRIORITY_HIGH, "this laptop cannot store who is called next")


class ContactStepsCheck:
    """`sounding` holds the wearables (device id) about which somebody must be called and the store takes nothing."""

    name = "contact steps"
    every_s = 0.5
    least_real_s = 0.2

    def __init__(self, parts: CheckParts, escalation: Escalation) -> None:
        self.sounding: set[bytes] = set()
        self._parts = parts
        self._escalation = escalation

    async def look(self) -> None:
        """Do what is due now; nothing without contacts."""
        calling = self._escalation.calling
        if calling is None:
            return
        store, now_ms = self._parts.store, self._parts.clock.utc_ms()
        stuck: set[bytes] = set()
        try:
            is_due, stuck = await store.read(lambda tx: _look(tx, calling))
            if is_due:
                await store.write(lambda tx: self._escalation.call(tx, now_ms))
            self.sounding = set()
        except StoreError as error:
            _LOG.error("contact steps cannot be read or stored: %s", error)
            self.sounding |= stuck
            for device_id in self.sounding:
                self._parts.alarm_from_memory(device_id, _STUCK)


def _look(tx: Tx, calling: Calling) -> tuple[bool, set[bytes]]:
    is_due, rows = calling.look(tx)
    return is_due, {device(tx, row).device_id for row in rows}
