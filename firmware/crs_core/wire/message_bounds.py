"""What a wearable's message may say, for hosts: as journal/record_bounds.py for records."""

from crs_core.errors import RemoteError
from crs_core.journal import record_bounds as bounds
from crs_core.wire import message as wire


def check_message(message: tuple) -> None:  # type: ignore[type-arg]
    """RemoteError when a field of a message to the host cannot be true."""
    if isinstance(message, wire.Live):
        bounds.check_status(message.status)
        bounds.check_values(message.temp_cc, message.spo2_tenths, message.hr_bpm, message.status)
        _below(message.t_ms, bounds.UPTIME_END_MS)
        for value, highest in (
            (message.fever, bounds.FEVER_MAX), (message.lower, bounds.GRADE_MAX), (message.upper, bounds.GRADE_MAX),
        ):  # fmt: skip
            if value is not None:
                _below(value, highest + 1)
        if (message.lower is None) != (message.upper is None) or (message.lower or 0) > (message.upper or 0):
            raise RemoteError("a grade whose bounds do not fit each other")
        bounds.check_alarms(message.alarms)
    elif isinstance(message, wire.Alarm):
        _below(message.t_ms, bounds.UPTIME_END_MS)
        bounds.check_alarms(message.alarms)
    elif isinstance(message, wire.StatusIs):
        _below(message.now_ms, bounds.UPTIME_END_MS)
    elif isinstance(message, wire.TimeIs):
        _below(message.t_ms, bounds.UPTIME_END_MS)
        _below(message.utc_ms, bounds.UTC_END_MS)
        if message.utc_ms < bounds.UTC_FIRST_MS:
            raise RemoteError("a time before 2020")


def _below(value: int, end: int) -> None:
    if value >= end:
        raise RemoteError("%d is %d or more" % (value, end))
