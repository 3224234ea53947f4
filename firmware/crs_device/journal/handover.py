"""From one journal to the next, for a new patient binding: completely or not at all, and continued after any cut.

1. the intent (new id, binding, boot) is stored: from here on the handover happens; 2. `root.new` is built;
3. `root` becomes `root.old`; 4. `root.new` becomes `root`; 5. the intent is cleared; 6. `root.old` is deleted one
file per step, because each deletion may cost a flash erase. Deleting removes names and lets flash be reused; it
does not overwrite what was there.
"""

import os
import struct

from crs_core.errors import LocalError
from crs_device.journal import header
from crs_device.two_slot import TwoSlot

_INTENT = "<8s8sI"


def _intent(root: str) -> TwoSlot:
    return TwoSlot(root + ".intent")


def create(journal, binding_id: bytes) -> None:  # type: ignore[no-untyped-def]
    """Does the work of Journal.create."""
    root = journal.root
    resume(root)
    if header.read(root) is not None:
        raise LocalError("a readable journal is there")
    set_aside(root)
    begin(root, journal.random_bytes(8), binding_id, journal.boot)
    journal.open()


def replace(journal, binding_id: bytes) -> None:  # type: ignore[no-untyped-def]
    """Does the work of Journal.handover."""
    journal.close()
    begin(journal.root, journal.random_bytes(8), binding_id, journal.boot)
    journal.open()


def begin(root: str, journal_id: bytes, binding_id: bytes, boot: int) -> None:
    """Begin the handover and carry it out up to the switch. OSError: `resume` continues it at the next start."""
    _intent(root).store(struct.pack(_INTENT, journal_id, binding_id, boot))
    resume(root)


def resume(root: str) -> bool:
    """Finish a handover that was begun; False when there was none."""
    intent = _intent(root)
    data = intent.load()
    if data is None or len(data) != struct.calcsize(_INTENT):
        return False
    journal_id, binding_id, boot = struct.unpack(_INTENT, data)
    if not _holds(root, journal_id):
        new = root + ".new"
        if not _holds(new, journal_id):
            while wipe_step(new):
                pass
            header.build(new, journal_id, binding_id, boot)
        if header.exists(root):
            while wipe_step(root + ".old"):
                pass
            os.rename(root, root + ".old")
        os.rename(new, root)
    intent.store(b"")
    return True


def _holds(root: str, journal_id: bytes) -> bool:
    found = header.read(root)
    return found is not None and found[0] == journal_id


def wipe_step(path: str) -> bool:
    """Delete one file or empty directory of the tree at `path`; False when nothing is left of it."""
    if not header.exists(path):
        return False
    while True:  # down to something that one step can delete
        names = os.listdir(path)
        if not names:
            os.rmdir(path)
            return True
        inner = path + "/" + names[0]
        if os.stat(inner)[0] & 0x4000:
            path = inner
            continue
        os.remove(inner)
        return True


def set_aside(root: str) -> None:
    """Keep an unreadable journal as `root.bad` (only the newest such is kept)."""
    if header.exists(root):
        while wipe_step(root + ".bad"):
            pass
        os.rename(root, root + ".bad")
