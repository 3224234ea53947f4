"""The calibration of one wearable as one line of text: SpO2 curve, temperature offset, and their origin.

    date=2026-11-20;spo2=15958,-346597,1126899;spo2_n=120;spo2_arms=187;temp=-5;temp_n=24;temp_sd=4;by=bench 2

spo2: c2,c1,c0 in 0.0001 % (spo2_curve.py), from spo2_n pairs, with ARMS in hundredths of a percent. spo2_n 0: no pairs,
then the curve is that of AN6845. temp: the offset to add to the chip's value, cc (0.01 °C), from temp_n pairs with the
standard deviation temp_sd, cc. temp_n 0: no pairs, then the offset is 0. by: the person and the reference, printable
ASCII without ";". There is one text for one content, and the id comes from the text: the same id always means the same
bytes. Numbers marked † are proposals that the person responsible for the device must sign.
"""

from binascii import crc32
from collections import namedtuple

from crs_core.compat import const
from crs_core.errors import RemoteError
from crs_core.spo2_curve import AN6845, spo2_tenths

_NAMES = ("date", "spo2", "spo2_n", "spo2_arms", "temp", "temp_n", "temp_sd", "by")
Calibration = namedtuple(
    "Calibration", ("date", "spo2", "spo2_n", "spo2_arms", "temp", "temp_n", "temp_sd", "by")
)
# id: (curve, text of its record). No offset; not measured on any device of this project.
BUILT_IN = {
    1: (AN6845, "AN6845: 1.5958 R^2 - 34.6597 R + 112.6899"),
    2: ((0, -170000, 1040000), "AN6409: 104 - 17 R"),
}
TEXT_MAX = const(200)  # bytes
BY_MAX = const(60)  # bytes
SPO2_PAIRS_MIN = const(20)  # † fewer pairs cannot fix three coefficients against the scatter of one finger
SPO2_ARMS_MAX = const(400)  # 4.00 %: what ISO 80601-2-61 allows between 70 and 100 %
TEMP_PAIRS_MIN = const(5)  # †
TEMP_SD_MAX = const(10)  # † 0.10 °C: more scatter means a probe that had not settled, not an offset
# † A chip of ±0.1 °C (TMP117 data sheet) that is off by more is mounted badly or broken.
TEMP_MAX_CC = const(50)
_FROM_AN6845_TENTHS = const(80)  # † 8 %: beyond it, pairs were shifted in time or channels swapped


def _refuse(why: str) -> RemoteError:
    return RemoteError("calibration: " + why)


def encode(calibration) -> str:  # type: ignore[no-untyped-def]
    """The one text of a calibration; nothing is checked."""
    fields = list(calibration)
    fields[1] = "%d,%d,%d" % tuple(calibration.spo2)
    return ";".join(["%s=%s" % (_NAMES[i], fields[i]) for i in range(len(_NAMES))])


def parse(text: str) -> Calibration:
    """The calibration in a text; RemoteError says what is wrong with it. A calibration that is returned may be used."""
    if len(text.encode()) > TEXT_MAX:
        raise _refuse("longer than %d bytes" % TEXT_MAX)
    values: dict = {}  # type: ignore[type-arg]
    for part in text.split(";"):
        name, _, value = part.partition("=")
        values[name] = value
    try:
        curve = tuple([int(c) for c in values["spo2"].split(",")])
        fields = [values["date"], curve]
        fields.extend([int(values[name]) for name in _NAMES[2:7]])
        fields.append(values["by"])
        found = Calibration(*fields)
        is_canonical = len(curve) == 3 and encode(found) == text
    except (KeyError, ValueError):
        is_canonical = False
    # Also refused: numbers that int() accepts beyond plain digits, another order, a field twice.
    if not is_canonical:
        raise _refuse("not of the form " + ";".join(name + "=..." for name in _NAMES))
    why = _wrong(found)
    if why:
        raise _refuse(why)
    return found


def id_of(text: str) -> int:
    """The id of a wearable's own calibration, 1000..64999; ids below are built in."""
    return 1000 + (crc32(text.encode()) & 0xFFFFFFFF) % 64000


def in_use(text: str, built_in_id: int) -> tuple[int, str, tuple[int, int, int], int]:
    """(id, text, curve, temperature offset in cc) of a wearable with these settings; RemoteError when it has none."""
    if text:
        own = parse(text)
        return id_of(text), text, own.spo2, own.temp
    if built_in_id not in BUILT_IN:
        raise _refuse("no curve %d is built in" % built_in_id)
    curve, told = BUILT_IN[built_in_id]
    return built_in_id, told, curve, 0


def _wrong(found: Calibration) -> str:
    """Why a calibration of the right form may not be used, or ""."""
    date = found.date
    digits = date[:4] + date[5:7] + date[8:]
    if (
        len(date) != 10
        or date[4] + date[7] != "--"
        or not digits.isdigit()
        or max(digits) > "9"
        or len(digits) != 8
    ):
        return "date is not YYYY-MM-DD"
    year, month = int(date[:4]), int(date[5:7])
    if not (2020 <= year <= 2099 and 1 <= month <= 12 and 1 <= int(date[8:]) <= _days(year, month)):
        return "no such date"
    by = found.by
    if not 1 <= len(by) <= BY_MAX or by != by.strip() or any([not " " <= c <= "~" for c in by]):
        return "by is not 1..%d printable ASCII without outer spaces" % BY_MAX
    if not found.temp_n and (found.temp or found.temp_sd):
        return "a temperature offset without pairs"
    if found.temp_n and not TEMP_PAIRS_MIN <= found.temp_n <= 99999:
        return "fewer than %d pairs of temperature" % TEMP_PAIRS_MIN
    if not 0 <= found.temp_sd <= TEMP_SD_MAX:
        return "pairs of temperature scatter by more than %d cc" % TEMP_SD_MAX
    if not -TEMP_MAX_CC <= found.temp <= TEMP_MAX_CC:
        return "temperature offset beyond %d cc" % TEMP_MAX_CC
    if not found.spo2_n:
        return "" if (found.spo2, found.spo2_arms) == (AN6845, 0) else "a SpO2 curve without pairs"
    if not SPO2_PAIRS_MIN <= found.spo2_n <= 99999:
        return "fewer than %d pairs of SpO2" % SPO2_PAIRS_MIN
    if not 0 <= found.spo2_arms <= SPO2_ARMS_MAX:
        return "SpO2 ARMS above %d.00 %%" % (SPO2_ARMS_MAX // 100)
    return wrong_curve(found.spo2)


def _days(year: int, month: int) -> int:
    """Days of a month of the years 2020 to 2099, of which every fourth has a leap day."""
    if month == 2:
        return 28 if year % 4 else 29
    return 30 if month in (4, 6, 9, 11) else 31


def wrong_curve(curve: tuple[int, int, int]) -> str:
    """Why light through a living finger cannot give this curve, or "". † The bounds are wide: they stop mistakes."""
    c2, c1, _ = curve
    if max([abs(c) for c in curve]) > 9999999:
        return "SpO2 coefficient too large"
    if c1 * 1000 + 2 * c2 * 300 >= 0 or c1 * 1000 + 2 * c2 * 2000 >= 0:
        return "SpO2 does not fall with R between 0.3 and 2.0"
    if spo2_tenths(curve, 400) > 1010 or spo2_tenths(curve, 600) < 900:  # where healthy fingers lie
        return "SpO2 not within 90..101 % at R 0.4..0.6"
    for ratio_milli in range(370, 1312, 10):  # AN6845 goes from 100 to 70 % there
        if abs(spo2_tenths(curve, ratio_milli) - spo2_tenths(AN6845, ratio_milli)) > _FROM_AN6845_TENTHS:
            return "SpO2 more than 8 %% from AN6845 at R %d.%02d" % (
                ratio_milli // 1000,
                ratio_milli % 1000 // 10,
            )
    return ""
