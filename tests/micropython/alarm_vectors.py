"""Live the lives of the alarm vector file, one step a second; prints what differs. Runs on both interpreters."""

import json
import sys

from crs_core import codes
from crs_core import code_texts
from crs_core.grade import alarms
from crs_core.grade.rules import DEFAULT

START = {
    "temp_cc": 3700, "temp_state": 0, "temp_age_ms": 0, "spo2_tenths": 970, "hr_bpm": 80, "pi_hundredths": 150,
    "ppg_state": 0, "ppg_age_ms": 0, "wear": 1, "site": 1, "bound": 1, "faults": 0, "button": 0,
    "told": 0,
}  # fmt: skip


def live(life: list, through_bytes: bool = False) -> list:
    """Changes of one life as [[second, "NAME:PRIORITY"], ...]; `through_bytes` writes and reads the state each step."""
    values = dict(START)
    state = alarms.new_state()
    now_ms = 0
    told = []
    for seconds, changes in life:
        values.update(changes)
        inputs = alarms.Inputs(**values)
        for _ in range(seconds):
            now_ms += 1000
            if through_bytes:
                state = alarms.decode_state(alarms.encode_state(state, now_ms), now_ms)
                inputs = alarms.decode_inputs(alarms.encode_inputs(inputs))
            state, changed = alarms.step(state, inputs, now_ms, DEFAULT)
            for alarm, priority in changed:
                told.append(
                    [now_ms // 1000, code_texts.alarm_name(alarm) + ":" + codes.PRIORITY_NAMES[priority]]
                )
    return told


def in_order(told: list) -> list:
    """The same without the order inside one second."""
    return sorted(told)


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        vectors = json.load(file)
    bad = 0
    for vector in vectors:
        told = live(vector["life"])
        if in_order(told) != in_order(vector["expected"]):
            print("differs", vector["id"], told)
            bad = 1
    print("checked", len(vectors))
    sys.exit(bad)
