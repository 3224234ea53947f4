"""The plan, and what tests of calling share: time that passes, and what was told."""

from host_agent.config.model import parse_config
from host_agent.escalation.contact.plan import plan_of
from tools.rig.contact_plan import PLAN_TOML

CONFIG = parse_config(PLAN_TOML)
PLAN = plan_of(CONFIG)
TARGETS = [one.name for one in CONFIG.receivers]


async def passes(bed, seconds, every_s=0.5, takes=TARGETS):
    """Time passes, the checks look twice a second, and these receivers take what waits for them."""
    until_s = bed.clock.true_s + seconds
    while bed.clock.true_s < until_s - 1e-9:
        bed.clock.true_s = min(until_s, bed.clock.true_s + every_s)
        await bed.look()
        bed.deliver(*takes)


def told(bed, since=0):
    """(receiver, stage) of the outbox, oldest first."""
    return [(target, stage) for target, _, stage, _ in bed.rows()][since:]
