"""Times that cannot all be true: a host sent a wrong time, or this laptop's own clock was wrong and was then set.

TIME_CONTRADICTS stands for a day of the wearable's clock after the last such mark of the boot that runs: LOW for
less than a minute, MEDIUM for more. That this laptop's own clock was set by less is no alarm. Ages do not depend on
it: a mark that cannot be true dates nothing. What a wearable says of its own time cannot be replaced: while its values
come and its own answer to TIME makes them old, that stands as MEDIUM.
"""

from collections.abc import Callable, Mapping

from crs_core.codes import PRIORITY_LOW, PRIORITY_MEDIUM, TIME_CONTRADICTS

from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts, Finding
from host_agent.escalation.checks.standing import make_stand, stands
from host_agent.store.db import Tx
from host_agent.store.devices import devices
from host_agent.store.time_marks import AHEAD_MAX_MS, extents_of_boot, marks_of_boot, newest_marked_boot
from host_agent.sync.live import Said
from host_agent.sync.timebase import Contradiction, Timebase
from host_agent.text import span_text

_STANDS_MS = 86_400_000
_MEDIUM_MS = 60_000
_HOLDS_S = 45.0  # after this laptop's clock was set, the next heartbeat measures the wearable's time anew


class ContradictingTimeCheck:
    """Looks at the marks of each wearable's newest boot, and at `said`: the newest moment that each measured at."""

    name = "contradicting time"
    every_s = 10.0
    least_real_s = 1.0

    def __init__(self, parts: CheckParts, said: Callable[[], Mapping[bytes, Said]] = dict) -> None:
        self._parts = parts
        self._said = said
        self._since_s: dict[
            bytes, float
        ] = {}  # from when on a wearable's values have been made old by itself

    async def look(self) -> None:
        """Raise, reword and end TIME_CONTRADICTS; a store that fails is asked again at the next look."""
        store, derive, now_ms = self._parts.store, self._parts.derive, self._parts.clock.utc_ms()
        try:
            said = self._said()
            made_old = await store.read(lambda tx: _made_old(tx, said))
            found = {**self._lasting(made_old), **await store.read(_found)}
            if not await store.read(lambda tx: stands(tx, TIME_CONTRADICTS, found)):
                await store.write(lambda tx: make_stand(tx, derive, TIME_CONTRADICTS, found, now_ms))
        except StoreError:
            return

    def _lasting(self, made_old: Mapping[bytes, tuple[int, Finding]]) -> dict[int, Finding]:
        now_s = self._parts.clock.monotonic()
        self._since_s = {device_id: self._since_s.get(device_id, now_s) for device_id in made_old}
        return {
            device: finding
            for device_id, (device, finding) in made_old.items()
            if now_s - self._since_s[device_id] >= _HOLDS_S
        }


def _made_old(tx: Tx, said: Mapping[bytes, Said]) -> dict[bytes, tuple[int, Finding]]:
    """Wearables whose values of now are old by the marks of their boot."""
    found = {}
    for device in devices(tx):
        if (now := said.get(device.device_id)) is None:
            continue
        timebase = Timebase(marks_of_boot(tx, device.id, now.boot), extents_of_boot(tx, device.id, now.boot))
        moment = timebase.resolve(now.boot, now.t_ms)
        if moment is None or now.heard_utc_ms - moment.utc_ms - moment.bound_ms <= AHEAD_MAX_MS:
            continue
        age = span_text((now.heard_utc_ms - moment.utc_ms) / 1000)
        text = f"what the wearable measures now is {age} old by its own answer to the time"
        found[device.device_id] = (device.id, Finding(TIME_CONTRADICTS, PRIORITY_MEDIUM, text))
    return found


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
