"""Context on the link: facts that only people know, as the few numbers that the wearable's grader reads.

Layout, little-endian: version u8, flags u8 (0), observed_age_ms u32, proof 8 B, count u8, then per entry key u8 and
value u16: 0 says withdrawn (asked again, or no longer known), anything else is value + 1. Keys ascend, so one set of
entries has one form. A hand-held temperature always comes together with its site.

An entry with a key that this side does not know is refused as a whole, never in part: the person who entered it must
not believe that the wearable grades with it.
"""

import struct

from crs_core.compat import const
from crs_core.errors import LocalError, RemoteError

VERSION = const(1)
PROOF_BYTES = const(8)  # the first of SHA-256 over the signature of the entry
AGE_MAX_MS = const(0xFFFFFFFF)
_HEAD_BYTES = const(15)

TEMPERATURE_CC = const(1)  # hand-held
SITE = const(2)  # of that temperature: index into units.SITES
BLOOD_PRESSURE = const(3)  # judged by the host with the site's rule
VASOPRESSORS = const(4)
OXYGEN = const(5)
ANTIPYRETIC = const(6)
STEROID = const(7)
ANTICYTOKINE = const(8)
FEVER_EARLIER = const(9)
FEVER_OTHER_CAUSE = const(10)
VENTILATION_NOT_FOR_HYPOXIA = const(11)
ICE = const(12)
CAPD = const(13)
CONSCIOUSNESS = const(14)
SEIZURE = const(15)
MOTOR_WEAKNESS = const(16)
ORGAN_GRADE_WORST = const(17)  # the highest of the three organ grades
EPISODE_CLOSED = const(18)  # a clinician signed the end of the episode
DEATH = const(19)  # a signed record in force; withdrawn when it was reversed
SPO2_TENTHS = const(20)  # hand-held
HR_BPM = const(21)  # hand-held
FLOW_DLPM = const(22)  # oxygen, 0.1 L/min: whether the need rises
FIO2_PCT = const(23)  # the same

# Values of VASOPRESSORS, as ASTCT counts: vasopressin is not counted towards several.
VASOPRESSORS_NONE = const(0)
VASOPRESSORS_ONE = const(1)
VASOPRESSORS_SEVERAL = const(2)
VASOPRESSIN_ALONE = const(3)

# number -> (name, lowest value, highest value). A number once given keeps its meaning.
KEYS = {
    1: ("temperature_cc", 2500, 4500),
    2: ("site", 1, 6),
    3: ("blood_pressure", 0, 1),
    4: ("vasopressors", 0, 3),
    5: ("oxygen", 0, 9),
    6: ("antipyretic", 0, 1),
    7: ("steroid", 0, 1),
    8: ("anticytokine", 0, 1),
    9: ("fever_earlier", 0, 1),
    10: ("fever_other_cause", 1, 1),
    11: ("ventilation_not_for_hypoxia", 1, 1),
    12: ("ice", 0, 10),
    13: ("capd", 0, 32),
    14: ("consciousness", 0, 3),
    15: ("seizure", 0, 2),
    16: ("motor_weakness", 0, 1),
    17: ("organ_grade_worst", 0, 4),
    18: ("episode_closed", 1, 1),
    19: ("death", 1, 3),
    20: ("spo2_tenths", 500, 1000),
    21: ("hr_bpm", 20, 300),
    22: ("flow_dlpm", 0, 800),
    23: ("fio2_pct", 21, 100),
}


def _fault(values: dict[int, int | None]) -> str:
    if not values:
        return "no key"
    for key, value in values.items():
        if key not in KEYS:
            return "key %d is unknown" % key
        name, low, high = KEYS[key]
        if value is not None and not low <= value <= high:
            return "%s: %d is outside %d..%d" % (name, value, low, high)
    if (values.get(TEMPERATURE_CC) is None) != (values.get(SITE) is None):
        return "site: stands with a temperature and only with one"
    return ""


def encode(observed_age_ms: int, proof: bytes, values: dict[int, int | None]) -> bytes:
    """The bytes of one entry; an age beyond 32 bits is sent as the highest. LocalError when a rule is broken."""
    fault = _fault(values)
    if observed_age_ms < 0:
        fault = "an observation from the future"
    if len(proof) != PROOF_BYTES:
        fault = "a proof has %d bytes" % PROOF_BYTES
    if fault:
        raise LocalError("context: " + fault)
    age_ms = min(observed_age_ms, AGE_MAX_MS)
    out = bytearray(struct.pack("<BBI", VERSION, 0, age_ms))
    out.extend(proof)
    out.append(len(values))
    for key in sorted(values):
        value = values[key]
        out.extend(struct.pack("<BH", key, 0 if value is None else value + 1))
    return bytes(out)


def decode(data: bytes) -> tuple[int, bytes, dict[int, int | None]]:
    """(observed_age_ms, proof, {key: value, None for withdrawn}); RemoteError when the bytes break a rule.

    `observed_age_ms` is the age of the observation at the moment at which the bytes were sent.
    """
    data = bytes(data)
    if len(data) < _HEAD_BYTES or data[0] != VERSION or data[1]:
        raise RemoteError("context: cut short, or of an unknown version")
    observed_age_ms = struct.unpack_from("<I", data, 2)[0]
    proof = data[6:14]
    if len(data) != _HEAD_BYTES + 3 * data[14]:
        raise RemoteError("context: %d bytes do not hold %d keys" % (len(data), data[14]))
    values: dict[int, int | None] = {}
    last = 0
    for at in range(_HEAD_BYTES, len(data), 3):
        key, stored = struct.unpack_from("<BH", data, at)
        if key <= last:
            raise RemoteError("context: keys do not ascend")
        last = key
        values[key] = stored - 1 if stored else None
    fault = _fault(values)
    if fault:
        raise RemoteError("context: " + fault)
    return observed_age_ms, proof, values
