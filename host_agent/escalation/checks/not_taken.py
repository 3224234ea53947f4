"""What was signed here and the wearable refused is an alarm, NOT_TAKEN: it decides without what people rely on.

Entries are judged from the store: the alarm stands while the last one that was sent is refused, and a later one that
the wearable journals ends it. A refused rule set or limit stands until one is taken. Both end with the binding.
"""

import logging
from collections.abc import Mapping

from crs_core.codes import NOT_TAKEN, PRIORITY_MEDIUM

from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts, Finding
from host_agent.escalation.checks.standing import make_stand, open_by_device, stands
from host_agent.store.bindings import open_bindings
from host_agent.store.db import Tx
from host_agent.store.outgoing import REFUSED, last_answered

_LOG = logging.getLogger(__name__)


class NotTakenCheck:
    """`refused_numbers`: binding row → why its wearable refused signed numbers, "" when it has them.

    A binding without a key there was not in session since the agent started: its alarm stays as it is.
    """

    name = "refused entries"
    every_s = 1.0
    least_real_s = 1.0

    def __init__(self, parts: CheckParts, refused_numbers: Mapping[int, str]) -> None:
        self._parts = parts
        self._refused_numbers = refused_numbers

    async def look(self) -> None:
        """Judge every open binding now."""
        store, now_ms = self._parts.store, self._parts.clock.utc_ms()

        def keep(tx: Tx) -> None:
            make_stand(tx, self._parts.derive, NOT_TAKEN, self._found(tx), now_ms)

        try:
            if not await store.read(lambda tx: stands(tx, NOT_TAKEN, self._found(tx))):
                await store.write(keep)
        except StoreError as error:
            _LOG.error("refused entries cannot be read or stored: %s", error)

    def _found(self, tx: Tx) -> dict[int, Finding]:
        standing = open_by_device(tx, NOT_TAKEN)
        details = {bound.device: self._detail(tx, bound.row) for bound in open_bindings(tx)}
        for device, detail in details.items():
            if detail is None and device in standing:
                details[device] = standing[device].detail
        return {
            device: Finding(NOT_TAKEN, PRIORITY_MEDIUM, detail)
            for device, detail in details.items()
            if detail
        }

    def _detail(self, tx: Tx, binding: int) -> str | None:
        """What the wearable refused, "" for nothing; None while that is not known in this run of the agent."""
        numbers = self._refused_numbers.get(binding)
        last = last_answered(tx, binding)
        entry = f"entry {last.audit}: {last.last_error}" if last is not None and last.state == REFUSED else ""
        if numbers is None and not entry:
            return None
        return "; ".join(filter(None, (f"signed numbers: {numbers}" if numbers else "", entry)))
