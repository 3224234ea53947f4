"""The wearable's grader, stepped on each journaled reading: `step(state, reading, now_ms, rules)`.

Pure, integers only. From the sensors alone, a fever gives 1..4 and a temperature below the threshold 0..4: axilla and
skin do not exclude fever, and blood pressure and oxygen are not known. Without a usable temperature there is no grade.
Entries (bedside.py) narrow the interval for as long as they count. The table that it reads has no 5.
Call it with now_ms = reading.t_ms: the host repeats the step with the same.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core import codes, units
from crs_core.compat import const
from crs_core.grade import baseline, guards, hold
from crs_core.grade import grader_state as st
from crs_core.grade.assessment import Assessment
from crs_core.grade.rules import Rules
from crs_core.units import Reading

# a step and its state are one interface
new_state = st.new_state
encode_state = st.encode_state
decode_state = st.decode_state

_DT_MAX_MS = const(30_000)


def after_boot(state: list, rules: Rules) -> list:
    """The state to go on with after a boot: latch and baseline stay; ages are dropped, as the outage is unknown."""
    s = list(state)
    s[st.LAST] = s[st.TEMP_AT] = s[st.PPG_AT] = s[st.FLAT_CC] = s[st.FLAT_SINCE] = s[st.BASELINE + 2] = None
    if s[st.TOLD]:
        from crs_core.grade import bedside  # loaded with the first entry

        bedside.boot(s, rules)
    return s


def step(state: list, reading: Reading, now_ms: int, rules: Rules) -> tuple:
    """Return (new state, Assessment) for one reading of a bound wearable."""
    why = 0
    if reading.t_ms > now_ms + rules.future_ms:
        why = codes.R_FUTURE
    elif state[st.LAST] is not None and reading.t_ms <= state[st.LAST]:
        why = codes.R_DOUBLED
    if why:  # the reading says nothing about now, and does not change the state
        return state, _of_sensors(state, codes.FEVER_UNKNOWN, (why,), now_ms)
    s = list(state)
    dt_ms = 0 if s[st.LAST] is None else min(reading.t_ms - s[st.LAST], _DT_MAX_MS)
    s[st.LAST] = reading.t_ms
    age_ms = now_ms - reading.t_ms
    fell = _saturation(s, reading, age_ms, rules)
    site = units.site_of(reading.status)
    why = guards.temp(
        reading.temp_cc,
        units.temp_state_of(reading.status),
        site,
        units.wear_of(reading.status),
        age_ms,
        rules.grade_temp_max_age_ms,
    )
    if not why and _is_flat(s, reading.temp_cc, reading.t_ms, rules.flat_ms):
        why = codes.R_TEMP_FLAT
    level, risen = _possible(s, reading.temp_cc, site, why == 0, reading.t_ms, dt_ms, rules)
    if not why:
        s[st.TEMP_AT] = reading.t_ms
    fever, say = _fever(reading.temp_cc, site, why, level, risen, rules)
    if s[st.TOLD]:
        from crs_core.grade import bedside  # loaded with the first entry

        return s, bedside.assess(s, fever, say, fell, now_ms, rules)
    if fever == codes.FEVER_MET:
        s[st.LATCH] = 1
        s[st.MET_AT] = reading.t_ms
        s[st.FLAGS] |= st.FEBRILE
    elif not why:
        s[st.FLAGS] &= ~st.FEBRILE
    assessment = _of_sensors(s, fever, say, now_ms)
    if assessment.lower is not None:
        s[st.LOWER] = assessment.lower
    return s, assessment


def _saturation(s: list, reading: Reading, age_ms: int, rules: Rules) -> bool:
    """Keep a usable saturation; True when it has just fallen below the MEDIUM limit."""
    if guards.ppg(
        reading.spo2_tenths,
        reading.pi_hundredths,
        units.ppg_state_of(reading.status),
        age_ms,
        rules.grade_ppg_max_age_ms,
        rules.pi_min_hundredths,
    ):
        return False
    s[st.PPG_AT] = reading.t_ms
    s[st.SPO2] = reading.spo2_tenths
    was_low = s[st.FLAGS] & st.SPO2_LOW
    if reading.spo2_tenths >= rules.spo2_medium_tenths:
        s[st.FLAGS] &= ~st.SPO2_LOW
        return False
    s[st.FLAGS] |= st.SPO2_LOW
    return not was_low


def _fever(temp_cc: int | None, site: int, why: int, level: bool, risen: bool, rules: Rules) -> tuple:
    """(FEVER_*, reason codes) by the thermometer alone."""
    if why:
        return codes.FEVER_UNKNOWN, (why,)
    if temp_cc >= rules.fever_cc:
        return codes.FEVER_MET, (codes.R_FEVER_MET,)
    if level or risen:
        say: tuple = (codes.R_POSSIBLE_LEVEL,) if level else ()
        say += (codes.R_POSSIBLE_RISE,) if risen else ()
        return codes.FEVER_POSSIBLE, say + (codes.R_BELOW_AT_AXILLA,)
    if site == units.SITE_SKIN:  # the skin may say met, never not met
        return codes.FEVER_UNKNOWN, (codes.R_SKIN_BELOW,)
    return codes.FEVER_NOT_MET, (codes.R_BELOW_AT_AXILLA if site == units.SITE_AXILLA else codes.R_BELOW,)


def fever_latched(state: list) -> bool:
    """True when the fever criterion was met in this episode: the higher rows no longer need a present fever."""
    return state[st.LATCH] != 0


def _is_flat(s: list, temp_cc: int, t_ms: int, flat_ms: int) -> bool:
    """True when the temperature has been bit-identical for `flat_ms`: a stuck converter, not a body."""
    if s[st.FLAT_CC] != temp_cc:
        s[st.FLAT_CC] = temp_cc
        s[st.FLAT_SINCE] = t_ms
        return False
    return t_ms - s[st.FLAT_SINCE] >= flat_ms


def _possible(
    s: list, temp_cc: int | None, site: int, usable: bool, t_ms: int, dt_ms: int, rules: Rules
) -> tuple:
    """(axilla at the possible level for long enough, well above the wearer's own baseline for long enough)."""
    above = rise = -1
    if usable and temp_cc is not None and site == units.SITE_AXILLA:
        above = 1 if temp_cc >= rules.possible_cc else 0
        own_cc = baseline.value_cc(s, st.BASELINE, rules.baseline_ready_min)
        if own_cc is not None:
            rise = 1 if temp_cc >= own_cc + rules.rise_cc else 0
        if above == 0 and rise <= 0:
            baseline.learn(s, st.BASELINE, temp_cc, t_ms, rules.baseline_span_min)
    reset_ms = rules.possible_reset_ms
    level = hold.hold(s, st.POSSIBLE, above, t_ms, dt_ms, rules.possible_delay_ms, reset_ms, reset_ms)
    risen = hold.hold(s, st.RISE, rise, t_ms, dt_ms, rules.rise_delay_ms, reset_ms, reset_ms)
    return level, risen


def _of_sensors(s: list, fever: int, say: tuple, now_ms: int) -> Assessment:
    known = fever != codes.FEVER_UNKNOWN or say[0] == codes.R_SKIN_BELOW
    latched = s[st.LATCH] != 0
    if latched and fever != codes.FEVER_MET:
        say += (codes.R_FEVER_EARLIER,)
    present = "yes" if fever == codes.FEVER_MET else "no" if say[0] == codes.R_BELOW else ""
    lower, upper, missing, version = _interval(present, latched)
    return Assessment(
        codes.SCALE_ASTCT,
        version,
        lower if known else None,
        upper if known else None,
        fever,
        codes.PROVISIONAL if known else codes.NOT_GRADABLE,
        say,
        missing if known else (codes.MISSING_TEMPERATURE,) + missing,
        None if s[st.TEMP_AT] is None else now_ms - s[st.TEMP_AT],
        None if s[st.PPG_AT] is None else now_ms - s[st.PPG_AT],
    )


_intervals: dict = {}


def _interval(present: str, latched: bool) -> tuple:
    """(lower, upper, missing ids, version of the scale) of one of the six cases that a wearable can tell apart."""
    key = (present, latched)
    if key not in _intervals:
        from crs_core.grade import astct  # the wearable works out all cases at its start and lets it go

        _intervals[key] = astct.from_sensors(present, latched) + (astct.VERSION,)
    return _intervals[key]


def prepare() -> None:
    """Work out all six cases now: a wearable then lets the scale's code go."""
    for present in ("yes", "no", ""):
        _interval(present, False)
        _interval(present, True)
