"""What `doctor` says of receivers: what they have not taken, what the running agent met there, and what to do."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from host_agent.forward.receiver import Receiver
from host_agent.store.undelivered import Undelivered
from host_agent.terminal.finding import PROBLEM, Finding
from host_agent.text import without_secrets

_KEEPS_TRYING = "The agent keeps trying. Check the address and the network, and read the receiver's log."


def receiver_findings(
    receivers: Iterable[Receiver],
    undelivered: Mapping[str, list[Undelivered]],
    live: Mapping[str, Any] | None,
) -> Iterator[Finding]:
    """One finding for each receiver that has a fault, or events that it has not taken."""
    configured = {receiver.name: receiver for receiver in receivers}
    # what the running agent met: also of an event that no store holds
    last_errors = {name: str(one["last_error"]) for name, one in (live or {}).get("targets", {}).items()}
    for name in dict.fromkeys((*configured, *undelivered, *last_errors)):
        receiver, rows = configured.get(name), undelivered.get(name, [])
        problems = list(receiver.problems()) if receiver is not None else []
        says = [str(problem) for problem in problems]
        advice = [problem.advice for problem in problems]
        if receiver is None and not rows:
            says.append("the running agent has it, and the configuration no more.")
            advice.append("Start the agent again with the present configuration.")
        elif receiver is None:
            says.append("it is not in the configuration any more.")
            advice.append("Put it back under this name, or leave it: its events are then never delivered.")
        refused = [row for row in rows if row.state == "refused"]
        waiting = [row for row in rows if row.state == "pending"]
        if refused:
            says.append(f"events that it refused: {len(refused)}. {_reason(refused, '')}".rstrip(". ") + ".")
            advice.append("Read the receiver's log, repair it, then: cytowatch deliveries retry --all")
        if waiting:
            why = _reason(waiting, "the agent is not running" if live is None else "no attempt has ended yet")
            says.append(f"events not delivered yet: {len(waiting)}. {why.rstrip('.')}.")
            if live is None:
                advice.append("Start the agent: cytowatch run")
            elif receiver is not None:
                advice.append(_KEEPS_TRYING)
        if unsaved := len((live or {}).get("targets", {}).get(name, {}).get("in_memory", ())):
            says.append(f"events not delivered that could not be saved either: {unsaved}.")
        last = without_secrets(last_errors.get(name, ""))
        if last and not any(last in text for text in says):
            says.append(f"the last attempt of the running agent failed: {last.rstrip('.')}.")
            advice.append(_KEEPS_TRYING)
        if live is not None and receiver is not None and name not in last_errors:
            says.append("the running agent does not know it: it started with another configuration")
            advice.append("Start the agent again with the present configuration.")
        if says:
            yield Finding(PROBLEM, f"receiver {name}", " ".join(says), " ".join(dict.fromkeys(advice)))


def _reason(rows: list[Undelivered], otherwise: str) -> str:
    """Why the newest of them was not taken, as far as an attempt says so."""
    said = [row.last_error for row in rows if row.last_error]
    return without_secrets(said[-1]) if said else otherwise
