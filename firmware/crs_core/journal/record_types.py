"""The event records as namedtuples, with their fields in the order of record_layout.py.

For hosts, and for a wearable's start: it reads once, and writes all day with record_writer.py alone.
"""

from collections import namedtuple

from crs_core.errors import LocalError
from crs_core.journal import record_layout as layout
from crs_core.journal import record_writer

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

# type: (name, class)
TYPES = {
    layout.BOOT: ("BOOT", Boot),
    layout.SETTINGS: ("SETTINGS", Settings),
    layout.TIME_MARK: ("TIME_MARK", TimeMark),
    layout.GRADE: ("GRADE", Grade),
    layout.ALARM: ("ALARM", Alarm),
    layout.GRADER_STATE: ("GRADER_STATE", GraderState),
    layout.BUTTON: ("BUTTON", Button),
    layout.SAMPLE_GAP: ("SAMPLE_GAP", SampleGap),
    layout.FAULT: ("FAULT", Fault),
    layout.BINDING: ("BINDING", Binding),
    layout.ACCEPTED: ("ACCEPTED", Accepted),
    layout.MAINTENANCE: ("MAINTENANCE", Maintenance),
    layout.CALIBRATION: ("CALIBRATION", Calibration),
    layout.CONTEXT: ("CONTEXT", Context),
    layout.MERGED: ("MERGED", Merged),
    layout.HEALTH: ("HEALTH", Health),
    layout.PAUSE: ("PAUSE", Pause),
}


def type_of(record) -> int:  # type: ignore[no-untyped-def]
    """Type number of a record namedtuple; LocalError when it is none of them."""
    for kind, (_, cls) in TYPES.items():
        if isinstance(record, cls):
            return kind  # type: ignore[no-any-return]
    raise LocalError("not a record")


def encode(record) -> bytes:  # type: ignore[no-untyped-def]
    """Payload of a record namedtuple."""
    return record_writer.write(type_of(record), *record)
