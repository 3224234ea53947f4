"""The people beside the patient, who answer each prompt "take an oral temperature now" within 15 min."""

from random import Random

from crs_core import codes
from crs_core.grade.rules import DEFAULT

from tools.lab.evaluate.baselines import oral_reading
from tools.lab.evaluate.body import Body
from tools.lab.evaluate.machine import Alarm
from tools.lab.evaluate.parameters import value
from tools.lab.evaluate.truth import FEVER_CC

REPEAT_S = DEFAULT.prompt_possible_ms // 1000


def answers(
    rng: Random, body: Body, alarms: list[Alarm], repeat_s: int | None = None
) -> list[tuple[int, int]]:
    """(second, oral 0.01 °C) of every reading that a POSSIBLE_FEVER prompted.

    There is one for each alarm; with `repeat_s` one more at that interval until one shows a fever or the alarm ends.
    """
    taken = []
    for alarm in alarms:
        if alarm.alarm != codes.POSSIBLE_FEVER:
            continue
        at_s = alarm.start_s + 60 * rng.uniform(*value("answer_min"))
        while True:
            cc = oral_reading(rng, body, at_s)
            if cc is not None:
                taken.append((int(at_s), cc))
            at_s += repeat_s or 0
            if not repeat_s or cc is None or cc >= FEVER_CC or at_s >= alarm.end_s:
                break
    return taken


def met(readings: list[tuple[int, int]]) -> list[int]:
    """Times of the readings that meet the fever criterion."""
    return [at_s for at_s, cc in readings if cc >= FEVER_CC]
