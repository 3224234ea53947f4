"""Every number that a clinician must sign, with its unit, its bounds and its source (rules_table.py); nowhere else.

The device and the host decide with the same `Rules`; `rule_hash` names them in every journaled decision.
Times are milliseconds, temperatures hundredths of a degree Celsius, saturations tenths of a percent.
"""

from collections import namedtuple
from hashlib import sha256

from crs_core.errors import LocalError, RemoteError

# Raised by hand when the meaning of a step changes although no number does: old records then name other rules.
LOGIC = 1

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
        "child_below_months",
        "infant_below_months",
        "child_systolic_mmhg",
        "child_systolic_per_year_mmhg",
        "child_systolic_cap_mmhg",
        "ice_low_points",
        "capd_high_points",
        "organ_high_grade",
        "entry_ms",
        "entry_febrile_ms",
        "antipyretic_ms",
        "steroid_ms",
        "measure_bp_ms",
        "contradicts_ms",
        "prompt_ms",
        "prompt_febrile_ms",
        "prompt_grace_ms",
        "prompt_possible_ms",
        "hypotension_map_mmhg",
        "hypotension_fall_percent",
        "hypotension_fall_below_mmhg",
    ),
)


def _table() -> tuple[tuple[str, int, str, int, int, str], ...]:
    from crs_core.grade.rules_table import TABLE  # not at the top: the wearable lets the table go

    return TABLE


DEFAULT = Rules(*[row[1] for row in _table()])


def check(rules: Rules) -> None:
    """Raise LocalError naming the first number outside its bounds, or an order that makes no sense."""
    for row, value in zip(_table(), rules):
        if type(value) is not int or not row[3] <= value <= row[4]:
            raise LocalError("rule %s: %r is outside %d..%d %s" % (row[0], value, row[3], row[4], row[2]))
    if not rules.spo2_fast_tenths <= rules.spo2_slow_tenths <= rules.spo2_medium_tenths:
        raise LocalError("rules spo2_*_tenths: a HIGH limit lies above a lower one")
    if not rules.no_data_low_ms < rules.no_data_medium_ms < rules.no_data_high_ms:
        raise LocalError("rules no_data_*_ms: the ladder does not rise")


def with_limits(rules: Rules, limits: dict[str, int]) -> Rules:
    """Return `rules` with the signed per-patient `limits` {name: value}; LocalError names what is refused."""
    values = list(rules)
    names = [row[0] for row in _table()]
    for name, value in limits.items():
        if name not in names:
            raise LocalError("rule %s: no such rule" % name)
        values[names.index(name)] = value
    changed = Rules(*values)
    check(changed)
    return changed


def parse_limits(text: str) -> dict[str, int]:
    """{name: value} of "name:value,name:value"; RemoteError says what is wrong. Empty text: nothing differs."""
    limits: dict[str, int] = {}
    for pair in text.split(",") if text else []:
        name, _, value = pair.partition(":")
        if not value or value.strip("0123456789") or len(value) > 10 or name in limits:
            raise RemoteError("rules: %r is not name:value, each name once" % pair[:40])
        limits[name] = int(value)
    return limits


def limits_text(rules: Rules, base: Rules) -> str:
    """What makes `rules` of `base`, as `parse_limits` reads it."""
    pairs = ["%s:%d" % (row[0], value) for row, value, other in zip(_table(), rules, base) if value != other]
    return ",".join(pairs)


def in_use(site_text: str, patient_text: str) -> Rules:
    """The program's numbers with the site's signed ones, and on top of these the patient's; RemoteError names one."""
    try:
        return with_limits(with_limits(DEFAULT, parse_limits(site_text)), parse_limits(patient_text))
    except LocalError as error:
        raise RemoteError(str(error.args[0]))


def encode(rules: Rules) -> bytes:
    """Canonical bytes: first line the logic number, then "name=value" in the order of TABLE."""
    lines = ["logic=%d" % LOGIC]
    for row, value in zip(_table(), rules):
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
    if len(lines) != len(_table()) + 2 or lines[-1]:
        raise RemoteError("rules: %d lines instead of %d" % (len(lines) - 1, len(_table()) + 1))
    values = []
    for row, line in zip(_table(), lines[1:]):
        name, _, text = line.partition("=")
        if name != row[0] or not text or text.strip("0123456789") or text != str(int(text)):
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
