"""Charted stays through grader and alarms, each with one hash that must be equal on every runtime.

usage: stay_run.py FILE; prints "STAY HASH" a line. FILE: stay u32, number of readings u16, then the readings
{minute u16, temperature + 1, saturation + 1, heart rate + 1 (u16, 0 = none), status u16}, little-endian, until its end.
"""

import binascii
import struct
import sys

from crs_core import units
from crs_core.grade import alarms, grader, rules

HEAD = "<IH"
ROW = "<HHHHH"
MINUTE_MS = 60000


def inputs_of(reading: units.Reading) -> alarms.Inputs:
    """The alarm inputs of the second in which a reading was taken."""
    status = reading.status
    return alarms.Inputs(
        reading.temp_cc,
        units.temp_state_of(status),
        None if reading.temp_cc is None else 0,
        reading.spo2_tenths,
        reading.hr_bpm,
        reading.pi_hundredths,
        units.ppg_state_of(status),
        None if units.ppg_state_of(status) else 0,
        units.wear_of(status),
        units.site_of(status),
        1,
        0,
        0,
        0,
    )


def run(readings: list, crc: int = 0, tell=None) -> int:  # type: ignore[no-untyped-def,type-arg]
    """Step both machines over the readings of one stay; CRC-32 over every change, assessment and encoded state.

    `tell(reading, assessment, changes, grader_state)` is called instead of hashing, when given.
    """
    alarm_state = alarms.new_state()
    grader_state = grader.new_state()
    for reading in readings:
        now_ms = reading.t_ms
        alarm_state, changes = alarms.step(alarm_state, inputs_of(reading), now_ms, rules.DEFAULT)
        grader_state, told = grader.step(grader_state, reading, now_ms, rules.DEFAULT)
        if tell is not None:
            tell(reading, told, changes, grader_state)
            continue
        for alarm, priority in changes:
            crc = binascii.crc32(bytes((alarm, priority)), crc)
        crc = binascii.crc32(alarms.encode_state(alarm_state, now_ms), crc)
        crc = binascii.crc32(repr(tuple(told)).encode(), crc)
        crc = binascii.crc32(grader.encode_state(grader_state, now_ms), crc)
    return crc


def hashes(path: str) -> list:  # type: ignore[type-arg]
    """(stay, hash) of every stay in the file."""
    found = []
    head, row = struct.calcsize(HEAD), struct.calcsize(ROW)
    with open(path, "rb") as file:  # noqa: PTH123
        while True:
            data = file.read(head)
            if not data:
                return found
            stay, count = struct.unpack(HEAD, data)
            readings = []
            for _ in range(count):
                minute, temp, spo2, hr, status = struct.unpack(ROW, file.read(row))
                readings.append(
                    units.Reading(
                        minute * MINUTE_MS,
                        temp - 1 if temp else None,
                        spo2 - 1 if spo2 else None,
                        hr - 1 if hr else None,
                        None,
                        status,
                    )
                )
            found.append((stay, run(readings)))


if __name__ == "__main__":
    for one in hashes(sys.argv[1]):
        print("%d %08x" % one)  # noqa: UP031
