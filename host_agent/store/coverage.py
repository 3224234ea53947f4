"""Which sequences are held: an unbroken run from 1, and spans beyond it that arrived earlier."""

from bisect import bisect_left


class Coverage:
    """Sequences start at 1. `prefix` is the last of the unbroken run from 1; spans above it are disjoint."""

    def __init__(self, prefix: int = 0) -> None:
        self.prefix = prefix
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    @property
    def highest(self) -> int:
        """The highest sequence held, 0 for none."""
        return self._lasts[-1] if self._lasts else self.prefix

    def copy(self) -> "Coverage":
        """An independent copy: a transaction changes a copy, which counts only after the commit."""
        other = Coverage(self.prefix)
        other._firsts = self._firsts.copy()
        other._lasts = self._lasts.copy()
        return other

    def add(self, first: int, last: int) -> None:
        """Mark first..last as held."""
        if last <= self.prefix:
            return
        first = max(first, self.prefix + 1)
        low = bisect_left(self._lasts, first - 1)  # spans that touch or overlap first..last
        high = low
        while high < len(self._firsts) and self._firsts[high] <= last + 1:
            first = min(first, self._firsts[high])
            last = max(last, self._lasts[high])
            high += 1
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]
        if self._firsts[0] == self.prefix + 1:
            self.prefix = self._lasts.pop(0)
            self._firsts.pop(0)

    def missing(self, first: int, last: int) -> list[tuple[int, int]]:
        """The parts of first..last that are not held."""
        parts = []
        at = max(first, self.prefix + 1)
        for span_first, span_last in zip(self._firsts, self._lasts, strict=True):
            if span_first > last:
                break
            if span_last < at:
                continue
            if span_first > at:
                parts.append((at, span_first - 1))
            at = span_last + 1
        if at <= last:
            parts.append((at, last))
        return parts
