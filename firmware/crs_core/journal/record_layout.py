"""The layout of the event records' payloads: one table, by which record_writer.py writes and record_reader.py reads.

Each type has a namedtuple (record_types.py) and a layout, one letter per field, little-endian:
B u8, H u16, I u32, T u48, Q u64, K 8 raw bytes; g u8 or None (255), a u32 or None (2**32-1), t u48 or None (all
ones); s text (u8 length), p bytes (u16 length); l u8 count of u8, c u8 count of (u8, u8), h u8 count of (u8, u32);
x text to the end, r bytes to the end. Lists come back as tuples.
"""

from crs_core.compat import const

BOOT = const(1)
SETTINGS = const(2)
TIME_MARK = const(3)
GRADE = const(4)
ALARM = const(5)
GRADER_STATE = const(6)
BUTTON = const(7)
SAMPLE_GAP = const(8)
FAULT = const(9)
BINDING = const(10)
ACCEPTED = const(11)
MAINTENANCE = const(12)
CALIBRATION = const(13)
CONTEXT = const(14)
MERGED = const(15)
HEALTH = const(16)
PAUSE = const(17)

DETAIL_MAX = const(48)  # bytes of FAULT.detail
WHO_MAX = const(32)  # bytes of ACCEPTED.who

LAYOUTS = {
    BOOT: "BItIHKspp",
    SETTINGS: "HKHx",
    TIME_MARK: "QII",
    GRADE: "BHKggBBllaap",
    ALARM: "KcppI",
    GRADER_STATE: "BKpp",
    BUTTON: "B",
    SAMPLE_GAP: "BBII",
    FAULT: "BBIx",
    BINDING: "BKp",
    ACCEPTED: "BBIx",
    MAINTENANCE: "BB",
    CALIBRATION: "Hx",
    CONTEXT: "r",
    MERGED: "BIIITT",
    HEALTH: "h",
    PAUSE: "BBHI",
}
TEXT_MAX = {FAULT: DETAIL_MAX, ACCEPTED: WHO_MAX}
SIZES = {"B": 1, "H": 2, "I": 4, "T": 6, "Q": 8}
NONE_MARKS = {"g": ("B", 0xFF), "a": ("I", 0xFFFFFFFF), "t": ("T", (1 << 48) - 1)}
