"""Alarm inputs and alarm state as bytes: an ALARM record carries them so that any host can repeat the step exactly."""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

import struct
from collections import namedtuple

from crs_core import codes
from crs_core.compat import const
from crs_core.errors import RemoteError
from crs_core.grade import baseline, hold

# One second of what the sensors say. Values as in crs_core.units, None = no value; ages in ms, None = never.
# site, wear, temp_state, ppg_state as in crs_core.units; bound 0/1; faults: FAULT_* bits; button: BUTTON_*;
# told: TOLD_* bits of what people entered; signs.py makes them.
Inputs = namedtuple(
    "Inputs",
    (
        "temp_cc",
        "temp_state",
        "temp_age_ms",
        "spo2_tenths",
        "hr_bpm",
        "pi_hundredths",
        "ppg_state",
        "ppg_age_ms",
        "wear",
        "site",
        "bound",
        "faults",
        "button",
        "told",
    ),
)

FAULT_TEMP_SENSOR = const(1)
FAULT_PPG_SENSOR = const(2)
FAULT_JOURNAL = const(4)
FAULT_LOW_BATTERY = const(8)
FAULT_HOST_AWAY = const(16)  # not heard for host_away_low_s: LOW by itself
FAULT_MAINTENANCE = const(32)
FAULT_HOST_QUIET = const(64)  # not heard for host_away_alarm_s: matters while a physiological alarm is open
FAULT_RECORDS_LOST = const(128)  # events were dropped since boot

BUTTON_NONE = const(0)
BUTTON_SHORT = const(1)
BUTTON_LONG = const(2)  # "I feel ill"
BUTTON_ACCEPTED = const(3)  # a person accepted PATIENT_BUTTON

TOLD_HYPOTENSION = const(1)
TOLD_ICE_LOW = const(2)
TOLD_NEW_OXYGEN = const(4)
TOLD_LIFE_THREATENING = const(8)  # patterns (a), (b) and (c); (d) needs the sensors too
TOLD_REASSESS = const(16)
TOLD_ORGAN = const(32)  # one of the signs of pattern (d)
TOLD_FEVER = const(64)  # a reading by hand at or above the limit
TOLD_PRESSURE_KNOWN = const(128)
TOLD_DEATH = const(256)  # a signed record
TOLD_HOT = const(512)  # read by hand: a sign of pattern (d) ...
TOLD_FAST_HEART = const(1024)  # ... and another
TOLD_SPO2_MEDIUM = const(2048)  # read by hand, below the MEDIUM limit ...
TOLD_SPO2_LOW = const(4096)  # ... below the HIGH one
TOLD_PAUSED = const(8192)  # a planned pause runs now
TOLD_NOBODY_REACHED = const(16384)  # the laptop says that no receiver took an alarm

# --- state: a list, opaque to callers; times are ms since boot
LAST = const(0)
FLAGS = const(1)
# two bits per alarm id: a small int also on a 32-bit chip. The bits of id 0 are those of NOBODY_REACHED.
PRIORITIES = const(2)
RECENT_MEDIUM = const(3)
RECENT_HIGH = const(4)
BASELINE = const(5)
CLOCKS = const(8)
SPO2_FAST = const(8)
SPO2_SLOW = const(11)
SPO2_MEDIUM = const(14)
HEART_RATE = const(17)
HIGH_TEMP = const(20)
FEVER = const(23)
POSSIBLE = const(26)
RISE = const(29)
PULSE_LOST = const(32)
SPO2_LOST = const(35)
TEMP_MISSING = const(38)
PPG_MISSING = const(41)
SENSOR_FAULT = const(44)
MEASURE_BP = const(47)
CONTRADICTS = const(50)
_COUNT = const(15)
TOLD_PRIORITIES = const(53)  # two bits per alarm id from codes.FIRST_TOLD_ALARM on
FLAG_BOUND = const(1)
FLAG_SPO2_LOW = const(2)  # the last usable saturation was below the MEDIUM limit
FLAG_HR_HIGH = const(4)  # the last usable heart rate was above its limit
FLAG_PATIENT = const(8)  # the patient called and nobody accepted yet
FLAG_AWAY = const(16)  # a planned pause runs, and at the last step the wearable was not measuring

_VERSION = const(2)
_VERSION_UNREACHED = const(3)  # the same bytes, with the bits of NOBODY_REACHED
_UNREACHED_BITS = const(3)
_INPUTS = "<HBIHHHBIBBBHBH"
_NONE_U16 = const(0)
_NONE_U32 = const(0xFFFFFFFF)
INPUTS_SIZE = struct.calcsize(_INPUTS)


def new_state() -> list:
    """State of a wearable that has measured nothing yet and is bound to no patient."""
    s = [None, 0, 0, None, None, 0, 0, None]
    for _ in range(_COUNT):
        s.append(None)
        s.append(0)
        s.append(0)
    s.append(0)
    return s


def forget_patient(s: list) -> None:
    """Clear everything that belongs to one patient, in place; silence counts again from the next step."""
    s[FLAGS] = 0
    s[RECENT_MEDIUM] = s[RECENT_HIGH] = None
    baseline.forget(s, BASELINE)
    for at in range(SPO2_FAST, TOLD_PRIORITIES, hold.SLOTS):
        if at != SENSOR_FAULT:
            hold.reset(s, at)


def active(state: list) -> list:
    """The conditions that hold now as [(alarm id, priority)], by id: what must sound, also after a restore."""
    bits = state[PRIORITIES]
    told = state[TOLD_PRIORITIES]
    return (
        listed(bits, bits, 0) + listed(told, told, codes.FIRST_TOLD_ALARM) if told else listed(bits, bits, 0)
    )


def listed(bits: int, which: int, first: int) -> list:
    """[(alarm id, priority)] of the alarms whose two bits in `which` are not 0."""
    found = []
    alarm = first
    while which:
        if which & 3:
            found.append((alarm or codes.NOBODY_REACHED, bits >> 2 * (alarm - first) & 3))
        which >>= 2
        alarm += 1
    return found


def highest(bits: int) -> int:
    """The highest priority of two bits each."""
    found = 0
    while bits:
        found = max(found, bits & 3)
        bits >>= 2
    return found


def delay_runs(state: list) -> bool:
    """True while the delay of a condition about the patient runs: something is suspected and does not sound yet."""
    for at in range(SPO2_FAST, TEMP_MISSING, hold.SLOTS):
        if state[at] is not None or state[at + 1]:
            return True
    return state[MEASURE_BP + 1] > 0 or state[CONTRADICTS + 1] > 0


def _age(age_ms: int | None) -> int:
    return _NONE_U32 if age_ms is None else min(age_ms, _NONE_U32 - 1)


def encode_inputs(inputs: Inputs) -> bytes:
    """Bytes of one input vector: little-endian, values as v + 1 with 0 = None, ages with all ones = never."""
    return struct.pack(
        _INPUTS,
        0 if inputs.temp_cc is None else inputs.temp_cc + 1,
        inputs.temp_state,
        _age(inputs.temp_age_ms),
        0 if inputs.spo2_tenths is None else inputs.spo2_tenths + 1,
        0 if inputs.hr_bpm is None else inputs.hr_bpm + 1,
        0 if inputs.pi_hundredths is None else inputs.pi_hundredths + 1,
        inputs.ppg_state,
        _age(inputs.ppg_age_ms),
        inputs.wear,
        inputs.site,
        inputs.bound,
        inputs.faults,
        inputs.button,
        inputs.told,
    )


def decode_inputs(data: bytes) -> Inputs:
    """Read what `encode_inputs` wrote; RemoteError on another length."""
    if len(data) != INPUTS_SIZE:
        raise RemoteError("alarm inputs: %d bytes instead of %d" % (len(data), INPUTS_SIZE))
    f = list(struct.unpack(_INPUTS, data))
    for i in (0, 3, 4, 5):
        f[i] = f[i] - 1 if f[i] else None
    for i in (2, 7):
        f[i] = None if f[i] == _NONE_U32 else f[i]
    return Inputs(*f)


def encode_state(state: list, now_ms: int) -> bytes:
    """State as at most 104 bytes; times become ages at `now_ms`, so that it survives a boot."""
    out = bytearray()
    out.append(_VERSION_UNREACHED if state[PRIORITIES] & _UNREACHED_BITS else _VERSION)
    out.append(state[FLAGS])
    out.extend(struct.pack("<IH", state[PRIORITIES], state[TOLD_PRIORITIES]))
    hold.put_age(out, state[LAST], now_ms)
    hold.put_age(out, state[RECENT_MEDIUM], now_ms)
    hold.put_age(out, state[RECENT_HIGH], now_ms)
    baseline.put(out, state, BASELINE)
    hold.put_age(out, state[BASELINE + 2], now_ms)
    hold.put_clocks(out, state, CLOCKS, _COUNT, now_ms)
    return bytes(out)


def decode_state(data: bytes, now_ms: int) -> list:
    """Read what `encode_state` wrote, ages taken back from `now_ms`; RemoteError on anything else."""
    if len(data) < 29:
        raise RemoteError("alarm state too short")
    if data[0] not in (_VERSION, _VERSION_UNREACHED):
        raise RemoteError("alarm state version %d is not known" % data[0])
    s = new_state()
    s[FLAGS] = data[1]
    s[PRIORITIES], s[TOLD_PRIORITIES] = struct.unpack("<IH", data[2:8])
    unreached = s[PRIORITIES] & _UNREACHED_BITS
    if s[FLAGS] >> 5 or s[PRIORITIES] >> 30 or (unreached != 0) != (data[0] == _VERSION_UNREACHED):
        raise RemoteError("alarm state has bits without a meaning")
    s[LAST] = hold.get_age(data, 8, now_ms)
    s[RECENT_MEDIUM] = hold.get_age(data, 11, now_ms)
    s[RECENT_HIGH] = hold.get_age(data, 14, now_ms)
    offset = baseline.get(data, 17, s, BASELINE)
    s[BASELINE + 2] = hold.get_age(data, offset, now_ms)
    if hold.get_clocks(data, offset + 3, s, CLOCKS, _COUNT, now_ms) != len(data):
        raise RemoteError("alarm state too long")
    return s
