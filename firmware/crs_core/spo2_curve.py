"""From the ratio of ratios R to SpO2: one integer polynomial. A running wearable keeps no more of its calibration."""

# SpO2 = c0 + c1 R + c2 R² as (c2, c1, c0) in 0.0001 %: 112.6899 - 34.6597 R + 1.5958 R², Maxim Integrated
# application note 6845. It is of no particular device: without a calibration of its own, a device is off by its
# difference.
AN6845 = (15958, -346597, 1126899)


def spo2_tenths(curve: tuple[int, int, int], ratio_milli: int) -> int:
    """SpO2 in tenths of a percent for R in thousandths, rounded, not limited."""
    value = curve[2] + (curve[1] * ratio_milli + curve[0] * ratio_milli * ratio_milli // 1000) // 1000
    return (value + 500) // 1000
