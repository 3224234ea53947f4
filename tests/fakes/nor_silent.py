"""A NOR flash that reports success for operations it did not do, or did with one wrong bit; runs on MicroPython.

There are two kinds of flash. The first reads back its real content, so a check after the write finds the fault. The
second reads back the wanted content until the power is gone, like a cache in front of cells that never changed; the
wearable cannot find that fault before its next start.
"""

from tools.rig.on_micropython.nor_flash import NorFlash

NOTHING = -1


class SilentNor(NorFlash):
    """`spoil`: operation -> NOTHING, or the bit of a program that comes out wrong (an erase then does nothing)."""

    def __init__(self, block_size: int, blocks: int, data: bytearray, is_unseen: bool = False) -> None:
        super().__init__(block_size, blocks, data)
        self.spoil: dict[int, int] = {}
        self.spoil_from = 0  # every operation from here on does nothing, 0 = none
        self.spoiled = 0
        self._cells = NorFlash(block_size, blocks, bytearray(data)) if is_unseen else None

    def revive(self) -> NorFlash:
        """The flash as its cells really are, after power came back."""
        return self._cells.revive() if self._cells else super().revive()

    def _how(self) -> int | None:
        """The fault of the next operation: NOTHING, a bit number, or None for no fault."""
        how = self.spoil.get(self.ops + 1)
        if how is None and self.spoil_from and self.ops + 1 >= self.spoil_from:
            how = NOTHING
        if how is not None:
            self.spoiled += 1
        return how

    def writeblocks(self, block: int, buf: bytes, offset: int = 0) -> int:
        """Program, or report success without doing it."""
        how = self._how()
        done: bytes | bytearray | None = buf
        if how == NOTHING:
            done = None
        elif how is not None:
            done = bytearray(buf)
            how %= 8 * len(buf)
            done[how // 8] ^= 1 << how % 8
        if self._cells is not None:
            if done is not None:
                self._cells.writeblocks(block, done, offset)
            return super().writeblocks(block, buf, offset)
        if done is None:
            self.ops += 1
            return 0
        return super().writeblocks(block, done, offset)

    def ioctl(self, op: int, arg: int) -> int:
        """Answer the sizes; erase, or report success without doing it."""
        if op != 6:
            return super().ioctl(op, arg)
        how = self._how()
        if self._cells is not None:
            if how is None:
                self._cells.ioctl(op, arg)
            return super().ioctl(op, arg)
        if how is None:
            return super().ioctl(op, arg)
        self.ops += 1
        return 0
