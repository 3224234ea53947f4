"""Adds the offset of a calibration to a thermometer chip; loaded only on a wearable that has an offset.

The value is shifted before anything judges it, so that every threshold of thermometer.py, above all "a warming probe at
or above 38.00 °C is believed", is
compared with the value that is graded. `code` stays the chip's own: an offset does not change whether it is still.
"""


class Corrected:
    """`Corrected(chip, offset_cc)`: the chip, with `offset_cc` (0.01 °C) added to what `read_cc()` gives."""

    def __init__(self, chip, offset_cc: int) -> None:  # type: ignore[no-untyped-def]
        self._chip = chip
        self._offset_cc = offset_cc

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self._chip, name)

    def read_cc(self) -> int | None:
        """One conversion in hundredths of a degree, corrected; None when there is no new one. OSError as the chip."""
        temp_cc = self._chip.read_cc()
        return None if temp_cc is None else temp_cc + self._offset_cc
