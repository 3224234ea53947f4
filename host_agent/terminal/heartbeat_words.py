"""What `status` and `doctor` say of the watcher outside, which rings when this laptop dies."""

from collections.abc import Iterator, Mapping
from typing import Any

from host_agent.forward.heartbeat import HeartbeatSection
from host_agent.terminal.finding import INFO, PROBLEM, Finding
from host_agent.text import span_text, without_secrets

_NONE = "there is none: if this laptop dies, nobody outside is called"


def heartbeat_text(state: Mapping[str, Any]) -> str:
    """One sentence on how it stands with a running agent."""
    age_s = state["heard_age_s"]
    heard = (
        "it has not heard this laptop yet"
        if age_s is None
        else f"it heard this laptop {span_text(age_s)} ago"
    )
    if state["why_not"]:
        return f"{heard}, and gets no sign of life now: {without_secrets(state['why_not']).rstrip('.')}."
    if state["error"]:
        return (
            f"{heard}. Not reached {state['failures']} times: {without_secrets(state['error']).rstrip('.')}."
        )
    return f"{heard}."


def heartbeat_findings(keys: HeartbeatSection, live: Mapping[str, Any] | None) -> Iterator[Finding]:
    """What is wrong with it, or that it is there, or that there is none."""
    if not keys.is_on:
        advice = "Set heartbeat.url to the address of a watcher: cytowatch config --example"
        yield Finding(INFO, "heartbeat", _NONE, advice)
        return
    problems = list(keys.problems())
    for problem in problems:
        yield Finding(PROBLEM, "heartbeat", str(problem), problem.advice)
    state = (live or {}).get("heartbeat")
    if live is None or problems:
        return
    if state is None:
        text = "the running agent sends none: it started with another configuration, or it is a simulation"
        yield Finding(PROBLEM, "heartbeat", text, "Start the agent again with the present configuration.")
        return
    level = PROBLEM if state["why_not"] or state["error"] else INFO
    advice = "Try it: cytowatch receivers test heartbeat" if state["error"] else ""
    yield Finding(level, "heartbeat", heartbeat_text(state), advice)
