"""What people were asked for and did not enter in time is an alarm of the host: PROMPT_MISSED, ended by the answer.

Judged anew from the store at every look, so a restart raises nothing twice. A store that fails does not silence it.
"""

import logging
from typing import NamedTuple

from crs_core.codes import PROMPT_MISSED

from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts, Finding
from host_agent.escalation.checks.standing import make_stand, stands
from host_agent.people.regrade import asked_for
from host_agent.store.bindings import open_bindings
from host_agent.store.db import DatabaseError, Tx
from host_agent.sync.timebase import stored_time
from host_agent.text import prompt_names

_LOG = logging.getLogger(__name__)


class Missed(NamedTuple):
    """What is missed about one wearable; `device` is its row id."""

    device: int
    device_id: bytes
    finding: Finding


class PromptCheck:
    """Looks at every open binding."""

    name = "prompts"
    every_s = 30.0
    least_real_s = 1.0

    def __init__(self, parts: CheckParts) -> None:
        self._parts = parts
        self._unstored: list[Missed] = []  # as last read, until the store's open alarms say the same

    async def look(self) -> None:
        """Judge every open binding now."""
        store, derive, now_ms = self._parts.store, self._parts.derive, self._parts.clock.utc_ms()

        def unstored(tx: Tx) -> tuple[bool, list[Missed]]:
            missed = _missed(tx, now_ms)
            return not stands(tx, PROMPT_MISSED, _by_device(missed)), missed

        def keep(tx: Tx) -> None:
            make_stand(tx, derive, PROMPT_MISSED, _by_device(_missed(tx, now_ms)), now_ms)

        try:
            is_due, missed = await store.read(unstored)
            self._unstored = missed if is_due else []
            if is_due:
                await store.write(keep)
                self._unstored = []
        except StoreError as error:
            _LOG.error("missed entries cannot be read or stored: %s", error)
            for one in self._unstored:
                self._parts.alarm_from_memory(one.device_id, one.finding)


def _missed(tx: Tx, now_ms: int) -> list[Missed]:
    missed = []
    for bound in open_bindings(tx):
        try:
            asked = asked_for(tx, bound.row, now_ms, stored_time)
        except (StoreError, DatabaseError):
            raise
        except Exception:  # one patient's data never hides another's prompts
            _LOG.exception("what is asked about the patient of %s cannot be judged", bound.device_id.hex())
            continue
        if asked.priority:
            detail = f"not entered in time: {prompt_names(asked.missed)}"
            finding = Finding(PROMPT_MISSED, asked.priority, detail)
            missed.append(Missed(bound.device, bound.device_id, finding))
    return missed


def _by_device(missed: list[Missed]) -> dict[int, Finding]:
    return {one.device: one.finding for one in missed}
