# Runs in the unix interpreter as the chip's ROM: the board first, then boot.py and main.py, then the REPL of `-i`.
# Nothing of it stays behind in the names that boot.py, main.py and the REPL share.
import os
import sys

sys.path.insert(0, os.getenv("VW_CHIP_DIR"))
import power_on

_go = power_on.go
del os, sys, power_on
_go(globals())
del _go
