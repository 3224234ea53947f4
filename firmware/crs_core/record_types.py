"""The event records as namedtuples, for whoever reads them; reach them as `records.Boot` and so on.

Fields in the order of the layouts in records.py. A wearable writes all day and reads once, at its start.
"""

from collections import namedtuple

Boot = namedtuple(
    "Boot",
    ("cause", "prev_boot", "prev_last_ms", "lost_ms_max", "settings_version", "rule_hash", "app_version",
     "alarm_state", "grader_state"),
)  # fmt: skip
Settings = namedtuple("Settings", ("settings_version", "rule_hash", "calibration_id", "text"))
TimeMark = namedtuple("TimeMark", ("utc_ms", "bound_ms", "key_id"))
Grade = namedtuple(
    "Grade",
    ("scale", "scale_version", "rule_hash", "lower", "upper", "fever", "status", "reasons", "missing",
     "temp_age_ms", "ppg_age_ms", "state_after"),
)  # fmt: skip
Alarm = namedtuple("Alarm", ("rule_hash", "changes", "inputs", "state_before", "state_after_crc"))
GraderState = namedtuple("GraderState", ("reason", "rule_hash", "alarm_state", "grader_state"))
Button = namedtuple("Button", ("kind",))
SampleGap = namedtuple("SampleGap", ("sensor", "reason", "lost", "span_ms"))
Fault = namedtuple("Fault", ("subsystem", "code", "count", "detail"))
Binding = namedtuple("Binding", ("op", "binding_id", "profile"))
Accepted = namedtuple("Accepted", ("alarm_id", "priority", "key_id", "who"))
Maintenance = namedtuple("Maintenance", ("op", "reason"))
Calibration = namedtuple("Calibration", ("calibration_id", "text"))
Context = namedtuple("Context", ("data",))
Merged = namedtuple("Merged", ("type", "count", "first_seq", "last_seq", "first_ms", "last_ms"))
Health = namedtuple("Health", ("counters",))
Pause = namedtuple("Pause", ("op", "why", "left_s", "key_id"))

CLASSES = {
    1: Boot,
    2: Settings,
    3: TimeMark,
    4: Grade,
    5: Alarm,
    6: GraderState,
    7: Button,
    8: SampleGap,
    9: Fault,
    10: Binding,
    11: Accepted,
    12: Maintenance,
    13: Calibration,
    14: Context,
    15: Merged,
    16: Health,
    17: Pause,
}
