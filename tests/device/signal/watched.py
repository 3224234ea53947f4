"""Integers that remember how large they grew: the firmware's own lines run on them instead of a copy that asserts."""

INT32 = 1 << 31  # what a compiled function of a 32-bit chip holds
SMALL_INT = 1 << 30  # what MicroPython on such a chip holds without allocating
FOLD = (1 << 30) - 1


class Watched(int):
    """An int whose arithmetic notes the largest magnitude it ever met."""

    worst = 0

    def _note(self, value: int) -> "Watched":
        Watched.worst = max(Watched.worst, abs(value))
        return Watched(value)

    def __add__(self, other: int) -> "Watched":
        return self._note(int(self) + int(other))

    __radd__ = __add__

    def __sub__(self, other: int) -> "Watched":
        return self._note(int(self) - int(other))

    def __rsub__(self, other: int) -> "Watched":
        return self._note(int(other) - int(self))

    def __mul__(self, other: int) -> "Watched":
        return self._note(int(self) * int(other))

    __rmul__ = __mul__

    def __lshift__(self, other: int) -> "Watched":
        return self._note(int(self) << int(other))

    def __rshift__(self, other: int) -> "Watched":
        return self._note(int(self) >> int(other))

    def __floordiv__(self, other: int) -> "Watched":
        return self._note(int(self) // int(other))

    def __and__(self, other: int) -> "Watched":
        """Folding from 30 bits must change nothing: what it would cut off never was a sign."""
        if other == FOLD and not 0 <= self <= FOLD:
            raise OverflowError(f"{int(self)} does not survive the fold")
        return self._note(int(self) & int(other))
