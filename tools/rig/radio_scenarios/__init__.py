"""What must be so by radio, written once: each scenario runs on the simulated air and on real BlueZ.

A scenario is `async def what_must_be_so(bedside: RadioBedside) -> str`: it returns what it saw, in a few words, and
raises what is wrong. It makes what it needs (a bond, an agent in session) unless an earlier scenario left it.
"""

from collections.abc import Awaitable, Callable, Sequence

from tools.rig.radio_bedside import RadioBedside
from tools.rig.radio_scenarios import agent, link, pairing

Scenario = Callable[[RadioBedside], Awaitable[str]]

LINK: Sequence[Scenario] = (link.found_by_its_tag, link.session_and_status)
PAIRING: Sequence[Scenario] = (  # where the board's radio can pair
    pairing.stranger_gets_nothing,
    pairing.wrong_passkey_refused,
    pairing.paired_reads_what_is_measured,
    pairing.bond_outlives_a_power_cut,
    pairing.forgotten_on_the_laptop_pairs_again,
)
AGENT: Sequence[Scenario] = (
    agent.agent_syncs_the_backlog,
    agent.agent_returns_after_a_power_cut,
    agent.agent_says_that_the_adapter_is_off,
)


def name_of(scenario: Callable[..., object]) -> str:
    """Its function's name as words."""
    return str(scenario.__name__).replace("_", " ")
