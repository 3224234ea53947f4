"""The counting flash image of the journal's bench, on MicroPython under the real LittleFS."""

from pathlib import Path

from tools.rig.micropython import run_micropython

SCRIPT = """
import sys
from crs_device import two_slot
from tools.lab.bench.micropython.image_flash import ERASE, PROGRAM_BYTES, READ, ImageFlash, watch

flash = ImageFlash(sys.argv[1], 32)
flash.mount(make=True)
watch(flash, (two_slot,), lambda path: path[-3])
flash.clear()
for n in range(3):
    two_slot.TwoSlot("/f/a").store(bytes(2000))
assert flash.counts["a"][PROGRAM_BYTES] >= 6000, flash.counts
assert flash.counts["a"][ERASE] >= 3, flash.counts
assert "b" not in flash.counts
assert sum(flash.erased) == flash.total(ERASE)
two_slot.TwoSlot("/f/b").store(b"b")
assert flash.counts["b"][PROGRAM_BYTES] > 0
flash.close()
again = ImageFlash(sys.argv[1])
again.mount()
assert two_slot.TwoSlot("/f/a").load() == bytes(2000)
assert two_slot.TwoSlot("/f/b").load() == b"b"
print("kept")
"""


def test_operations_are_booked_under_the_file_that_caused_them(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = run_micropython(script, str(tmp_path / "flash.img"), as_it_is=True)
    assert done.stdout == "kept\n", done.stdout + done.stderr
