"""From the ratio of ratios to SpO2: curves as data, one integer polynomial each.

No curve is right for a device that was not measured against arterial blood; the id in use is written to the journal.
"""

from collections import namedtuple

# SpO2 = c0 + c1 R + c2 R², coefficients in 0.0001 %
Calibration = namedtuple("Calibration", ("id", "c2", "c1", "c0", "text"))

AN6845 = Calibration(
    1, 15958, -346597, 1126899, "1.5958 R^2 - 34.6597 R + 112.6899; Maxim Integrated application note 6845"
)
AN6409 = Calibration(2, 0, -170000, 1040000, "104 - 17 R; Maxim Integrated application note 6409")
CALIBRATIONS = (AN6845, AN6409)


def by_id(calibration_id: int) -> Calibration:
    """The curve of that id; KeyError names an unknown one."""
    for calibration in CALIBRATIONS:
        if calibration.id == calibration_id:
            return calibration
    raise KeyError("calibration id %d is not known" % calibration_id)


def spo2_tenths(calibration: Calibration, ratio_milli: int) -> int:
    """SpO2 in tenths of a percent for R in thousandths, rounded, not limited."""
    value = (
        calibration.c0
        + (calibration.c1 * ratio_milli + calibration.c2 * ratio_milli * ratio_milli // 1000) // 1000
    )
    return (value + 500) // 1000
