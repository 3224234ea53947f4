"""What goes wrong in a short life: one function for each kind, and the table with their weights.

A harm is done while time stands. What must follow, such as the cable that is put back, it leaves to `life.later`. To
add one: a function, and a row in HARMS.
"""

import resource
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from tools.rig.quiet_server import HANG_UP, SILENT

if TYPE_CHECKING:
    from tools.lab.seeds.life import Life

_EDGES = 200  # an agent has about so many in a life
_HOUR_MS = 3_600_000


class Harm(NamedTuple):
    """`weight`: how often, against the sum of all."""

    weight: int
    do: Callable[["Life", Random], None]
    says: str


def _soon_s(chance: Random, longest_s: float) -> float:
    """Often at once, sometimes later."""
    return 0.0 if chance.random() < 0.2 else round(longest_s * chance.random() ** 2, 6)


def agent_killed_at_edge(life: "Life", chance: Random) -> None:
    """The agent starts anew and is killed at one edge of a transaction."""
    life.kill_agent()
    edge = 1 + round(_EDGES * chance.random() ** 2)
    life.later(_soon_s(chance, 0.2), lambda: life.start_agent(edge))


def agent_killed(life: "Life", chance: Random) -> None:
    """The agent is killed at any moment."""
    life.kill_agent()
    life.later(_soon_s(chance, 1.0), life.start_agent)


def agent_ended(life: "Life", chance: Random) -> None:
    """The agent is asked to end."""
    life.end_agent()
    life.later(_soon_s(chance, 1.0), life.start_agent)


def laptop_suspended(life: "Life", chance: Random) -> None:
    """The lid is closed for a while."""
    life.suspend_agent()
    life.later(round(chance.uniform(0.01, 2.0), 6), life.wake_agent)


def clock_stepped(life: "Life", chance: Random) -> None:
    """Somebody sets the laptop's clock: by a tenth of a second to days, forwards or back."""
    life.step_clock(round(10 ** chance.uniform(2, 8.4)) * chance.choice((-1, 1)))


def disk_full(life: "Life", chance: Random) -> None:
    """No file of the agent can grow, some not even be rewritten."""
    life.limit_files(round(life.log_bytes() * chance.random()))
    life.later(round(chance.uniform(0.05, 1.5), 6), lambda: life.limit_files(resource.RLIM_INFINITY))


def cable_pulled(life: "Life", chance: Random) -> None:
    """The cable is pulled and put back."""
    wearable = chance.choice(life.wearables)
    wearable.control("unplug", off_ms=chance.choice((1, 20, 200, 1000)))


def port_released(life: "Life", chance: Random) -> None:
    """Somebody borrows the port for another program, and gives it back after the time or earlier."""
    life.release(chance.choice(life.wearables), round(chance.uniform(0.05, 1.0), 3))


def line_noisy(life: "Life", chance: Random) -> None:
    """A bad contact spoils bytes for a while."""
    wearable = chance.choice(life.wearables)
    wearable.control("fault", what="noise", per_million=chance.choice((500, 5000, 50_000)))
    life.later(
        round(chance.uniform(0.1, 1.0), 6), lambda: wearable.control("fault", what="noise", per_million=0)
    )


def wearable_cut(life: "Life", chance: Random) -> None:
    """The battery falls out."""
    wearable = chance.choice(life.wearables)
    wearable.control("cut", off_ms=chance.randrange(1, 600))


def wearable_torn(life: "Life", chance: Random) -> None:
    """Power goes in the middle of one of the next flash operations, which is written in part."""
    wearable = chance.choice(life.wearables)
    wearable.control("fault", what="cut_at", op=chance.randrange(1, 30), torn_pct=chance.randrange(101))


def wearable_reset(life: "Life", chance: Random) -> None:
    """Somebody presses its reset button."""
    chance.choice(life.wearables).control("reset")


def button_pressed(life: "Life", chance: Random) -> None:
    """The patient presses the button: sound pauses, or "I feel ill", which is a HIGH alarm."""
    chance.choice(life.wearables).control("press", ms=chance.choice((300, 3500)))


def receiver_ill(life: "Life", chance: Random) -> None:
    """The receiver refuses, fails, hangs up or stays silent for a while."""
    life.receiver.answers = chance.choice((400, 404, 429, 500, 503, HANG_UP, SILENT))
    life.later(round(chance.uniform(0.1, 2.0), 6), life.receiver.recover)


HARMS = {
    "agent_killed_at_edge": Harm(5, agent_killed_at_edge, "the agent is killed at one edge of a transaction"),
    "agent_killed": Harm(3, agent_killed, "the agent is killed"),
    "agent_ended": Harm(2, agent_ended, "the agent is asked to end"),
    "laptop_suspended": Harm(2, laptop_suspended, "the laptop sleeps"),
    "clock_stepped": Harm(2, clock_stepped, "the laptop's wall clock steps by 0.1 s to 3 days"),
    "disk_full": Harm(2, disk_full, "the agent's files cannot be written"),
    "cable_pulled": Harm(4, cable_pulled, "the cable is pulled and put back"),
    "port_released": Harm(2, port_released, "the port is lent to another program"),
    "line_noisy": Harm(2, line_noisy, "bytes on the line are lost or spoiled"),
    "wearable_cut": Harm(2, wearable_cut, "power cut at any moment"),
    "wearable_torn": Harm(4, wearable_torn, "power cut inside a flash operation"),
    "wearable_reset": Harm(1, wearable_reset, "hard reset"),
    "button_pressed": Harm(4, button_pressed, "the button, short or long"),
    "receiver_ill": Harm(4, receiver_ill, "the receiver refuses, fails, hangs up or is silent"),
}  # fmt: skip
