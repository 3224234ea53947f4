"""A seeded random life of grader and alarms, folded into one hash: the same number on every runtime, or one is wrong.

usage: grade_run.py STEPS SEED; prints "hash HEX" and, on MicroPython, "growth BYTES" of the heap over the run.
"""

import binascii
import gc
import sys

from crs_core import context, units
from crs_core.grade import alarms, bedside, entry_numbers, grader, rules
from crs_core.grade.grader_state import TOLD

_MASK = 0x7FFFFFFF


class Dice:
    """A 31-bit linear congruential generator: the same throws on both runtimes."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def throw(self, sides: int) -> int:
        """0 .. sides - 1."""
        self._state = (self._state * 1103515245 + 12345) & _MASK
        return (self._state >> 8) % sides


def wander(dice: Dice, value: int, step: int, low: int, high: int) -> int:
    """The next value of a bounded random walk."""
    return min(max(value + dice.throw(2 * step + 1) - step, low), high)


class Life:
    """Random wearer: walks of the four values, episodes of every sensor state, presses, faults, stalls, boots."""

    def __init__(self, seed: int) -> None:
        self.dice = Dice(seed)
        self.now_ms = self.dice.throw(100000)
        self.temp_cc = self.aim_cc = 3700
        self.spo2_tenths = 950
        self.hr_bpm = 90
        self.temp_state = self.ppg_state = 0
        self.wear = self.site = self.bound = 1
        self.faults = 0

    def next(self) -> alarms.Inputs:
        """Inputs of the next step; `now_ms` has moved."""
        dice = self.dice
        self.now_ms += 1000 if dice.throw(40) else dice.throw(30000)
        if not dice.throw(1200):
            self.aim_cc = (3640, 3700, 3765, 3785, 3840, 3930)[dice.throw(6)]
        self.temp_cc = wander(dice, self.temp_cc, 3, self.aim_cc - 8, self.aim_cc + 8)
        self.spo2_tenths = wander(dice, self.spo2_tenths, 9, 800, 1000)
        self.hr_bpm = wander(dice, self.hr_bpm, 3, 60, 160)
        if not dice.throw(60):
            self.temp_state = dice.throw(8) if dice.throw(3) == 0 else 0
        if not dice.throw(60):
            self.ppg_state = dice.throw(12) if dice.throw(3) == 0 else 0
        if not dice.throw(300):
            self.wear = dice.throw(3)
        if not dice.throw(900):
            self.site = dice.throw(7)
        if not dice.throw(2000):
            self.bound = dice.throw(4) and 1
        if not dice.throw(400):
            self.faults = dice.throw(256) if dice.throw(2) else 0
        temp_ok = self.temp_state != 1
        ppg_ok = self.ppg_state in (0, 4)
        return alarms.Inputs(
            temp_cc=self.temp_cc if temp_ok else None,
            temp_state=self.temp_state,
            temp_age_ms=dice.throw(2000) if temp_ok and dice.throw(50) else None if dice.throw(2) else 70000,
            spo2_tenths=self.spo2_tenths if ppg_ok else None,
            hr_bpm=self.hr_bpm if ppg_ok else None,
            pi_hundredths=dice.throw(300) if ppg_ok and dice.throw(9) else None,
            ppg_state=self.ppg_state,
            ppg_age_ms=dice.throw(3000) if ppg_ok else 20000,
            wear=self.wear,
            site=self.site,
            bound=self.bound,
            faults=self.faults,
            button=dice.throw(4) if not dice.throw(500) else 0,
            told=dice.throw(256) if not dice.throw(300) else 0,
        )

    def entry(self) -> dict:
        """What somebody enters: one to four numbers of the link, some of them withdrawn."""
        dice = self.dice
        numbers = sorted(context.KEYS)  # a dict has no order on MicroPython
        given = {}
        for _ in range(1 + dice.throw(4)):
            number = numbers[dice.throw(len(numbers))]
            if number in (context.TEMPERATURE_CC, context.SITE):
                given[context.TEMPERATURE_CC] = (3690, 3799, 3800, 3910)[dice.throw(4)]
                given[context.SITE] = 1 + dice.throw(6)
            elif number != context.DEATH:
                _, low, high = context.KEYS[number]
                given[number] = low + dice.throw(high - low + 1) if dice.throw(5) else None
        return given

    def reading(self, inputs: alarms.Inputs) -> units.Reading:
        """The reading that the wearable would journal now; rarely one that a guard must refuse."""
        t_ms = self.now_ms + (self.dice.throw(9000) - 4500 if not self.dice.throw(80) else 0)
        status = units.make_status(inputs.site, inputs.temp_state, inputs.ppg_state, inputs.wear)
        return units.Reading(
            t_ms, inputs.temp_cc, inputs.spo2_tenths, inputs.hr_bpm, inputs.pi_hundredths, status
        )


def run(steps: int, seed: int) -> int:
    """CRC-32 over every change, assessment and encoded state of the life."""
    life = Life(seed)
    alarm_state = alarms.new_state()
    grader_state = grader.new_state()
    crc = 0
    for index in range(steps):
        inputs = life.next()
        now_ms = life.now_ms
        if inputs.bound and not life.dice.throw(400):
            age_ms = life.dice.throw(5) * 700_000
            numbers = entry_numbers.values_of(life.entry())
            grader_state = bedside.enter(grader_state, numbers, now_ms - age_ms, rules.DEFAULT)
        if not life.dice.throw(3000):
            grader_state = bedside.doubt(grader_state, now_ms)
        if seed % 2 and grader_state[TOLD]:
            bits = bedside.signs(grader_state, rules.DEFAULT)
            inputs = alarms.Inputs(*(tuple(inputs)[:-1] + (bits,)))
        alarm_state, changes = alarms.step(alarm_state, inputs, now_ms, rules.DEFAULT)
        for alarm, priority in changes:
            crc = binascii.crc32(bytes((alarm, priority)), crc)
        crc = binascii.crc32(alarms.encode_state(alarm_state, now_ms), crc)
        if index % 10 == 0 and inputs.bound:
            grader_state, assessment = grader.step(grader_state, life.reading(inputs), now_ms, rules.DEFAULT)
            crc = binascii.crc32(repr(tuple(assessment)).encode(), crc)
            crc = binascii.crc32(grader.encode_state(grader_state, now_ms), crc)
        if index % 5000 == 4999:  # a boot: the clock starts again, ages are what is left
            saved = alarms.encode_state(alarm_state, now_ms), grader.encode_state(grader_state, now_ms)
            life.now_ms = 3000
            alarm_state = alarms.decode_state(saved[0], 3000)
            grader_state = grader.after_boot(grader.decode_state(saved[1], 3000), rules.DEFAULT)
    return crc


def forget() -> None:
    """Let go what is remembered about sets of values: finite, and a wearable unloads it."""
    bedside._memo.clear()
    if "crs_core.grade.scale" in sys.modules:
        sys.modules["crs_core.grade.scale"]._known.clear()
    gc.collect()


if __name__ == "__main__":
    run(20_000, 1)  # what is allocated once is allocated now
    forget()
    before = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
    print("hash %08x" % run(int(sys.argv[1]), int(sys.argv[2])))
    forget()
    if hasattr(gc, "mem_alloc"):
        print("growth", gc.mem_alloc() - before)
