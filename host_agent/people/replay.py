"""What counts at a moment, from all entries and from what the wearable said meanwhile. Pure.

The entries run through `crs_core.grade.entries`, the code of the wearable, with UTC ms as time, so they count as
long as there and end by the same signs. Every look replays a binding from its first entry, so a late, corrected or
withdrawn entry has the effect that it would have had in time.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from crs_core import codes
from crs_core.grade import case, course, entries
from crs_core.grade.rules import Rules
from crs_core.grade.scales import SCALES

from host_agent.people.context_state import Given, expanded, of_one_moment
from host_agent.people.validity import is_time_known

_ASTCT = SCALES[0]
_ORAL = ("oral", "tympanic", "rectal", "core")  # sites that settle the row
_NOT_ORAL = ("axilla", "skin")
_HIGHER_IS_WORSE = ("temperature_cc", "hr_bpm", "flow_lpm", "fio2_pct", "capd")
_LOWER_IS_WORSE = ("spo2_tenths", "ice")


class Fever(NamedTuple):
    """From `utc_ms` on the wearable says this of the fever. `temperature` None: its thermometer tells nothing."""

    utc_ms: int
    temperature: tuple[int, str] | None


class Doubt(NamedTuple):
    """A low saturation or the patient's button: reassuring entries from before no longer count."""

    utc_ms: int


class Possible(NamedTuple):
    """POSSIBLE_FEVER began or ended."""

    utc_ms: int
    is_active: bool


Sign = Fever | Doubt | Possible


class Held(NamedTuple):
    """A lower bound that an entry supported until it expired, and when it expired."""

    lower: int
    utc_ms: int


class Replay:
    """One binding; `own` are the keys that its profile answers. Read the attributes after `run`.

    `entered` entries of crs_core.grade.entries, `has_entries` whether there ever was one; `answered` key → when it was
    last observed; `held` scale → what lapsed; `first_met_ms` when a fever was first met in this episode;
    `possible_since_ms` while POSSIBLE_FEVER is active.
    """

    def __init__(self, rules: Rules, own: Mapping[str, Any]) -> None:
        self.entered: list[Any] = []
        self.has_entries = False
        self.answered: dict[str, int] = {}
        self.held: dict[str, Held] = {}
        self.is_latched = False
        self.first_met_ms: int | None = None
        self.possible_since_ms: int | None = None
        self._rules = rules
        self._own = dict(own)
        self._sensor: tuple[int, str] | None = None
        self._is_febrile = False
        self._lower: int | None = None
        self._is_worried = False
        self._now_ms: int | None = None
        self._memo: dict[str, int | None] = {}

    @property
    def is_at_risk(self) -> bool:
        """Febrile or masked: what reassures counts for a shorter time."""
        return self._is_febrile or bool(entries.is_masked(self.entered))

    def run(self, given: Iterable[Given], signs: Iterable[Sign], now_ms: int) -> "Replay":
        """Replay everything up to `now_ms`; a sign that is dated later counts as of now.

        When an entry that is dated later was observed is not known: only what worries in it counts, as of the last
        moment that is possible.
        """
        moments: dict[int, tuple[list[Sign], list[Given], list[Given]]] = {}
        for sign in signs:
            moments.setdefault(min(sign.utc_ms, now_ms), ([], [], []))[0].append(sign)
        given = list(given)
        undated: dict[int, list[Given]] = {}
        for one in given:
            if is_time_known(one.observed_utc_ms, now_ms):
                moments.setdefault(min(one.observed_utc_ms, now_ms), ([], [], []))[2].append(one)
            else:
                undated.setdefault(one.observed_utc_ms, []).append(one)
        for ones in undated.values():
            # somebody entered something else afterwards, when this was observed already
            later = [one for one in given if one.audit > max(one.audit for one in ones)]
            latest_ms = min([now_ms, *(one.entered_utc_ms for one in later)])
            moments.setdefault(latest_ms, ([], [], []))[1].extend(ones)
        for utc_ms in sorted(moments):
            said, of_no_time, entered = moments[utc_ms]
            self._run_out(utc_ms)
            for sign in said:
                self._hear(sign._replace(utc_ms=utc_ms))
            for _, ones_of_it in groupby(of_no_time, key=lambda one: one.observed_utc_ms):
                self._enter(list(ones_of_it), utc_ms, is_dated=False)
            self._enter(entered, utc_ms)
        self._run_out(now_ms)
        self._settle(now_ms)
        return self

    def inputs(self, sensors: Mapping[str, Any]) -> dict[str, Any]:
        """What counts now as a case of the vocabulary, with fresh readings of the wearable (keys of the vocabulary).

        Any source at the limit of fever is met and a lower one does not cancel it; else the site that settles decides.
        """
        inputs = {**self._own, **entries.in_force(self.entered)}
        by_hand = [(inputs.pop("temperature_cc"), inputs.pop("site"))] if "temperature_cc" in inputs else []
        by_sensor = [(sensors["temperature_cc"], sensors["site"])] if "temperature_cc" in sensors else []
        readings = by_hand + by_sensor
        inputs.pop("site", None)
        inputs.update({key: sensors[key] for key in ("spo2_tenths", "hr_bpm") if key in sensors})
        if readings:
            inputs["temperature_cc"], inputs["site"] = max(readings, key=self._weight)
        if self.is_latched:
            inputs["fever_earlier"] = True
        return inputs

    def _weight(self, reading: tuple[int, str]) -> tuple[bool, bool, bool, int]:
        temp_cc, site = reading
        return temp_cc >= self._rules.fever_cc, site in _ORAL, site == "axilla", temp_cc

    # -- one moment ------------------------------------------------------------------------------------------------

    def _hear(self, sign: Sign) -> None:
        if isinstance(sign, Possible):
            if sign.is_active and self.possible_since_ms is None:
                self.possible_since_ms = sign.utc_ms
            elif not sign.is_active:
                self.possible_since_ms = None
        elif isinstance(sign, Doubt):
            self._settle(sign.utc_ms)
            self.entered = entries.doubt(self.entered, sign.utc_ms)
        else:
            self._sensor = sign.temperature
            self._settle(sign.utc_ms)

    def _enter(self, entered: list[Given], utc_ms: int, *, is_dated: bool = True) -> None:
        for values in of_one_moment(entered):
            if values is None:
                if not is_dated:
                    continue
                self.entered = entries.close_episode(self.entered, utc_ms)
                self.held = {}
                self.is_latched = False
                self._lower = self.first_met_ms = None
            else:
                self._take(values, utc_ms, is_dated=is_dated)
            self._settle(utc_ms)

    def _take(self, values: dict[str, Any], utc_ms: int, *, is_dated: bool) -> None:
        self.has_entries = True
        for key, value in values.items():
            if (
                is_dated
                and value is not None
                and (key != "temperature_cc" or values.get("site") not in _NOT_ORAL)
            ):
                self.answered[key] = utc_ms
        in_force = {**self._own, **entries.in_force(self.entered)}
        new = expanded(values, entries.values_of(self.entered))
        new = course.with_judged_pressure(new, in_force, self._rules)
        if not is_dated:
            values = new = {
                key: new[key]
                for key in new
                if self._worries_undated(key, new) and not self._is_less(key, new)
            }
        hand_cc = new.get("temperature_cc")
        if hand_cc is not None and hand_cc < self._rules.fever_cc <= in_force.get("temperature_cc", 0):
            new = {key: new[key] for key in new if key not in ("temperature_cc", "site")}  # it cancels none
        left = entries.enter(self.entered, new, utc_ms)
        is_low = (new.get("spo2_tenths") or 1000) < self._rules.spo2_medium_tenths
        if is_low or ((hand_cc or 0) >= self._rules.fever_cc and not self._is_febrile):
            left = entries.doubt(left, utc_ms)
        self._is_worried = self._is_worried or any(
            value is not None and entries.is_worrying(key, value) and in_force.get(key) != value
            for key, value in new.items()
        )
        self._replace(left, utc_ms)
        # a reading by hand that is entered late is no present fever any more, but it was one
        is_met = (values.get("temperature_cc") or 0) >= self._rules.fever_cc
        if is_met or values.get("fever_earlier"):
            self._note_met(utc_ms)
        if values.get("fever_earlier") or (is_met and "fever_other_cause" not in values):
            self.is_latched = True

    def _worries_undated(self, key: str, values: Mapping[str, Any]) -> bool:
        """Whether the value of an entry whose time is not known counts: never one that could lower a bound."""
        value = values[key]
        if key in ("temperature_cc", "site"):
            return bool((values.get("temperature_cc") or 0) >= self._rules.fever_cc)
        if key == "spo2_tenths":
            return value is not None and bool(value < self._rules.spo2_medium_tenths)
        if key == "hr_bpm":
            return value is not None and bool(value > self._rules.hr_high_bpm)
        if key in entries.MASKS:
            return bool(value)
        return not entries.is_reassuring(key, value)

    def _is_less(self, key: str, values: Mapping[str, Any]) -> bool:
        """Whether a value of no known time worries less than what was entered at a known one, lapsed or not."""
        key = "temperature_cc" if key == "site" else key
        value = values.get(key)
        known = {**self._own, **entries.values_of(self.entered)}
        before = known.get(key)
        if before is None or value is None or before == value:
            return False
        if key in _HIGHER_IS_WORSE:
            return bool(value < before)
        if key in _LOWER_IS_WORSE:
            return bool(value > before)
        case_of = {
            one: known[one] for one in known if one not in ("temperature_cc", "site", entries.RISING_NEED)
        }
        now = case.assess(case_of, self._rules)["grades"]
        then = case.assess({**case_of, key: value}, self._rules)["grades"]
        return any((then[scale]["lower"] or 0) < (now[scale]["lower"] or 0) for scale in now)

    def _run_out(self, until_ms: int) -> None:
        """Let entries expire, each at its own time, up to `until_ms`."""
        while True:
            ends = [
                entry[2] + span_ms + 1
                for entry in self.entered
                if entry[3] == entries.IN_FORCE
                and (span_ms := entries.counts_ms(entry[0], entry[1], self.is_at_risk, self._rules))
                is not None
            ]
            if not ends or min(ends) > until_ms:
                return
            self._settle(max(min(ends), self._now_ms or 0))

    def _settle(self, utc_ms: int) -> None:
        """Judge this moment: lapse, fever, and whether a rise speaks against what was entered before."""
        self._now_ms = utc_ms
        self._replace(entries.expire(self.entered, utc_ms, self.is_at_risk, self._rules), utc_ms)
        by_sensor = self._sensor is not None and self._sensor[0] >= self._rules.fever_cc
        if by_sensor and not self._is_febrile:
            # a new fever: statements about an earlier fever and earlier reassurance no longer count
            self.entered = entries.doubt(self.entered, utc_ms)
        in_force = entries.in_force(self.entered)
        by_hand = in_force.get("temperature_cc", 0) >= self._rules.fever_cc
        if by_sensor or by_hand:
            self._is_febrile = True
            self._note_met(utc_ms)
            self.is_latched = self.is_latched or "fever_other_cause" not in in_force
        elif self._sensor is not None:
            self._is_febrile = False
        lower = self._astct_lower()
        if lower is None:
            return
        if self._is_worried and (self._lower is None or lower > self._lower):
            # the entries raised the bound, so older reassurance no longer counts
            self.entered = entries.doubt(self.entered, entries.newest_worry_ms(self.entered, utc_ms))
            lower = self._astct_lower() or 0
        self._is_worried = False
        self._lower = lower

    def _note_met(self, utc_ms: int) -> None:
        if self.first_met_ms is None:
            self.first_met_ms = utc_ms

    def _replace(self, left: list[Any], utc_ms: int) -> None:
        """Put other entries in place. A lower bound that lapses with the old ones is held until they are renewed."""
        lapsed = entries.lapsed(left)
        if any(key not in entries.lapsed(self.entered) for key in lapsed):
            for name, grade in case.assess(self._case(), self._rules)["grades"].items():
                lower = grade["lower"] or 0
                if lower > (self.held[name].lower if name in self.held else 0):
                    self.held[name] = Held(lower, utc_ms)
        elif not lapsed:
            self.held = {}
        self.entered = left

    def _case(self) -> dict[str, Any]:
        """The case of a moment that is past: of the wearable only what it said about the fever."""
        sensors = (
            {} if self._sensor is None else dict(zip(("temperature_cc", "site"), self._sensor, strict=True))
        )
        return self.inputs(sensors)

    def _astct_lower(self) -> int | None:
        inputs = self._case()
        key = repr(sorted(inputs.items()))
        if key not in self._memo:
            self._memo[key] = case.assess_scale(_ASTCT, inputs, self._rules, {})["lower"]
        return self._memo[key]


def sign_of_grade(utc_ms: int, fever: int, why: bytes, rules: Rules) -> Fever:
    """What a GRADE record says of the thermometer, in as few values as the tables tell apart."""
    if fever == codes.FEVER_MET:
        return Fever(utc_ms, (rules.fever_cc, "oral"))
    if codes.R_SKIN_BELOW in why:
        return Fever(utc_ms, (rules.fever_cc - 1, "skin"))
    if fever == codes.FEVER_UNKNOWN:
        return Fever(utc_ms, None)
    return Fever(utc_ms, (rules.fever_cc - 1, "oral" if codes.R_BELOW in why else "axilla"))
