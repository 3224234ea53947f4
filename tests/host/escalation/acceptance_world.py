"""A wearable in alarm over a real store, whose messages are answered: for tests of acceptance."""

from crs_core import codes
from crs_core.journal import record_types

from host_agent.escalation.acceptance.replies import accept_by_token
from tests.host.escalation.world import BOOT_UTC_MS, NOW_MS, alarm_record

SOON_T_MS = NOW_MS - BOOT_UTC_MS - 60_000  # a minute before it reaches the laptop


def raised(world, **change):
    world.commit(alarm_record({}, **(change or {"HYPOXAEMIA": 3})), t_ms=SOON_T_MS - 1000)
    return world.query("SELECT max(id) FROM episodes")[0][0]


def tokens(world, target="study"):
    return [one["accept"]["token"] for one in world.outbox(target) if "accept" in one]


def reply(world, token, who="Maria", now_ms=NOW_MS, **change):
    """As a reply channel does it: accept, and tell everyone in the same transaction."""

    def take(tx):
        got = accept_by_token(tx, token, who, "ntfy", now_ms, **change)
        if got.made is not None:
            world.escalation.accepted(tx, got.made)
        return got

    return world.store.write_now(take)


def state(world):
    return world.query("SELECT state, accepted_by FROM episodes ORDER BY id DESC LIMIT 1")[0]


def messages(world, stage, target="study"):
    return [one for one in world.outbox(target) if one.get("stage") == stage]


def accepted_record(who="nurse-1", priority=3, alarm=codes.HYPOXAEMIA):
    return record_types.Accepted(alarm, priority, 0x11, who)
