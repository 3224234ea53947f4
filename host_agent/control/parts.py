"""The parts of a running agent that its control commands work with."""

from collections.abc import Callable
from typing import NamedTuple

from host_agent.clock import Clock
from host_agent.escalation.acceptance.to_wearable import AcceptanceSender
from host_agent.escalation.checks.heartbeat import HeartbeatCheck
from host_agent.escalation.checks.laptop import LaptopWatch
from host_agent.escalation.derive import Escalation
from host_agent.forward.workers import Workers
from host_agent.keys.enrolled import EnrolledKeys
from host_agent.people.sender import ContextSender
from host_agent.store.db import Store
from host_agent.sync.links import Links
from host_agent.sync.live import LiveViews
from host_agent.sync.verify import Verifier


class Parts(NamedTuple):
    """`clock` is the agent's (it may be scaled); `stop` ends the agent; `heartbeat` None: none is sent."""

    store: Store
    clock: Clock
    keys: EnrolledKeys
    links: Links
    live: LiveViews
    workers: Workers
    verifier: Verifier
    context_sender: ContextSender
    acceptance_sender: AcceptanceSender
    escalation: Escalation
    stop: Callable[[], None]
    heartbeat: HeartbeatCheck | None
    laptop: LaptopWatch
