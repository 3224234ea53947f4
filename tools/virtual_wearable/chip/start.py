# Runs in the unix interpreter as the chip's ROM: the board first, then boot.py and main.py, then the REPL of `-i`.
# Nothing of it stays behind in the names that boot.py, main.py and the REPL share.
import os
import sys

sys.path.insert(0, os.getenv("VW_CHIP_DIR"))
try:
    import power_on
except BaseException as error:  # noqa: BLE001 too little heap, a broken installation: no chip, so no REPL either
    sys.print_exception(error)
    os.system("kill -9 $PPID")  # noqa: S605 MicroPython has no other way to end itself at once

_go = power_on.go
del os, sys, power_on
_go(globals())
del _go
