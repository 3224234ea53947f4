"""NOR flash in an image file, as the block device under LittleFS. Runs on MicroPython.

Programming only clears bits and erasing sets a whole 4096-byte sector, each written to the file at once: killing
the process is a power cut. An erase keeps the whole chip waiting. The supervisor counts every erase and program
and may answer EIO or cut the power in the middle of one.
"""

import micropython
import time

from backplane import Inputs

SECTOR = 4096
_PIECE = 1024  # LittleFS programs no more at once with its cache of 4 × 256 bytes
_EIO = 5
_ERASE, _PROGRAM = ord("e"), ord("p")


@micropython.viper
def _clear_bits(target: ptr8, source: ptr8, count: int):  # noqa: F821 viper's own type
    for i in range(count):
        target[i] = target[i] & source[i]


class NorFlash:
    """Extended block protocol over the image at `path`.

    `stall(True)` is called when an erase begins to keep the chip waiting, `stall(False)` when it ends.
    """

    def __init__(
        self, path: str, backplane, inputs: Inputs, erase_ms: int, stall, wait_ms=time.sleep_ms
    ) -> None:
        self._file = open(path, "r+b")
        self._backplane = backplane
        self._inputs = inputs
        self._erase_ms = erase_ms
        self._stall = stall
        self._wait_ms = wait_ms
        self._sectors = self._file.seek(0, 2) // SECTOR
        self._cell = bytearray(_PIECE)
        self._blank = b"\xff" * _PIECE

    def is_blank(self) -> bool:
        """Whether every byte is erased: a chip new from the factory."""
        self._file.seek(0)
        for _ in range(self._sectors * SECTOR // _PIECE):
            self._file.readinto(self._cell)
            if self._cell != self._blank:
                return False
        return True

    def readblocks(self, sector: int, buf, offset: int = 0) -> int:
        """Fill `buf` from `offset` inside `sector`."""
        if self._inputs.refresh()[1] & 1:
            return -_EIO
        self._file.seek(sector * SECTOR + offset)
        self._file.readinto(buf)
        return 0

    def writeblocks(self, sector: int, buf, offset: "int | None" = None) -> int:
        """Program `buf`: new content is old AND buf. Without an offset the sector is erased first."""
        if offset is None:
            failed = self._erase(sector)
            if failed:
                return failed
            offset = 0
        address = sector * SECTOR + offset
        for start in range(0, len(buf), _PIECE):
            piece = memoryview(buf)[start : start + _PIECE]
            cell = memoryview(self._cell)[: len(piece)]
            self._file.seek(address + start)
            self._file.readinto(cell)
            _clear_bits(cell, piece, len(piece))
            failed = self._commit(_PROGRAM, address + start, cell, len(piece))
            if failed:
                return failed
        return 0

    def ioctl(self, op: int, arg: int) -> int:
        """Answer LittleFS: 3 sync, 4 count of sectors, 5 sector size, 6 erase."""
        if op == 4:
            return self._sectors
        if op == 5:
            return SECTOR
        if op == 6:
            return self._erase(arg)
        return 0

    def _erase(self, sector: int) -> int:
        self._stall(True)
        self._wait_ms(self._erase_ms)
        self._stall(False)
        return self._commit(_ERASE, sector * SECTOR, self._blank, SECTOR)

    def _commit(self, kind: int, address: int, content, count: int) -> int:
        """Ask the board, then write `count` bytes of `content`, repeated as needed.

        The answer: 0 go, 1 fail, 2 and a percentage = write that much and lose power.
        """
        verdict = self._backplane.call(ord("F"), bytes((kind,)) + address.to_bytes(4, "little"))
        if verdict[0] == 1:
            return -_EIO
        if verdict[0] == 2:
            count = count * verdict[1] // 100
        self._file.seek(address)
        view = memoryview(content)
        while count > 0:
            self._file.write(view[:count])
            count -= len(content)
        self._file.flush()
        if verdict[0] == 2:
            self._backplane.call(ord("K"))  # never answered: the power is gone
        return 0
