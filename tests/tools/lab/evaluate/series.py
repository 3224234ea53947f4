"""Hand-made bodies and sensor series for the evaluation's tests: constant until they are changed."""

from array import array
from collections.abc import Iterator

from crs_core import units

from tools.lab.evaluate.body import STEP_S, Body
from tools.lab.evaluate.illness import Illness
from tools.lab.evaluate.parameters import PRODUCTS
from tools.lab.evaluate.patient import Patient
from tools.lab.evaluate.worn import NONE, Worn

MIN_S = 60


def fill(values: array, begin_s: int, end_s: int, number: int) -> None:
    """Set a stretch of a series."""
    for i in steps(begin_s, end_s):
        values[i] = number


def steps(begin_s: int, end_s: int) -> Iterator[int]:
    return iter(range(begin_s // STEP_S, end_s // STEP_S))


def body(hours: int, oral_cc: int = 3680) -> Body:
    count = hours * 3600 // STEP_S
    return Body(array("h", [oral_cc]) * count, array("h", [970]) * count, array("h", [75]) * count)


def worn(hours: int, temp_cc: int = 3620) -> Worn:
    count = hours * 3600 // STEP_S

    def constant(number: int) -> array:
        return array("h", [number]) * count

    # no live probe is bit-identical for hours: the last hundredth moves
    temp = array("h", [temp_cc + i % 2 for i in range(count)])
    return Worn(
        temp, constant(units.TEMP_VALID), constant(970), constant(75), constant(units.PPG_VALID),
        constant(units.WEAR_WORN), constant(temp_cc),
    )  # fmt: skip


def take_off(one: Worn, begin_s: int, end_s: int) -> None:
    """Strap off: both probes say so."""
    fill(one.temp_state, begin_s, end_s, units.TEMP_OFF_BODY)
    fill(one.ppg_state, begin_s, end_s, units.PPG_NO_CONTACT)
    fill(one.wear, begin_s, end_s, units.WEAR_OFF)
    fill(one.spo2_tenths, begin_s, end_s, NONE)
    fill(one.hr_bpm, begin_s, end_s, NONE)


def patient(days: int, syndrome: tuple[float, float] | None = None) -> Patient:
    ill = Illness(oral_c=36.8, syndrome=syndrome)
    return Patient(0, PRODUCTS[0], days, ill, body(24 * days), worn(24 * days))
