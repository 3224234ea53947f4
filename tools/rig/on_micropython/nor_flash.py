"""A NOR flash block device that can fail; runs on MicroPython under the real VfsLfs2.

Programming only clears bits, erasing sets a whole sector. Every program and erase is one operation, counted. A cut at
operation n does `torn` percent of it and then the device is dead (every call answers EIO) until `revive`.
"""

EIO = 5


class NorFlash:
    """`blocks` sectors of `block_size` bytes; pass `data` to continue with another device's content."""

    def __init__(self, block_size: int, blocks: int, data: bytearray | None = None) -> None:
        self.block_size = block_size
        self.blocks = blocks
        self.data = data if data is not None else bytearray(b"\xff" * (block_size * blocks))
        self.ops = 0  # programs and erases so far
        self.cut_at = 0  # operation that is cut, 0 = never
        self.torn_percent = 100
        self.dead = False
        self.eio_ops: tuple[int, ...] = ()  # operations that fail, doing nothing, without a cut
        self.eio_from = 0  # every operation from here on fails; reads go on
        self.eio_reads = 0  # so many reads fail from now on

    def revive(self) -> "NorFlash":
        """The same content after power came back."""
        return NorFlash(self.block_size, self.blocks, self.data)

    def copy(self) -> "NorFlash":
        """An independent device with the same content."""
        return NorFlash(self.block_size, self.blocks, bytearray(self.data))

    def flip(self, offset: int, bit: int) -> None:
        """Flip one stored bit."""
        self.data[offset] ^= 1 << bit

    def _op(self, size: int) -> tuple[int, bool]:
        """(bytes to do, whether to answer EIO) for the next operation of `size` bytes."""
        if self.dead:
            return 0, True
        self.ops += 1
        if self.cut_at and self.ops >= self.cut_at:
            self.dead = True
            return size * self.torn_percent // 100, True
        if self.ops in self.eio_ops or (self.eio_from and self.ops >= self.eio_from):
            return 0, True
        return size, False

    def readblocks(self, block: int, buf: bytearray, offset: int = 0) -> int:
        """MicroPython's extended block protocol."""
        if self.dead:
            return -EIO
        if self.eio_reads:
            self.eio_reads -= 1
            return -EIO
        start = block * self.block_size + offset
        buf[:] = memoryview(self.data)[start : start + len(buf)]
        return 0

    def writeblocks(self, block: int, buf: bytes, offset: int = 0) -> int:
        """Program: AND into what is there."""
        size, fail = self._op(len(buf))
        start = block * self.block_size + offset
        data = self.data
        old = memoryview(data)[start : start + size]
        if size and bytes(old) == b"\xff" * size:  # erased: the usual case, without a loop
            old[:] = memoryview(buf)[:size]
        else:
            for i in range(size):
                data[start + i] &= buf[i]
        return -EIO if fail else 0

    def ioctl(self, op: int, arg: int) -> int:
        """4 block count, 5 block size, 6 erase a block."""
        if op == 4:
            return self.blocks
        if op == 5:
            return self.block_size
        if op == 6:
            size, fail = self._op(self.block_size)
            start = arg * self.block_size
            self.data[start : start + size] = b"\xff" * size
            return -EIO if fail else 0
        return 0
