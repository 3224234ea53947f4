"""A chip with its calibration's offset, behind the thermometer; runs on both runtimes."""

from crs_core.units import TEMP_SETTLING, TEMP_VALID
from crs_device.sensors.corrected import Corrected
from crs_device.sensors.thermometer import Thermometer

from tests.device.sensors.scripted_thermometer import ScriptedThermometer


def corrected(offset_cc: int, values):
    """(last temp_cc, states) of a thermometer whose chip is off by so much."""
    thermometer = Thermometer(Corrected(ScriptedThermometer(values), offset_cc))
    states = []
    for second in range(len(values)):
        thermometer.poll(second * 1000)
        states.append(thermometer.state(second * 1000))
    return thermometer.temp_cc, states


def check_an_offset_shifts_the_value_and_the_raw_one_is_found_again():
    for offset_cc in (-50, -5, 5, 50):
        temp_cc, states = corrected(offset_cc, [3700] * 60)
        assert temp_cc - offset_cc == 3700 and states[-1] == TEMP_VALID


def check_a_warming_probe_is_believed_by_the_corrected_value():
    """From 38.00 °C on a probe that still warms is believed: of the graded value, not of the chip's."""
    warming = [3702 + 2 * second for second in range(50)]  # 0.60 °C in 30 s: never settled; ends at 38.00
    assert corrected(0, warming)[1][-2:] == [TEMP_SETTLING, TEMP_VALID]
    assert corrected(-1, warming)[1][-1] == TEMP_SETTLING, "37.99 of a warming probe says nothing yet"
    assert corrected(2, warming)[1][-3:] == [TEMP_SETTLING, TEMP_VALID, TEMP_VALID], "38.00 is told at 38.00"


def check_a_corrected_chip_is_otherwise_the_chip():
    chip = ScriptedThermometer([None, OSError("gone"), 3700])
    part = Corrected(chip, 7)
    part.start()
    assert chip.starts == 1 and part.read_cc() is None
    try:
        part.read_cc()
        raise AssertionError("the chip's error is passed on")
    except OSError:
        pass
    assert part.read_cc() == 3707 and part.code == chip.code == 7400
