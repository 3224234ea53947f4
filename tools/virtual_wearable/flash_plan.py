"""What the flash chip does out of the ordinary: errors, and power cuts in the middle of an operation."""

GO, FAIL, TEAR = 0, 1, 2


class FlashPlan:
    """Counts erases and programs; decides about each.

    cut_at: power goes at this operation (1 = the next one, None = never), `torn_pct` of it written.
    fail_writes: how many operations answer EIO, -1 = all until set to 0.
    """

    def __init__(self, cut_at: int | None = None, torn_pct: int = 0, fail_writes: int = 0) -> None:
        self.cut_at = cut_at
        self.torn_pct = torn_pct
        self.fail_writes = fail_writes
        self.erases = self.programs = self.failed = self.cuts = 0

    def decide(self, kind: str) -> bytes:
        """Return the verdict for one operation, 'e' erase or 'p' program: a code and the percentage to write."""
        if kind == "e":
            self.erases += 1
        else:
            self.programs += 1
        if self.cut_at is not None:
            self.cut_at -= 1
            if self.cut_at <= 0:
                self.cut_at = None
                self.cuts += 1
                return bytes((TEAR, self.torn_pct))
        if self.fail_writes:
            self.fail_writes -= 1 if self.fail_writes > 0 else 0
            self.failed += 1
            return bytes((FAIL, 0))
        return bytes((GO, 100))
