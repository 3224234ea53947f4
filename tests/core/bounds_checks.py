"""What a record or message may say, field by field; runs on both runtimes."""

from crs_core.errors import RemoteError
from crs_core.journal import record_bounds as bounds
from crs_core.journal import record_layout, record_types
from crs_core.units import Reading, make_status
from crs_core.wire import message, message_bounds

from tests.core.raising import raised

NOW_MS = 1_795_000_000_000
RECORDS = (
    record_types.TimeMark(NOW_MS, 0xFFFFFFFF, 0x22),
    record_types.Grade(1, 2019, bytes(8), 1, 4, 3, 1, (255,), (255,), None, None, b""),
    record_types.Grade(1, 2019, bytes(8), None, None, 0, 0, (), (), None, None, b""),
    record_types.Alarm(bytes(8), ((250, 3), (1, 0)), b"", b"", 0),
    record_types.Boot(255, 0xFFFFFFFF, None, 0xFFFFFFFF, 65535, bytes(8), "", b"", b""),
    record_types.Button(2),
    record_types.Binding(3, bytes(8), b""),
    record_types.Accepted(250, 3, 1, ""),
    record_types.Maintenance(2, 255),
    record_types.Merged(255, 0xFFFFFFFF, 1, 0xFFFFFFFF, 0, 1),
    record_types.Pause(2, 255, 1800, 0),
    record_types.Fault(255, 255, 0xFFFFFFFF, ""),
    record_types.SampleGap(255, 255, 0, 0),
    record_types.Health(((255, 0xFFFFFFFF),)),
)
_LIVE = (5, 3860, 880, 118, 52, 1025, 3, 1, 4, [(250, 3), (7, 0)])
_NAMES = (
    "t_ms", "temp_cc", "spo2_tenths", "hr_bpm", "pi_hundredths", "status", "fever", "lower", "upper", "alarms",
)  # fmt: skip


class Changed:
    """A record with other values in some fields; MicroPython's namedtuple has no _replace."""

    def __init__(self, record, **change) -> None:
        self._record = record
        self._change = change

    def __getattr__(self, name):
        return self._change[name] if name in self._change else getattr(self._record, name)


def live(**change):
    """A LIVE message with other values in some fields."""
    return message.Live(*[change.get(_NAMES[at], _LIVE[at]) for at in range(len(_NAMES))])


MESSAGES = (
    live(), message.Alarm(0, 5, [(3, 3)]), message.TimeIs(NOW_MS, 1, 5), message.Pong(1),
    message.StatusIs(0xFFFFFFFF, 5, 500, 400, 2, 65535, 0, 0, bytes(8), [(255, 0)]), message.Unknown(200, b"x"),
)  # fmt: skip


def check_what_can_be_true_is_taken() -> None:
    for record in RECORDS:
        bounds.check_record(record_types.type_of(record), record)
    bounds.check_record(200, None)
    for one in MESSAGES:
        message_bounds.check_message(one)


def check_every_bounded_field_is_refused_outside() -> None:
    for record in RECORDS:
        kind = record_types.type_of(record)
        for name, low, high in bounds.FIELDS.get(kind, ()):
            if getattr(record, name) is None:
                continue
            for value in (low - 1, high + 1, 0xFFFFFFFFFFFFFFFF):
                spoiled = Changed(record, **{name: value})
                assert name in raised(RemoteError, bounds.check_record, kind, spoiled), (name, value)


def check_alarms_and_grades_that_cannot_be_true() -> None:
    for pair in ((3, 4), (3, 9), (3, 255), (0, 3)):
        alarm = Changed(RECORDS[3], changes=((1, 1), pair))
        raised(RemoteError, bounds.check_record, record_layout.ALARM, alarm)
        raised(RemoteError, message_bounds.check_message, live(alarms=[pair]))
        raised(RemoteError, message_bounds.check_message, message.Alarm(0, 5, [pair]))
    for lower, upper in ((4, 1), (None, 4), (1, None), (0, 6)):
        grade = Changed(RECORDS[1], lower=lower, upper=upper)
        raised(RemoteError, bounds.check_record, record_layout.GRADE, grade)
        raised(RemoteError, message_bounds.check_message, live(lower=lower, upper=upper))


def check_messages_that_cannot_be_true() -> None:
    for change in (
        {"temp_cc": 6001}, {"spo2_tenths": 1001}, {"hr_bpm": 401}, {"hr_bpm": 65534}, {"status": 0x407},
        {"status": 0xC01}, {"fever": 5}, {"t_ms": bounds.UPTIME_END_MS},
    ):  # fmt: skip
        raised(RemoteError, message_bounds.check_message, live(**change))
    for utc_ms in (0, bounds.UTC_FIRST_MS - 1, bounds.UTC_END_MS, 1 << 60, (1 << 64) - 1):
        raised(RemoteError, message_bounds.check_message, message.TimeIs(utc_ms, 1, 5))


def check_readings_of_no_site_and_of_no_time() -> None:
    class Header:
        start_ms = 0

    for status in (7, 0x407, make_status(1, 0, 0, 3)):
        raised(RemoteError, bounds.check_block, Header, [Reading(5, 3700, 970, 80, 150, status)], True)
    unknown = make_status(6, 7, 15, 2, 1 << 15)
    bounds.check_block(Header, [Reading(5, 65534, 65534, 65534, 65534, unknown)], True)
    for status in (0, 0x401):
        bounds.check_block(Header, [Reading(5, 6000, 1000, 400, 65534, status)], True)
        bounds.check_block(Header, [Reading(5, None, None, None, None, status)], True)
        for values in ((6001, 970, 80), (3700, 1001, 80), (3700, 970, 401), (65534, 65534, 65534)):
            good = Reading(4, 3700, 970, 80, 150, status)
            raised(RemoteError, bounds.check_block, Header, [good, Reading(5, *values, 150, status)], True)
    raised(RemoteError, bounds.check_block, Header, [(bounds.UPTIME_END_MS, 7, b"")], False)
    bounds.check_block(Header, [(bounds.UPTIME_END_MS - 1, 7, b"")], False)
