"""A flash image in a file as the block device under VfsLfs2, which counts its operations; runs on MicroPython.

The file lies outside the heap, so a heap may be as small as a chip's. `area` is what the next operations are booked
under; whoever opens a file sets it. Nothing takes longer than the file does: no erase time is modelled.
"""

import os

import vfs

SECTOR = 4096
PAGE = 256
READ, READ_BYTES, PROGRAM_BYTES, ERASE = range(4)


class ImageFlash:
    """`sectors` makes a new image; 0 uses the existing file.

    `counts`: area -> [reads, bytes read, bytes programmed, erases]; `erased`: how often each sector was.
    """

    def __init__(self, path, sectors=0):
        if sectors:
            with open(path, "wb") as file:
                for _ in range(sectors):
                    file.write(b"\xff" * SECTOR)
        self._file = open(path, "r+b")
        self.sectors = self._file.seek(0, 2) // SECTOR
        self._blank = b"\xff" * SECTOR
        self.area = "other"
        self.counts = {}
        self.erased = [0] * self.sectors

    def _count(self):
        found = self.counts.get(self.area)
        if found is None:
            found = self.counts[self.area] = [0, 0, 0, 0]
        return found

    def clear(self):
        """Set all counts to zero."""
        self.counts = {}
        self.erased = [0] * self.sectors

    def total(self, what):
        """Sum of READ, READ_BYTES, PROGRAM_BYTES or ERASE over all areas."""
        return sum([each[what] for each in self.counts.values()])

    def readblocks(self, sector, buf, offset=0):
        """Extended block protocol: fill `buf`."""
        count = self._count()
        count[READ] += 1
        count[READ_BYTES] += len(buf)
        self._file.seek(sector * SECTOR + offset)
        self._file.readinto(buf)
        return 0

    def writeblocks(self, sector, buf, offset=0):
        """Program bytes; LittleFS never programs bytes that are not erased."""
        self._count()[PROGRAM_BYTES] += len(buf)
        self._file.seek(sector * SECTOR + offset)
        self._file.write(buf)
        return 0

    def ioctl(self, op, arg):
        """Block device commands: 4 returns the sectors, 5 their size, 6 erases one."""
        if op == 4:
            return self.sectors
        if op == 5:
            return SECTOR
        if op == 6:
            self._count()[ERASE] += 1
            self.erased[arg] += 1
            self._file.seek(arg * SECTOR)
            self._file.write(self._blank)
        return 0

    def mount(self, make=False):
        """Mount at /f with the settings of the firmware's LittleFS."""
        if make:
            vfs.VfsLfs2.mkfs(self, progsize=PAGE, readsize=PAGE)
        vfs.mount(vfs.VfsLfs2(self, progsize=PAGE, readsize=PAGE), "/f")

    def close(self):
        """Unmount; then the file contains the complete image."""
        vfs.umount("/f")
        self._file.close()


class Watched:
    """A file whose reads and writes count for `area`, and its lookup for `outside`."""

    def __init__(self, flash, file, area, outside):
        self._flash, self._file, self._area, self._outside = flash, file, area, outside

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self._file.close()

    def seek(self, *where):
        return self._file.seek(*where)

    def read(self, *size):
        self._flash.area = self._area
        data = self._file.read(*size)
        self._flash.area = self._outside
        return data

    def write(self, data):
        """Write bytes; the part that LittleFS delays until the close counts for the same area."""
        self._flash.area = self._outside = self._area
        return self._file.write(data)


def watch(flash, modules, area_of, outside=None):
    """Count every file that `modules` open for `area_of(path)`, its lookup for `outside` (None: the same area)."""

    def opened(path, mode="r"):
        area = area_of(path)
        flash.area = area if outside is None else outside
        return Watched(flash, open(path, mode), area, flash.area)

    for module in modules:
        module.open = opened


class WatchedOs:
    """`os` for the modules of a chain, so that their removals are counted, too."""

    def __init__(self, flash, area_of):
        self._flash, self._area_of = flash, area_of

    def __getattr__(self, name):
        work = getattr(os, name)

        def call(path, *rest):
            self._flash.area = self._area_of(path)
            return work(path, *rest)

        return call
