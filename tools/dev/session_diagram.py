"""The session's states as Mermaid diagrams, from the tables that the two sides run on. PROTOCOL.md shows them.

`make docs` writes them into the page.
"""

from collections.abc import Iterator, Mapping

from crs_core.wire import session, session_device, session_host

DEVICE_STATES = {
    session.IDLE: "idle",
    session_device.HANDSHAKE: "handshake",
    session.OPEN: "open",
    session_device.RENEWING: "renewing",
}
DEVICE_EVENTS = {
    session.HELLO_ACCEPTED: "HELLO with a known key; HELLO goes back",
    session.PROOF_RIGHT: "right PROOF; PROOF goes back",
    session.PROOF_WRONG: "wrong PROOF; REFUSE goes back",
    session.HANDSHAKE_DROPPED: "no PROOF in time, or its key revoked",
    session.ENDED: "BYE, or its key revoked",
}
HOST_STATES = {
    session.IDLE: "idle",
    session_host.HELLO_SENT: "hello_sent",
    session_host.PROOF_SENT: "proof_sent",
    session.OPEN: "open",
}
HOST_EVENTS = {
    session.STARTED: "start; HELLO goes out",
    session.HELLO_ACCEPTED: "HELLO of the expected device; PROOF goes out",
    session.PROOF_RIGHT: "right PROOF",
    session.PROOF_WRONG: "wrong PROOF",
    session.HANDSHAKE_DROPPED: "no answer in time",
    session.ENDED: "BYE",
}


def diagram(
    transitions: Mapping[int, Mapping[int, int]], states: Mapping[int, str], events: Mapping[int, str]
) -> Iterator[str]:
    """The lines of one diagram. KeyError for a state or an event without a name."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {states[session.IDLE]}"
    for state, steps in transitions.items():
        for event, following in steps.items():
            yield f"    {states[state]} --> {states[following]}: {events[event]}"
    yield "```"


def section() -> str:
    """The section of PROTOCOL.md: the diagram of the device and that of the host, as Markdown."""
    return "\n".join([
        "The device:", "", *diagram(session_device.TRANSITIONS, DEVICE_STATES, DEVICE_EVENTS), "",
        "The host:", "", *diagram(session_host.TRANSITIONS, HOST_STATES, HOST_EVENTS),
    ])  # fmt: skip
