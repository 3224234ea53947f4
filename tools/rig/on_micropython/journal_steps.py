"""The steps of a journal's life, each a function of the life (journal_life.Life); runs on MicroPython.

Add a step to `PHASES` to have the power cut in it.
"""

from crs_core import settings
from crs_core.journal import record_layout, record_writer
from tools.rig.on_micropython.journal_ledger import require

BASE = {"site": "axilla", "patient_call_number": "555 0100", "emergency_number": "112"}


def fault(life, n, code=7):
    life.event(record_layout.FAULT, record_writer.write(record_layout.FAULT, 2, code, n, "x" * 20))


def create(life):
    life.settings.store(dict(BASE))
    life.j.create()


def first(life):
    life.boot_event(b"alarm0")
    life.reading(3)
    life.event(record_layout.BUTTON, record_writer.write(record_layout.BUTTON, 1))


def fill(life):
    life.reading(14)  # the 120 s rule closes one block inside
    life.j.tick(life.t_ms + 120000)


def rotate(life):
    life.reading(84)


def ack(life):
    life.j.ack(life.j.head_seq)
    life.j.tick(life.t_ms + 70000)


def change_settings(life):
    values = dict(BASE)
    values["reading_interval_s"] = 20
    life.settings.store(values)
    text = settings.encode(values)
    life.event(
        record_layout.SETTINGS,
        record_writer.write(
            record_layout.SETTINGS, life.settings.version, b"rulehash", 1, str(text, "utf-8")
        ),
    )


def faults(life):
    for n in range(6):
        fault(life, n)


def crowd(life):
    fault(life, 1)
    fault(life, 2)


def state(life):
    life.event(
        record_layout.GRADER_STATE,
        record_writer.write(record_layout.GRADER_STATE, 1, b"rulehash", b"alarm1", b"grade1"),
    )


def batch(life):
    life.t_ms += 10
    made = [
        (life.t_ms + i, record_layout.ACCEPTED, record_writer.write(record_layout.ACCEPTED, i, 2, 5, "n"))
        for i in range(3)
    ]
    first = life.j.append_events(made)
    for i in range(3):
        life.tell(first + i, (life.j.boot,) + made[i])


def handover(life):
    life.j.handover(b"binding!")
    require(life.j.binding_id == b"binding!", "handover without its binding")


def wipe(life):
    for _ in range(6):
        life.j.tick(life.t_ms)


# Phases begin with a power-on from the image the phase before left, so a cut replays one phase only.
PHASES = (
    ("create", (create, first)),
    ("fill", (first, fill, batch)),
    ("rotate", (rotate, ack)),
    ("settings", (change_settings, state)),
    ("drop", (first, rotate)),
    ("acked", (faults, ack, faults)),
    ("merge", (crowd, crowd, crowd)),
    ("handover", (first, handover, wipe)),
    ("after", (first, fill)),
)
# How much life lies between two phases without being swept, to reach the states where rotation drops and merges.
BETWEEN = {"drop": (rotate,) * 4, "acked": (faults,) * 4, "merge": (faults,) * 5 + (state,)}
