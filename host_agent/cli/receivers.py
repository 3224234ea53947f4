"""`receivers`: who is told of events and by which way, and a marked test to one or all of them."""

import asyncio
import secrets
from typing import Annotated, Any, Literal

import typer

from host_agent.clock import RealClock
from host_agent.config.model import Config
from host_agent.errors import ConfigError, HostAgentError
from host_agent.escalation.receiver_test import delivery_of_test
from host_agent.escalation.words.reader import NURSE, Reader, readers_of
from host_agent.forward.trial import Trial, Tried, try_receivers
from host_agent.name_lookup import use_own_threads
from host_agent.paths import default_paths
from host_agent.terminal import exits
from host_agent.terminal.config_option import ConfigOption, find_config
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import nothing, show
from host_agent.text import table

_LAST = "Handed over is not yet reached, read or accepted by a person: ask whoever should have got it."
_ADD = "Add one to config.toml: host_agent/RECEIVERS.md has examples, and `cytowatch config --example` every key."

receivers = typer.Typer(help="Show the receivers of events, or send them a test.", no_args_is_help=True)


@receivers.command(name="list")
def list_(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show each receiver and the watcher of [heartbeat]: kind, where it sends, what a delivery to it proves."""
    found = _tried(find_config(default_paths(), config))
    if not found:
        nothing(
            f"No receiver is configured: nobody is told of an alarm.\n{_ADD}",
            {"receivers": []},
            as_json=as_json,
        )
    fields = [_fields(receiver) for receiver in found]
    lines = table(
        ("NAME", "KIND", "SENDS TO", "SIMULATIONS", "A DELIVERY PROVES"),
        [(one["name"], one["kind"], one["address"], "yes" if one["accept_simulated"] else "no", one["proves"])
         for one in fields],
    )  # fmt: skip
    lines += [f"{one['name']}: {problem}" for one in fields for problem in one["problems"]]
    show({"receivers": fields}, [*lines, "Try them: cytowatch receivers test --all"], as_json=as_json)


@receivers.command()
def test(
    name: Annotated[str | None, typer.Argument(help="Name of one receiver.")] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="Every receiver, and the watcher of [heartbeat].")
    ] = False,
    priority: Annotated[
        Literal["low", "medium", "high"],
        typer.Option(help="How urgent the test is: high rings where the receiver lets an alarm ring."),
    ] = "low",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send one marked test, and report each step on the way with its time. Works without the agent.

    Exit code 1 when one receiver did not take it.
    """
    if (name is None) != everyone:
        raise ConfigError(
            "Say which receiver to test.", "Give its name, or --all. Names: cytowatch receivers list"
        )
    settings = find_config(default_paths(), config)
    found = _tried(settings)
    chosen = [receiver for receiver in found if everyone or receiver.name == name]
    if not chosen and found:
        known = ", ".join(receiver.name for receiver in found)
        raise ConfigError(f"There is no receiver {name}.", f"Receivers: {known}")
    if not chosen:
        raise HostAgentError("No receiver is configured: nobody is told of an alarm.", _ADD)
    trials = asyncio.run(_try_all(chosen, priority.upper(), readers_of(settings)))
    failed = sum(not trial.handed_over for trial in trials)
    lines = [line for trial in trials for line in _lines(trial)]
    lines += [
        f"{len(trials) - failed} of {len(trials)} handed over.",
        *([_LAST] if failed < len(trials) else []),
    ]
    show({"receivers": [_trial_fields(trial) for trial in trials], "failed": failed}, lines, as_json=as_json)
    raise typer.Exit(exits.FAILED if failed else exits.DONE)


def _tried(settings: Config) -> list[Tried]:
    """Every receiver, and the watcher outside where there is one."""
    return [*settings.receivers, *([settings.heartbeat] if settings.heartbeat.is_on else [])]


async def _try_all(chosen: list[Tried], priority: str, readers: dict[str, Reader]) -> list[Trial]:
    use_own_threads(asyncio.get_running_loop())
    clock = RealClock()
    now_ms = clock.utc_ms()
    wanted = [
        (
            one,
            delivery_of_test(
                one.name, secrets.token_hex(4), priority, now_ms, reader=readers.get(one.name, NURSE)
            ),
        )
        for one in chosen
    ]
    return await try_receivers(wanted, clock.utc_ms)


def _fields(receiver: Tried) -> dict[str, Any]:
    return {
        "name": receiver.name, "kind": _kind(receiver), "address": receiver.shown_address(),
        "accept_simulated": getattr(receiver, "accept_simulated", False), "proves": receiver.proves(),
        "problems": [str(problem) for problem in receiver.problems()],
    }  # fmt: skip


def _kind(receiver: Tried) -> str:
    form = getattr(receiver, "form", "")
    return f"{receiver.kind} {form}".strip()


def _trial_fields(trial: Trial) -> dict[str, Any]:
    return {
        "name": trial.receiver.name, "kind": _kind(trial.receiver), "address": trial.receiver.shown_address(),
        "handed_over": trial.handed_over, "seconds": round(trial.seconds, 3), "text": trial.text,
        "advice": trial.advice, "proves": trial.receiver.proves() if trial.handed_over else None,
        "steps": [{**step._asdict(), "seconds": round(step.seconds, 3)} for step in trial.steps],
    }  # fmt: skip


def _lines(trial: Trial) -> list[str]:
    lines = [f"{trial.receiver.name} ({_kind(trial.receiver)}): {trial.text}, after {trial.seconds:.3f} s"]
    lines += [
        f"  {step.name:9}{step.seconds:7.3f} s  {'' if step.is_done else 'FAILED: '}{step.text}"
        for step in trial.steps
    ]
    if trial.handed_over:
        lines.append(f"  It proves: {trial.receiver.proves()}.")
    if trial.advice:
        lines.append(f"  {trial.advice}")
    return lines
