"""What the host grades of P-1 now, over the store of the world."""

from crs_core.grade.rules import DEFAULT

from host_agent.people.regrade import regrade, replayed
from host_agent.people.wearable_says import fresh
from host_agent.sync.timebase import stored_time


def graded(world):
    return world.store.read_now(lambda tx: regrade(tx, 1, world.now_ms, stored_time))


def bounds(world, scale="ASTCT"):
    grade = graded(world).grades[scale]
    return grade["lower"], grade["upper"]


def held(world, scale="ASTCT"):
    found = graded(world).grades[scale]["held"]
    return found and found["lower"]


def replay(world):
    return world.store.read_now(lambda tx: replayed(tx, 1, DEFAULT, world.now_ms, stored_time))


def counting(world):
    """The keys of the entries that count now."""
    return {entry[0] for entry in replay(world).entered}


def sensors(world):
    return world.store.read_now(lambda tx: fresh(tx, 1, DEFAULT, world.now_ms, stored_time))
