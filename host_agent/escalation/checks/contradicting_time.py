"""Times that cannot all be true: a host sent a wrong time, or this laptop's own clock was wrong and was then set.

TIME_CONTRADICTS stands for a day of the wearable's clock after the last such mark of the boot that runs: LOW for
less than a minute, MEDIUM for more. That this laptop's own clock was set by less is no alarm. Ages do not depend on
it: a mark that cannot be true dates nothing.
"""

from crs_core.codes import PRIORITY_LOW, PRIORITY_MEDIUM, TIME_CONTRADICTS

from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts, Finding
from host_agent.escalation.checks.standing import make_stand, stands
from host_agent.store.db import Tx
from host_agent.store.devices import devices
from host_agent.store.time_marks import extents_of_boot, marks_of_boot, newest_marked_boot
from host_agent.sync.timebase import Contradiction, Timebase
from host_agent.text import span_text

_STANDS_MS = 86_400_000
_MEDIUM_MS = 60_000


class ContradictingTimeCheck:
    """Looks at the marks of each wearable's newest boot."""

    name = "contradicting time"
    every_s = 10.0
    least_real_s = 1.0

    def __init__(self, parts: CheckParts) -> None:
        self._parts = parts

    async def look(self) -> None:
        """Raise, reword and end TIME_CONTRADICTS; a store that fails is asked again at the next look."""
        store, derive, now_ms = self._parts.store, self._parts.derive, self._parts.clock.utc_ms()
        try:
            found = await store.read(_found)
            if not await store.read(lambda tx: stands(tx, TIME_CONTRADICTS, found)):
                await store.write(lambda tx: make_stand(tx, derive, TIME_CONTRADICTS, found, now_ms))
        except StoreError:
            return


def _found(tx: Tx) -> dict[int, Finding]:
    found = {}
    for device in devices(tx):
        boot = newest_marked_boot(tx, device.id)
        if boot is None:
            continue
        marks, extents = marks_of_boot(tx, device.id, boot), extents_of_boot(tx, device.id, boot)
        now_ms = max([mark.t_ms for mark in marks] + [extent.last_ms for extent in extents])
        recent = [
            one
            for one in Timebase(marks, extents).contradictions(boot)
            if one.mark.t_ms > now_ms - _STANDS_MS and not (one.mark.own and abs(one.ahead_ms) < _MEDIUM_MS)
        ]
        if recent:
            worst = max(recent, key=lambda one: abs(one.ahead_ms))
            priority = PRIORITY_MEDIUM if abs(worst.ahead_ms) >= _MEDIUM_MS else PRIORITY_LOW
            found[device.id] = Finding(TIME_CONTRADICTS, priority, _words(worst))
    return found


def _words(one: Contradiction) -> str:
    """Whose clock it was, and how far it was off."""
    off = f"{span_text(abs(one.ahead_ms) / 1000)} {'ahead' if one.ahead_ms > 0 else 'behind'}"
    if one.mark.own:
        return f"the clock of this laptop was {off} until it was set"
    who = "another host" if one.mark.key_id is None else f"the host with key {one.mark.key_id:08x}"
    return f"{who} sent a time that is {off}; it is not used"
