"""Every number that a clinician must sign, with its unit, its bounds and where it comes from; nowhere else.

The device and the host decide with the same `Rules`; `rule_hash` names them in every journaled decision.
Times are milliseconds, temperatures hundredths of a degree Celsius, saturations tenths of a percent.
"""

from collections import namedtuple
from hashlib import sha256

from crs_core.errors import LocalError, RemoteError

# Raised by hand when the meaning of a step changes although no number does: old records then name other rules.
LOGIC = 1

_PROPOSAL = "proposal, to be signed by a clinician"
_PATTERN = "life-threatening pattern (d); " + _PROPOSAL
_HYPOX = "suspected hypoxaemia ladder; never below 85 % per patient; " + _PROPOSAL

# name, value, unit, lowest, highest, source; the names again below, for readers and type checkers
TABLE = (
    (
        "fever_cc",
        3800,
        "0.01 °C",
        3800,
        3800,
        "ASTCT 2019 (Lee et al., BBMT 2019;25:625), fever row, inclusive",
    ),
    ("fever_delay_ms", 30_000, "ms", 0, 120_000, _PROPOSAL),
    ("fever_reset_ms", 30_000, "ms", 0, 300_000, _PROPOSAL),
    ("fever_end_below_cc", 20, "0.01 °C", 0, 50, _PROPOSAL),
    ("fever_end_ms", 600_000, "ms", 60_000, 3_600_000, _PROPOSAL),
    ("possible_cc", 3750, "0.01 °C", 3700, 3799, "axilla finds about a third of rectal fevers; " + _PROPOSAL),
    ("possible_delay_ms", 600_000, "ms", 60_000, 1_800_000, _PROPOSAL),
    ("possible_reset_ms", 60_000, "ms", 0, 300_000, _PROPOSAL),
    ("rise_cc", 100, "0.01 °C", 50, 150, "rise above the wearer's own axillary baseline; " + _PROPOSAL),
    ("rise_delay_ms", 60_000, "ms", 0, 600_000, _PROPOSAL),
    ("baseline_ready_min", 360, "min", 60, 1440, _PROPOSAL),
    ("baseline_span_min", 1440, "min", 360, 10_080, _PROPOSAL),
    ("high_temp_cc", 3900, "0.01 °C", 3850, 3950, _PATTERN),
    ("high_temp_delay_ms", 30_000, "ms", 0, 79_000, _PATTERN),
    ("spo2_fast_tenths", 880, "0.1 %", 850, 950, _HYPOX),
    ("spo2_fast_ms", 15_000, "ms", 5_000, 60_000, _HYPOX),
    ("spo2_slow_tenths", 900, "0.1 %", 850, 950, _HYPOX),
    ("spo2_slow_ms", 60_000, "ms", 10_000, 79_000, _HYPOX),
    ("spo2_medium_tenths", 920, "0.1 %", 850, 970, _HYPOX),
    ("spo2_medium_ms", 120_000, "ms", 10_000, 139_000, _HYPOX),
    (
        "spo2_reset_ms",
        3_000,
        "ms",
        0,
        10_000,
        "a single sample above the limit must not restart a delay; " + _PROPOSAL,
    ),
    ("spo2_end_ms", 30_000, "ms", 10_000, 300_000, _PROPOSAL),
    ("hr_high_bpm", 120, "1/min", 80, 220, "12 years and over; " + _PATTERN),
    ("hr_delay_ms", 60_000, "ms", 10_000, 79_000, _PATTERN),
    ("hr_reset_ms", 3_000, "ms", 0, 10_000, _PROPOSAL),
    ("hr_end_below_bpm", 5, "1/min", 0, 20, _PROPOSAL),
    ("hr_end_ms", 60_000, "ms", 10_000, 600_000, _PROPOSAL),
    ("pulse_lost_ms", 15_000, "ms", 5_000, 60_000, "pulse lost with the strap on; " + _PROPOSAL),
    ("pulse_back_ms", 10_000, "ms", 3_000, 60_000, _PROPOSAL),
    (
        "spo2_lost_ms",
        45_000,
        "ms",
        10_000,
        49_000,
        "lost on a worn device at risk: told within 60 s; " + _PROPOSAL,
    ),
    ("spo2_back_ms", 10_000, "ms", 3_000, 60_000, _PROPOSAL),
    ("no_data_low_ms", 60_000, "ms", 30_000, 300_000, _PROPOSAL),
    (
        "no_data_medium_ms",
        900_000,
        "ms",
        300_000,
        1_800_000,
        "15 min, as CGM followers default to; " + _PROPOSAL,
    ),
    (
        "no_data_high_ms",
        1_800_000,
        "ms",
        600_000,
        3_600_000,
        "30 min, as CGM followers default to; " + _PROPOSAL,
    ),
    ("no_data_end_ms", 3_000, "ms", 0, 60_000, _PROPOSAL),
    (
        "settling_ms",
        600_000,
        "ms",
        60_000,
        900_000,
        "an axillary probe takes minutes to settle; " + _PROPOSAL,
    ),
    (
        "recent_ms",
        3_600_000,
        "ms",
        600_000,
        14_400_000,
        "technical alarms start at the priority of the last hour",
    ),
    ("sensor_fault_ms", 10_000, "ms", 1_000, 60_000, _PROPOSAL),
    ("alarm_temp_max_age_ms", 60_000, "ms", 5_000, 60_000, _PROPOSAL),
    ("alarm_ppg_max_age_ms", 10_000, "ms", 2_000, 10_000, "the signal delay that the stated totals allow"),
    ("grade_temp_max_age_ms", 900_000, "ms", 60_000, 900_000, "older than 15 min is unknown; " + _PROPOSAL),
    ("grade_ppg_max_age_ms", 300_000, "ms", 30_000, 300_000, "older than 5 min is unknown; " + _PROPOSAL),
    ("future_ms", 2_000, "ms", 0, 60_000, _PROPOSAL),
    (
        "flat_ms",
        21_600_000,
        "ms",
        600_000,
        43_200_000,
        "second line behind the driver's own check; " + _PROPOSAL,
    ),
    (
        "pi_min_hundredths",
        5,
        "0.01 %",
        0,
        100,
        "second line behind the signal chain's own gate; " + _PROPOSAL,
    ),
    (
        "spo2_need_tenths",
        900,
        "0.1 %",
        850,
        970,
        "room air settles the oxygen rows at or above this; " + _PROPOSAL,
    ),
    (
        "hypotension_systolic_mmhg",
        90,
        "mmHg",
        80,
        110,
        "12 years and over; reproductions of ASTCT 2019; site's rule",
    ),
)

Rules = namedtuple(
    "Rules",
    (
        "fever_cc",
        "fever_delay_ms",
        "fever_reset_ms",
        "fever_end_below_cc",
        "fever_end_ms",
        "possible_cc",
        "possible_delay_ms",
        "possible_reset_ms",
        "rise_cc",
        "rise_delay_ms",
        "baseline_ready_min",
        "baseline_span_min",
        "high_temp_cc",
        "high_temp_delay_ms",
        "spo2_fast_tenths",
        "spo2_fast_ms",
        "spo2_slow_tenths",
        "spo2_slow_ms",
        "spo2_medium_tenths",
        "spo2_medium_ms",
        "spo2_reset_ms",
        "spo2_end_ms",
        "hr_high_bpm",
        "hr_delay_ms",
        "hr_reset_ms",
        "hr_end_below_bpm",
        "hr_end_ms",
        "pulse_lost_ms",
        "pulse_back_ms",
        "spo2_lost_ms",
        "spo2_back_ms",
        "no_data_low_ms",
        "no_data_medium_ms",
        "no_data_high_ms",
        "no_data_end_ms",
        "settling_ms",
        "recent_ms",
        "sensor_fault_ms",
        "alarm_temp_max_age_ms",
        "alarm_ppg_max_age_ms",
        "grade_temp_max_age_ms",
        "grade_ppg_max_age_ms",
        "future_ms",
        "flat_ms",
        "pi_min_hundredths",
        "spo2_need_tenths",
        "hypotension_systolic_mmhg",
    ),
)
DEFAULT = Rules(*[row[1] for row in TABLE])


def check(rules: Rules) -> None:
    """Raise LocalError naming the first number outside its bounds, or an order that makes no sense."""
    for row, value in zip(TABLE, rules):
        if type(value) is not int or not row[3] <= value <= row[4]:
            raise LocalError("rule %s: %r is outside %d..%d %s" % (row[0], value, row[3], row[4], row[2]))
    if not rules.spo2_fast_tenths <= rules.spo2_slow_tenths <= rules.spo2_medium_tenths:
        raise LocalError("rules spo2_*_tenths: a HIGH limit lies above a lower one")
    if not rules.no_data_low_ms < rules.no_data_medium_ms < rules.no_data_high_ms:
        raise LocalError("rules no_data_*_ms: the ladder does not rise")


def with_limits(rules: Rules, limits: dict[str, int]) -> Rules:
    """Return `rules` with the signed per-patient `limits` {name: value}; LocalError names what is refused."""
    values = list(rules)
    names = [row[0] for row in TABLE]
    for name, value in limits.items():
        if name not in names:
            raise LocalError("rule %s: no such rule" % name)
        values[names.index(name)] = value
    changed = Rules(*values)
    check(changed)
    return changed


def encode(rules: Rules) -> bytes:
    """Canonical bytes: first line the logic number, then "name=value" in the order of TABLE."""
    lines = ["logic=%d" % LOGIC]
    for row, value in zip(TABLE, rules):
        lines.append("%s=%d" % (row[0], value))
    return ("\n".join(lines) + "\n").encode()


def decode(data: bytes) -> Rules:
    """Read what `encode` wrote; RemoteError names the line that is wrong, or another logic."""
    try:
        lines = bytes(data).decode().split("\n")
    except (UnicodeError, ValueError):
        raise RemoteError("rules are not text")
    if lines[0] != "logic=%d" % LOGIC:
        raise RemoteError("rules of another logic: " + lines[0][:40])
    if len(lines) != len(TABLE) + 2 or lines[-1]:
        raise RemoteError("rules: %d lines instead of %d" % (len(lines) - 1, len(TABLE) + 1))
    values = []
    for row, line in zip(TABLE, lines[1:]):
        name, _, text = line.partition("=")
        if name != row[0] or not text.isdigit() or text != str(int(text)):
            raise RemoteError("rules: bad line " + line[:60])
        values.append(int(text))
    rules = Rules(*values)
    try:
        check(rules)
    except LocalError as error:
        raise RemoteError(error.args[0])
    return rules


def rule_hash(rules: Rules) -> bytes:
    """First 8 bytes of SHA-256 over `encode(rules)`."""
    return sha256(encode(rules)).digest()[:8]
