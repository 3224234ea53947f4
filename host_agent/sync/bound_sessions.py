"""Which sessions may bring a patient's entries to a wearable: those whose wearable is bound here."""

from host_agent.people.sender import Session
from host_agent.sync.links import Links


def bound_sessions(links: Links) -> list[Session]:
    """Wearables that are in session and bound here."""
    engines = [runner.engine for runner in links.runners.values()]
    return [
        Session(engine.journal.binding, engine.client)
        for engine in engines
        if engine is not None and engine.journal is not None and engine.journal.binding is not None
    ]
