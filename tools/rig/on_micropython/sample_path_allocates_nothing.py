"""Runs on MicroPython: bytes of heap that ten seconds of FIFO bursts take, from registers to filtered rings.

The I2C peripheral is replaced by one that copies prepared bytes, because the register models allocate and a chip does
not. The heap is locked during the bursts, so that any allocation at all would raise MemoryError.
"""

import gc
import math

import micropython
from crs_device.sensors.bus import Bus
from crs_device.sensors.max3010x import Max3010x
from crs_device.sensors.optical import Optical
from crs_device.signal.ppg import Ppg

BURSTS = 25
SAMPLES = 10


class Preloaded:
    """Register reads from prepared bytes: status and pointers, then the burst of this turn."""

    def __init__(self) -> None:
        self.turn = 0
        self.status = [
            bytes([0, 0, 0, 0, (k + 1) * SAMPLES % 32, 0, k * SAMPLES % 32]) for k in range(BURSTS)
        ]
        self.bursts = [_burst(k) for k in range(BURSTS)]

    def readfrom_mem_into(self, address: int, register: int, buffer) -> None:
        source = self.status[self.turn] if register == 0 else self.bursts[self.turn]
        for i in range(len(buffer)):
            buffer[i] = source[i]
        if register == 7:
            self.turn += 1


def _burst(k: int) -> bytes:
    data = b""
    for i in range(SAMPLES):
        phase = 2 * math.pi * 1.25 * (k * SAMPLES + i) / 25
        beat = 500 * (math.sin(phase) + 0.5 * math.sin(2 * phase))
        for value in (int(100000 - beat / 2), int(120000 - beat)):
            data += bytes([value >> 16, value >> 8 & 255, value & 255])
    return data


def main() -> None:
    """Print the bytes; a check of the answer keeps the path honest."""
    ppg = Ppg()
    probe = Optical(Max3010x(Bus(Preloaded())), ppg)
    probe._started = True  # setting the chip up may allocate
    now_ms = 0
    gc.collect()
    before = gc.mem_alloc()
    micropython.heap_lock()
    for _ in range(BURSTS):
        now_ms += 400
        probe.poll(now_ms)
    micropython.heap_unlock()
    used = gc.mem_alloc() - before
    spo2, hr, _, state = ppg.vitals(10000)
    assert state == 0 and 74 <= hr <= 76 and 900 < spo2 < 1000, (spo2, hr, state)
    print("bytes", used)


main()
