"""What holds at a moment by everything that was entered and by what the wearable said meanwhile. Pure.

The entries run through `crs_core.grade.entries`, the list that the wearable keeps, with UTC ms as time: each counts as
long as there, lapses as there, is doubted by the same signs. A binding is replayed from its first entry at every look,
so a late, corrected or withdrawn entry leads to what it would have led to in time.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from crs_core import codes
from crs_core.grade import case, course, entries
from crs_core.grade.rules import Rules
from crs_core.grade.scales import SCALES

from host_agent.people.context_state import Given, expanded, of_one_moment

_ASTCT = SCALES[0]
_ORAL = ("oral", "tympanic", "rectal", "core")  # sites that settle the row
_NOT_ORAL = ("axilla", "skin")


class Fever(NamedTuple):
    """From `utc_ms` on the wearable says this of the fever. `temperature` None: its thermometer tells nothing."""

    utc_ms: int
    temperature: tuple[int, str] | None


class Doubt(NamedTuple):
    """A low saturation or the patient's button: what was entered before and reassures counts no longer."""

    utc_ms: int


class Possible(NamedTuple):
    """POSSIBLE_FEVER began or ended."""

    utc_ms: int
    stands: bool


Sign = Fever | Doubt | Possible


class Held(NamedTuple):
    """A lower bound that an entry made sure of until it ran out, and when it did."""

    lower: int
    utc_ms: int


class Replay:
    """One binding; `own` are the keys that its profile answers. Read the attributes after `run`.

    `told` entries of crs_core.grade.entries, `was_told` whether there ever was one; `answered` key → when it was last
    observed; `held` scale → what lapsed; `first_met_ms` when a fever was first met in this episode;
    `possible_since_ms` while POSSIBLE_FEVER stands.
    """

    def __init__(self, rules: Rules, own: Mapping[str, Any]) -> None:
        self.told: list[Any] = []
        self.was_told = False
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
        return self._is_febrile or bool(entries.is_masked(self.told))

    def run(self, given: Iterable[Given], signs: Iterable[Sign], now_ms: int) -> "Replay":
        """Replay everything up to `now_ms`; what is dated later counts as of now."""
        moments: dict[int, tuple[list[Sign], list[Given]]] = {}
        for sign in signs:
            moments.setdefault(min(sign.utc_ms, now_ms), ([], []))[0].append(sign)
        for one in given:
            moments.setdefault(min(one.observed_utc_ms, now_ms), ([], []))[1].append(one)
        for utc_ms in sorted(moments):
            said, entered = moments[utc_ms]
            self._run_out(utc_ms)
            for sign in said:
                self._hear(sign._replace(utc_ms=utc_ms))
            self._enter(entered, utc_ms)
        self._run_out(now_ms)
        self._settle(now_ms)
        return self

    def inputs(self, sensors: Mapping[str, Any]) -> dict[str, Any]:
        """What counts now as a case of the vocabulary, with fresh readings of the wearable (keys of the vocabulary).

        Any source at the limit of fever is met and a lower one does not cancel it; else the site that settles decides.
        """
        inputs = {**self._own, **entries.in_force(self.told)}
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
            if sign.stands and self.possible_since_ms is None:
                self.possible_since_ms = sign.utc_ms
            elif not sign.stands:
                self.possible_since_ms = None
        elif isinstance(sign, Doubt):
            self._settle(sign.utc_ms)
            self.told = entries.doubt(self.told, sign.utc_ms)
        else:
            self._sensor = sign.temperature
            self._settle(sign.utc_ms)

    def _enter(self, entered: list[Given], utc_ms: int) -> None:
        for values in of_one_moment(entered):
            if values is None:
                self.told = entries.close_episode(self.told, utc_ms)
                self.held = {}
                self.is_latched = False
                self._lower = self.first_met_ms = None
            else:
                self._take(values, utc_ms)
            self._settle(utc_ms)

    def _take(self, values: dict[str, Any], utc_ms: int) -> None:
        self.was_told = True
        for key, value in values.items():
            if value is not None and (key != "temperature_cc" or values.get("site") not in _NOT_ORAL):
                self.answered[key] = utc_ms
        in_force = {**self._own, **entries.in_force(self.told)}
        told = expanded(values, entries.values_of(self.told))
        told = course.with_judged_pressure(told, in_force, self._rules)
        hand_cc = told.get("temperature_cc")
        if hand_cc is not None and hand_cc < self._rules.fever_cc <= in_force.get("temperature_cc", 0):
            told = {key: told[key] for key in told if key not in ("temperature_cc", "site")}  # cancels none
        left = entries.enter(self.told, told, utc_ms)
        is_low = (told.get("spo2_tenths") or 1000) < self._rules.spo2_medium_tenths
        if is_low or ((hand_cc or 0) >= self._rules.fever_cc and not self._is_febrile):
            left = entries.doubt(left, utc_ms)
        self._is_worried = self._is_worried or any(
            value is not None and entries.is_worrying(key, value) and in_force.get(key) != value
            for key, value in told.items()
        )
        self._replace(left, utc_ms)
        # a reading by hand that is entered late is no present fever any more, but it was one
        is_met = (values.get("temperature_cc") or 0) >= self._rules.fever_cc
        if is_met or values.get("fever_earlier"):
            self._note_met(utc_ms)
        if values.get("fever_earlier") or (is_met and "fever_other_cause" not in values):
            self.is_latched = True

    def _run_out(self, until_ms: int) -> None:
        """Let what is entered lapse, each at its own time, up to `until_ms`."""
        while True:
            ends = [
                entry[2] + span_ms + 1
                for entry in self.told
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
        self._replace(entries.expire(self.told, utc_ms, self.is_at_risk, self._rules), utc_ms)
        by_sensor = self._sensor is not None and self._sensor[0] >= self._rules.fever_cc
        if by_sensor and not self._is_febrile:
            # a new crossing: what was said of an earlier fever, and what reassured before it, counts no longer
            self.told = entries.doubt(self.told, utc_ms)
        in_force = entries.in_force(self.told)
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
            # the bound rose by what was entered, so older reassurance counts no longer
            self.told = entries.doubt(self.told, entries.newest_worry_ms(self.told, utc_ms))
            lower = self._astct_lower() or 0
        self._is_worried = False
        self._lower = lower

    def _note_met(self, utc_ms: int) -> None:
        if self.first_met_ms is None:
            self.first_met_ms = utc_ms

    def _replace(self, left: list[Any], utc_ms: int) -> None:
        """Put other entries in place; what those that lapse with it had made sure of is held until they are renewed."""
        lapsed = entries.lapsed(left)
        if any(key not in entries.lapsed(self.told) for key in lapsed):
            for name, grade in case.assess(self._case(), self._rules)["grades"].items():
                lower = grade["lower"] or 0
                if lower > (self.held[name].lower if name in self.held else 0):
                    self.held[name] = Held(lower, utc_ms)
        elif not lapsed:
            self.held = {}
        self.told = left

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
