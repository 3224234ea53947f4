"""The wearable's grader, stepped on each journaled reading: `step(state, reading, now_ms, rules)`.

Pure, integers only. What it may say: "fever met" gives 1..4, a temperature below the threshold 0..4 (an axilla or a
skin does not exclude fever, and blood pressure and oxygen are not known), no usable temperature gives nothing at all.
A 5 is not in the table that it reads. Call it with now_ms = reading.t_ms: the host repeats it with the same.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

import struct
from collections import namedtuple

from crs_core import reasons, units
from crs_core.compat import const
from crs_core.errors import RemoteError
from crs_core.grade import baseline, guards, hold
from crs_core.grade.rules import Rules
from crs_core.units import Reading

# lower, upper: 0..4, or None and None when not gradable. fever, status, reasons, missing: numbers of crs_core.reasons.
# *_age_ms: age of the newest usable value, None = never or not known since a boot.
Assessment = namedtuple(
    "Assessment",
    (
        "scale",
        "version",
        "lower",
        "upper",
        "fever",
        "status",
        "reasons",
        "missing",
        "temp_age_ms",
        "ppg_age_ms",
    ),
)

# --- state: a list, opaque to callers; times are ms since boot
_LAST = const(0)
_LATCH = const(1)
_TEMP_AT = const(2)
_PPG_AT = const(3)
_FLAT_CC = const(4)
_FLAT_SINCE = const(5)
_BASELINE = const(6)
_CLOCKS = const(9)
_POSSIBLE = const(9)
_RISE = const(12)
_COUNT = const(2)
_SIZE = const(15)
_VERSION = const(1)

_DT_MAX_MS = const(30_000)


def new_state() -> list:
    """State at the start of an episode of a newly bound patient."""
    return [None, 0, None, None, None, None, 0, 0, None, None, 0, 0, None, 0, 0]


def step(state: list, reading: Reading, now_ms: int, rules: Rules) -> tuple:
    """Return (new state, Assessment) for one reading of a bound wearable."""
    why = 0
    if reading.t_ms > now_ms + rules.future_ms:
        why = reasons.R_FUTURE
    elif state[_LAST] is not None and reading.t_ms <= state[_LAST]:
        why = reasons.R_DOUBLED
    if why:  # such a reading says nothing about now, and leaves no trace in the state
        return state, _assessment(state, reasons.FEVER_UNKNOWN, (why,), now_ms)
    s = list(state)
    dt_ms = 0 if s[_LAST] is None else min(reading.t_ms - s[_LAST], _DT_MAX_MS)
    s[_LAST] = reading.t_ms
    age_ms = now_ms - reading.t_ms
    ppg_why = guards.ppg(
        reading.spo2_tenths,
        reading.pi_hundredths,
        units.ppg_state_of(reading.status),
        age_ms,
        rules.grade_ppg_max_age_ms,
        rules.pi_min_hundredths,
    )
    if not ppg_why:
        s[_PPG_AT] = reading.t_ms
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
        why = reasons.R_TEMP_FLAT
    level, risen = _possible(s, reading.temp_cc, site, why == 0, reading.t_ms, dt_ms, rules)
    if why:
        return s, _assessment(s, reasons.FEVER_UNKNOWN, (why,), now_ms)
    s[_TEMP_AT] = reading.t_ms
    if reading.temp_cc >= rules.fever_cc:
        s[_LATCH] = 1
        return s, _assessment(s, reasons.FEVER_MET, (reasons.R_FEVER_MET,), now_ms)
    if level or risen:
        say: tuple = (reasons.R_POSSIBLE_LEVEL,) if level else ()
        say += (reasons.R_POSSIBLE_RISE,) if risen else ()
        return s, _assessment(s, reasons.FEVER_POSSIBLE, say + (reasons.R_BELOW_AT_AXILLA,), now_ms)
    if site == units.SITE_SKIN:  # the skin may say met, never not met
        return s, _assessment(s, reasons.FEVER_UNKNOWN, (reasons.R_SKIN_BELOW,), now_ms)
    below = reasons.R_BELOW_AT_AXILLA if site == units.SITE_AXILLA else reasons.R_BELOW
    return s, _assessment(s, reasons.FEVER_NOT_MET, (below,), now_ms)


def fever_latched(state: list) -> bool:
    """True when the fever criterion was met in this episode: the higher rows no longer need a present fever."""
    return state[_LATCH] != 0


def after_boot(state: list) -> list:
    """The state to go on with after a boot: latch and baseline stay; ages that the outage made unknown are dropped."""
    s = list(state)
    s[_LAST] = s[_TEMP_AT] = s[_PPG_AT] = s[_FLAT_CC] = s[_FLAT_SINCE] = s[_BASELINE + 2] = None
    return s


def encode_state(state: list, now_ms: int) -> bytes:
    """State as at most 40 bytes; times become ages at `now_ms`."""
    out = bytearray((_VERSION, state[_LATCH]))
    out.extend(struct.pack("<H", 0 if state[_FLAT_CC] is None else state[_FLAT_CC] + 1))
    for at in (_LAST, _TEMP_AT, _PPG_AT, _FLAT_SINCE, _BASELINE + 2):
        # 32 bits here: a temperature hours old must say so
        out.extend(
            struct.pack(
                "<I", 0xFFFFFFFF if state[at] is None else min(max(now_ms - state[at], 0), 0xFFFFFFFE)
            )
        )
    baseline.put(out, state, _BASELINE)
    hold.put_clocks(out, state, _CLOCKS, _COUNT, now_ms)
    return bytes(out)


def decode_state(data: bytes, now_ms: int) -> list:
    """Read what `encode_state` wrote, ages taken back from `now_ms`; RemoteError on anything else."""
    if len(data) < 33:
        raise RemoteError("grader state too short")
    if data[0] != _VERSION or data[1] > 1:
        raise RemoteError("grader state of another version")
    s = new_state()
    s[_LATCH] = data[1]
    fields = struct.unpack("<HIIIII", data[2:24])
    s[_FLAT_CC] = fields[0] - 1 if fields[0] else None
    i = 1
    for at in (_LAST, _TEMP_AT, _PPG_AT, _FLAT_SINCE, _BASELINE + 2):
        s[at] = None if fields[i] == 0xFFFFFFFF else now_ms - fields[i]
        i += 1
    offset = baseline.get(data, 24, s, _BASELINE)
    if hold.get_clocks(data, offset, s, _CLOCKS, _COUNT, now_ms) != len(data):
        raise RemoteError("grader state too long")
    return s


def _is_flat(s: list, temp_cc: int, t_ms: int, flat_ms: int) -> bool:
    """True when the temperature has been bit-identical for `flat_ms`: a stuck converter, not a body."""
    if s[_FLAT_CC] != temp_cc:
        s[_FLAT_CC] = temp_cc
        s[_FLAT_SINCE] = t_ms
        return False
    return t_ms - s[_FLAT_SINCE] >= flat_ms


def _possible(
    s: list, temp_cc: int | None, site: int, usable: bool, t_ms: int, dt_ms: int, rules: Rules
) -> tuple:
    """(axilla at the possible level for long enough, well above the wearer's own baseline for long enough)."""
    above = rise = -1
    if usable and temp_cc is not None and site == units.SITE_AXILLA:
        above = 1 if temp_cc >= rules.possible_cc else 0
        own_cc = baseline.value_cc(s, _BASELINE, rules.baseline_ready_min)
        if own_cc is not None:
            rise = 1 if temp_cc >= own_cc + rules.rise_cc else 0
        if above == 0 and rise <= 0:
            baseline.learn(s, _BASELINE, temp_cc, t_ms, rules.baseline_span_min)
    reset_ms = rules.possible_reset_ms
    level = hold.hold(s, _POSSIBLE, above, t_ms, dt_ms, rules.possible_delay_ms, reset_ms, reset_ms)
    risen = hold.hold(s, _RISE, rise, t_ms, dt_ms, rules.rise_delay_ms, reset_ms, reset_ms)
    return level, risen


def _assessment(s: list, fever: int, say: tuple, now_ms: int) -> Assessment:
    known = fever != reasons.FEVER_UNKNOWN or say[0] == reasons.R_SKIN_BELOW
    latched = s[_LATCH] != 0
    if latched and fever != reasons.FEVER_MET:
        say += (reasons.R_FEVER_EARLIER,)
    present = "yes" if fever == reasons.FEVER_MET else "no" if say[0] == reasons.R_BELOW else ""
    lower, upper, missing, version = _interval(present, latched)
    return Assessment(
        reasons.SCALE_ASTCT,
        version,
        lower if known else None,
        upper if known else None,
        fever,
        reasons.PROVISIONAL if known else reasons.NOT_GRADABLE,
        say,
        missing if known else (reasons.MISSING_TEMPERATURE,) + missing,
        None if s[_TEMP_AT] is None else now_ms - s[_TEMP_AT],
        None if s[_PPG_AT] is None else now_ms - s[_PPG_AT],
    )


_intervals: dict = {}


def _interval(present: str, latched: bool) -> tuple:
    """(lower, upper, missing ids, version of the scale) of one of the six cases that a wearable can tell apart."""
    key = (present, latched)
    if key not in _intervals:
        from crs_core.grade import astct

        _intervals[key] = astct.from_sensors(present, latched) + (astct.VERSION,)
    return _intervals[key]


def prepare() -> None:
    """Work out all six cases now: a wearable then lets the scale's code go."""
    for present in ("yes", "no", ""):
        _interval(present, False)
        _interval(present, True)
