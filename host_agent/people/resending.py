"""Which entries a wearable that restarted must get again: those it dropped and that are still valid. Pure reads.

A wearable does not know how long it was off, so at a start every entry with a time limit counts as expired there. The
laptop knows the age of each. Nothing that expired, was superseded here or by another laptop, or was contradicted by a
newer sign is sent again, and nothing twice in one boot.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from crs_core import context
from crs_core.grade import entries, entry_numbers

from host_agent.people.context_state import State, in_force
from host_agent.people.limits import rules_for
from host_agent.people.on_wearable import OnWearable, on_wearable
from host_agent.people.outgoing import readable_numbers
from host_agent.people.regrade import replayed
from host_agent.people.validity import is_time_known
from host_agent.people.wearable_says import Resolve
from host_agent.store.db import Tx
from host_agent.store.outgoing import JOURNALED, Outgoing, outgoing
from host_agent.store.time_marks import extents_of

# Keys of the wearable's vocabulary → the keys of people that they are judged from.
_FROM = {
    "blood_pressure": ("blood_pressure", *entries.PRESSURES),
    "organ_grade": ("organ_grade", "transaminase_grade", "creatinine_grade"),
}
# While an oxygen need that rose counts, its entries are not sent again: the later one alone does not say that the need
# rose. The wearable keeps the alarm and asks to assess again.
_OF_THE_NEED = ("oxygen", "flow_lpm", "fio2_pct")


Ticks = dict[int, int]  # boot → the last moment known of it, ms
At = Callable[[int, int, int], tuple[int, int] | None]


class Again(NamedTuple):
    """One entry to send again: the numbers of it that are still valid, and how old they are now."""

    item: Outgoing
    numbers: dict[int, int | None]
    age_ms: int

    def meant(self) -> set[str]:
        """The keys of the wearable's vocabulary in it."""
        return {_key(number, value) for number, value in self.numbers.items()}

    def message(self) -> bytes:
        """The bytes of CONTEXT, under the proof that the entry always had."""
        found: bytes = context.encode(self.age_ms, self.item.proof, self.numbers)
        return found


def to_send_again(tx: Tx, binding: int, boot: int | None, now_ms: int, resolve: Resolve) -> list[Again]:
    """In the order of signing, for a wearable in its boot `boot` (None: as its records say) that is all stored here."""
    rules = rules_for(tx, binding)
    held = on_wearable(tx, binding, rules)
    boot = held.boot if boot is None else boot
    replay = replayed(tx, binding, rules, now_ms, resolve)
    valid = {entry[0] for entry in replay.entered if entry[3] == entries.IN_FORCE}
    state = in_force(tx, binding)
    ticks = {} if held.device is None else {one.boot: one.last_ms for one in extents_of(tx, held.device)}
    again = []
    for item in outgoing(tx, binding):
        record = held.journaled.get(item.proof)
        age_ms = _age_ms(item, held, now_ms, ticks, lambda *at: resolve(tx, *at))
        if item.state != JOURNALED or (record is not None and record.boot == boot) or age_ms is None:
            continue

        def counts(key: str, value: Any, item: Outgoing = item, age_ms: int = age_ms) -> bool:
            limit_ms = entries.counts_ms(key, value, replay.is_at_risk, rules)
            return limit_ms is not None and age_ms <= limit_ms and _is_of(item, key, state, held, valid)

        numbers = {
            number: value
            for number, value in readable_numbers(item).items()
            if _counts(number, value, counts)
        }
        if context.TEMPERATURE_CC not in numbers or context.SITE not in numbers:
            numbers.pop(context.TEMPERATURE_CC, None)
            numbers.pop(context.SITE, None)
        if entries.RISING_NEED in valid:
            numbers = {n: v for n, v in numbers.items() if _key(n, v) not in _OF_THE_NEED}
        if numbers:
            again.append(Again(item, numbers, age_ms))
    return again


def _counts(number: int, value: int | None, counts: Callable[[str, Any], bool]) -> bool:
    if value is None:
        return False
    ((key, meant),) = entry_numbers.values_of({number: value}).items()
    return counts(key, meant)


def _key(number: int, value: int | None) -> str:
    return str(next(iter(entry_numbers.values_of({number: value}))))


def _is_of(item: Outgoing, key: str, state: State, held: OnWearable, valid: set[str]) -> bool:
    """Whether this key still comes from this entry, here and on the wearable, and still counts here."""
    if held.owner.get(key, item.proof) != item.proof:
        return False
    sources = _FROM.get(key, (key,))
    return any(
        one in state and state[one].given.audit == item.audit for one in sources
    ) and not valid.isdisjoint((key, *sources))


def _age_ms(item: Outgoing, held: OnWearable, now_ms: int, ticks: Ticks, resolve: At) -> int | None:
    """How old the observation is: the oldest of what this laptop's clock, the wearable's record of it as that is dated
    now, and the wearable's own running time since say. A clock that was set back makes nothing younger.

    None: this clock stands before the observation, so it was wrong then or is wrong now, and the age is not known.
    """
    if not is_time_known(item.observed_utc_ms, now_ms):
        return None
    age_ms = max(0, now_ms - item.observed_utc_ms)
    record = held.journaled.get(item.proof)
    if record is None or held.device is None:
        return age_ms
    moment = resolve(held.device, record.boot, record.t_ms)
    if moment is not None:
        age_ms = max(age_ms, now_ms - moment[0] + record.age_ms)
    ran_ms = sum(last_ms for boot, last_ms in ticks.items() if boot >= record.boot) - record.t_ms
    return max(age_ms, record.age_ms + ran_ms)
