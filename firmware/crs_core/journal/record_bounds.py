"""What a record's fields may say, for hosts: bytes that fit the layout and still cannot be true are refused.

Closed vocabularies and dates are bounded. An open vocabulary (alarms, reasons, faults, causes) is not: a number that
a newer wearable uses keeps its number.
"""

from crs_core.compat import const
from crs_core.errors import RemoteError
from crs_core.journal import record_layout as layout
from crs_core.units import PPG_VALID, SITES, TEMP_VALID, ppg_state_of, site_of, temp_state_of, wear_of

# A clock outside these years was never set; nothing is dated by it.
UTC_FIRST_MS = 1577836800000  # 2020
UTC_END_MS = 4102444800000  # 2100
UPTIME_END_MS = 315360000000  # ten years: no boot lasts as long
PRIORITY_MAX = const(3)
GRADE_MAX = const(5)
FEVER_MAX = const(4)
STATUS_MAX = const(2)
WEAR_MAX = const(2)
# Wider than what a wearable calls valid: what is just outside is the grader's matter.
VALID_TEMP_MAX_CC = const(6000)
VALID_SPO2_MAX_TENTHS = const(1000)
VALID_HR_MAX_BPM = const(400)
PAUSE_MAX_S = const(1800)  # no wearable grants more
_WHOLE = const(0xFFFFFFFF)

# type: ((field, lowest, highest), ...); a field that is None passes
FIELDS = {
    layout.TIME_MARK: (("utc_ms", UTC_FIRST_MS, UTC_END_MS - 1),),
    layout.GRADE: (
        ("lower", 0, GRADE_MAX), ("upper", 0, GRADE_MAX), ("fever", 0, FEVER_MAX), ("status", 0, STATUS_MAX),
    ),
    layout.BOOT: (("prev_last_ms", 0, UPTIME_END_MS - 1),),
    layout.BUTTON: (("kind", 1, 2),),
    layout.BINDING: (("op", 1, 3),),
    layout.ACCEPTED: (("alarm_id", 1, 255), ("priority", 0, PRIORITY_MAX)),
    layout.MAINTENANCE: (("op", 1, 2),),
    layout.MERGED: (
        ("first_seq", 1, _WHOLE), ("first_ms", 0, UPTIME_END_MS - 1), ("last_ms", 0, UPTIME_END_MS - 1),
    ),
    layout.PAUSE: (("op", 1, 2), ("left_s", 0, PAUSE_MAX_S)),
}  # fmt: skip


def check_record(kind: int, record) -> None:  # type: ignore[no-untyped-def]
    """RemoteError names the field that cannot be true; nothing for a type without bounds."""
    for name, low, high in FIELDS.get(kind, ()):
        value = getattr(record, name)
        if value is not None and not low <= value <= high:
            raise RemoteError("%s %d is outside %d..%d" % (name, value, low, high))
    if kind == layout.ALARM:
        check_alarms(record.changes)
    if kind == layout.GRADE and (record.lower is None) != (record.upper is None):
        raise RemoteError("a grade with one bound")
    if kind == layout.GRADE and record.lower is not None and record.lower > record.upper:
        raise RemoteError("a grade from %d to %d" % (record.lower, record.upper))


def check_alarms(pairs) -> None:  # type: ignore[no-untyped-def]
    """RemoteError when a pair (alarm, priority) cannot be true."""
    for alarm, priority in pairs:
        if not alarm or priority > PRIORITY_MAX:
            raise RemoteError("alarm %d with priority %d" % (alarm, priority))


def check_status(status: int) -> None:
    """RemoteError when the status word of a reading names a site or a wear state that there is none."""
    if site_of(status) >= len(SITES) or wear_of(status) > WEAR_MAX:
        raise RemoteError("status 0x%04x names no site or no wear state" % status)


def check_values(temp_cc: int | None, spo2_tenths: int | None, hr_bpm: int | None, status: int) -> None:
    """RemoteError when a value that is called valid is more than a body can have: no screen may show it."""
    if temp_state_of(status) == TEMP_VALID:
        _check_value("temp_cc", temp_cc, VALID_TEMP_MAX_CC)
    if ppg_state_of(status) == PPG_VALID:
        _check_value("spo2_tenths", spo2_tenths, VALID_SPO2_MAX_TENTHS)
        _check_value("hr_bpm", hr_bpm, VALID_HR_MAX_BPM)


def _check_value(name: str, value: int | None, most: int) -> None:
    if value is not None and value > most:
        raise RemoteError("%s %d is above %d" % (name, value, most))


def check_block(header, content, is_readings: bool) -> None:  # type: ignore[no-untyped-def]
    """RemoteError when the times or a reading of a decoded block cannot be true. Events are judged one by one."""
    if header.start_ms >= UPTIME_END_MS or max([row[0] for row in content]) >= UPTIME_END_MS:
        raise RemoteError("a time of more than ten years since the start of the wearable")
    if is_readings:
        for status in set([row[5] for row in content]):
            check_status(status)
        for row in content:
            check_values(row[1], row[2], row[3], row[5])
