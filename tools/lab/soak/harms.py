"""What goes wrong in a life: one function for each kind, and the table with their weights.

A harm gets the bedside and a source of chance of its own, does harm, and then does what a person or a service
manager would do: start the agent again, make room on the disk. Afterwards both run, but need not have caught up.
To add one: a function, and a row in HARMS.
"""

import signal
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from host_agent.errors import HostAgentError
from tools.lab.soak.harmed_bedside import HarmedBedside
from tools.rig.waiting import now_s, pass_s

HOUR_MS = 3_600_000
_TORN_WAIT_S = 10.0


class Harm(NamedTuple):
    """`weight`: how often, against the sum of all; `says`: what it does, in a few words."""

    weight: int
    do: Callable[[HarmedBedside, Random], None]
    says: str


def agent_kill(bedside: HarmedBedside, chance: Random) -> None:
    """The agent's process ends between two instructions."""
    bedside.laptop.stop(signal.SIGKILL)
    pass_s(chance.choice((0, chance.uniform(0, 3))))
    bedside.start_agent()


def agent_term(bedside: HarmedBedside, chance: Random) -> None:
    """The agent is asked to end, perhaps before it is up."""
    code = bedside.laptop.stop(signal.SIGTERM)
    if code not in {0, -signal.SIGTERM}:  # the signal itself: it came before the agent listened to it
        bedside.findings.append(f"the agent, asked to stop, ended with exit {code}")
    pass_s(chance.uniform(0, 2))
    bedside.start_agent()


def agent_suspend(bedside: HarmedBedside, chance: Random) -> None:
    """The laptop's lid is closed: the agent stands still while the wearable continues."""
    bedside.laptop.suspend()
    pass_s(chance.uniform(0.2, 5.0))
    bedside.laptop.suspend(False)


def agent_clock(bedside: HarmedBedside, chance: Random) -> None:
    """Somebody sets the laptop's clock: seconds to days, forwards or back."""
    size_ms = round(10 ** chance.uniform(2, 8.4))
    by_ms = size_ms * chance.choice((-1, 1))
    if abs(bedside.laptop.offset_ms + by_ms) > 30 * 24 * HOUR_MS:
        by_ms = -by_ms
    bedside.laptop.step_clock(by_ms)


def agent_disk_full(bedside: HarmedBedside, chance: Random) -> None:
    """No file of the agent can grow, some not even be rewritten; in one of three the agent is killed meanwhile."""
    bedside.laptop.limit_files(round(bedside.laptop.wal_size() * chance.random()))
    bedside.live(chance.uniform(0.5, 6.0))
    if chance.random() < 1 / 3:
        bedside.laptop.stop(signal.SIGKILL)
        bedside.start_agent()
    bedside.laptop.limit_files(None)


def agent_restored(bedside: HarmedBedside, chance: Random) -> None:
    """The store is restored from a backup some seconds old; the agent must fetch what came since again."""
    backup = bedside.laptop.home.parent / "backup.db"
    backup.unlink(missing_ok=True)
    bedside.laptop.cytowatch("backup", str(backup))
    bedside.live(chance.uniform(0, 8))
    bedside.laptop.stop(chance.choice((signal.SIGTERM, signal.SIGKILL)))
    try:
        bedside.laptop.cytowatch("restore", str(backup))
        for kept in bedside.laptop.home.glob("*.before-*"):
            kept.unlink()
    finally:
        bedside.start_agent()


def link_loss(bedside: HarmedBedside, chance: Random) -> None:
    """The port closes under the session and opens again, after the time or earlier."""
    call, port = bedside.laptop.call, bedside.port
    seconds, early = chance.uniform(0.2, 4.0), chance.random() < 0.5
    try:
        call("release", port=port, seconds=seconds)
        pass_s(seconds / 2)
        if early:
            call("retake", port=port)
    except (HostAgentError, OSError):
        return  # the agent is not up, or just now has no port: nothing to lose


def wearable_cut(bedside: HarmedBedside, chance: Random) -> None:
    """The battery falls out."""
    bedside.wearable.control("cut", off_ms=chance.randrange(1, 1500))


def wearable_flicker(bedside: HarmedBedside, chance: Random) -> None:
    """A loose contact: some power cuts one after the other, most of them before it is up again."""
    for _ in range(chance.randrange(2, 7)):
        bedside.wearable.control("cut", off_ms=chance.randrange(1, 200))
        pass_s(10 ** chance.uniform(-1.5, 0.4))


def wearable_torn(bedside: HarmedBedside, chance: Random) -> None:
    """Power goes in the middle of one of the next flash operations, which is written in part."""
    cuts = bedside.wearable.state()["flash"]["cuts"]
    bedside.wearable.control(
        "fault", what="cut_at", op=chance.randrange(1, 60), torn_pct=chance.randrange(101)
    )
    deadline = now_s() + _TORN_WAIT_S
    while bedside.wearable.state()["flash"]["cuts"] == cuts and now_s() < deadline:
        bedside.live(0.2)
    bedside.wearable.control("heal")


def wearable_kill(bedside: HarmedBedside, chance: Random) -> None:
    """The whole board is gone, and comes back on the same flash behind another port."""
    bedside.kill_wearable()
    pass_s(chance.uniform(0, 1.5))
    bedside.wearable.start()


def wearable_reset(bedside: HarmedBedside, _: Random) -> None:
    """Somebody presses its reset button."""
    bedside.wearable.control("reset")


def both_at_once(bedside: HarmedBedside, chance: Random) -> None:
    """Mains and battery: the agent is killed and the wearable loses power within some milliseconds."""
    first, second = bedside.laptop.stop, bedside.wearable.control
    if chance.random() < 0.5:
        first(signal.SIGKILL)
        second("cut", off_ms=chance.randrange(1, 500))
    else:
        second("cut", off_ms=chance.randrange(1, 500))
        first(signal.SIGKILL)
    pass_s(chance.uniform(0, 1))
    bedside.start_agent()


HARMS = {
    "agent_kill": Harm(5, agent_kill, "kill -9 of the agent"),
    "agent_term": Harm(3, agent_term, "SIGTERM to the agent"),
    "agent_suspend": Harm(3, agent_suspend, "the agent stands still for 0.2 to 5 s"),
    "agent_clock": Harm(3, agent_clock, "the agent's wall clock steps by 0.1 s to 3 days"),
    "agent_disk_full": Harm(3, agent_disk_full, "the agent's files cannot be written"),
    "agent_restored": Harm(1, agent_restored, "the store is replaced by a backup some seconds old"),
    "link_loss": Harm(3, link_loss, "the port closes for 0.1 to 4 s"),
    "wearable_cut": Harm(4, wearable_cut, "power cut at any moment"),
    "wearable_flicker": Harm(2, wearable_flicker, "two to six power cuts, one after the other"),
    "wearable_torn": Harm(4, wearable_torn, "power cut inside a flash operation, written in part"),
    "wearable_kill": Harm(3, wearable_kill, "kill -9 of the whole wearable, again on the same flash"),
    "wearable_reset": Harm(2, wearable_reset, "hard reset of the wearable"),
    "both_at_once": Harm(2, both_at_once, "kill -9 of the agent and power cut together"),
}
