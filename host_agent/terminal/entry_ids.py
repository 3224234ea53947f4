"""Signed entries named on the command line by the start of their id."""

from host_agent.errors import HostAgentError

_MIN_ID_CHARS = 6


def find_entry(start: str, ids: list[str]) -> str:
    """The one id that starts so; HostAgentError when it is none or several."""
    found = [one for one in ids if one.startswith(start.lower())] if len(start) >= _MIN_ID_CHARS else []
    if len(found) != 1:
        raise HostAgentError(
            f"{len(found)} entries about this patient start with {start!r}.",
            f"Give at least {_MIN_ID_CHARS} characters of its id: see `cytowatch context history`.",
        )
    return found[0]
