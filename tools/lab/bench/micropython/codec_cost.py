"""Runs on MicroPython: print the microseconds per reading to encode a block. argv: how many, their file, codec."""

import gc
import json
import sys
import time

from crs_core.journal import block_writer
from crs_core.units import Reading

from tools.rig import codec1_writer

per_block = int(sys.argv[1])
with open(sys.argv[2]) as file:  # noqa: PTH123 MicroPython has no pathlib
    rows = [Reading(*row) for row in json.load(file)]
encode = codec1_writer.encode_readings if sys.argv[3] == "1" else block_writer.encode_readings
rows = (rows * (per_block // len(rows) + 1))[:per_block]
best = None
for _ in range(80):
    gc.collect()
    begun = time.ticks_us()
    for _ in range(10):
        encode(b"journal1", 3, 1, rows, 1)
    us = time.ticks_diff(time.ticks_us(), begun) / 10 / per_block
    best = us if best is None else min(best, us)
print(best)
