"""What `doctor` says of contacts: whom nothing reaches, whose way was never tried, and hours without anybody."""

from collections.abc import Collection, Iterator, Sequence

from crs_core.codes import PRIORITY_LOW

from host_agent.config.model import Config
from host_agent.escalation.contact.plan import Person, plan_of
from host_agent.terminal.finding import PROBLEM, WARNING, Finding

_DAY_MIN = 1440


def contact_findings(config: Config, broken: Collection[str], took: Collection[str]) -> Iterator[Finding]:
    """`broken` are names of receivers that have a fault, `took` of those that took a message at some time."""
    plan = plan_of(config)
    if plan is None:
        return
    for one in plan.people:
        names = ", ".join(one.channels)
        if all(channel in broken for channel in one.channels):
            yield Finding(
                PROBLEM, f"contact {one.name}", f"nothing reaches this person: every receiver has a fault ({names})",
                "Repair one of them, as said above. Then: cytowatch test-alarm",
            )  # fmt: skip
        elif not any(channel in took for channel in one.channels):
            yield Finding(
                WARNING, f"contact {one.name}", f"no message was ever handed over to this person ({names})",
                "Try it, and ask whether it arrived: cytowatch test-alarm",
            )  # fmt: skip
    told = [who for name in plan.reached_by(PRIORITY_LOW) if (who := plan.person(name))]
    if (quiet := _all_quiet(told)) is not None:
        begin, end = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in quiet)
        yield Finding(
            WARNING, "contacts", f"from {begin} until {end} all of them have quiet hours: a LOW alarm waits until then",
            "Leave one contact without quiet hours, or with others. MEDIUM and HIGH alarms never wait.",
        )  # fmt: skip


def _all_quiet(people: Sequence[Person]) -> tuple[int, int] | None:
    """The first span of the day, in minutes, in which all of them have quiet hours; it may go over midnight."""
    if not people or any(one.quiet is None for one in people):
        return None
    quiet = [all(_is_quiet(one, minute) for one in people) for minute in range(_DAY_MIN)]
    if all(quiet) or not any(quiet):
        return (0, 0) if all(quiet) else None
    begin = next(at for at in range(_DAY_MIN) if quiet[at] and not quiet[at - 1])
    end = next(at for at in range(begin, begin + _DAY_MIN) if not quiet[at % _DAY_MIN])
    return begin, end % _DAY_MIN


def _is_quiet(one: Person, minute: int) -> bool:
    if one.quiet is None:
        return False
    begin, end = one.quiet
    return begin <= minute < end if begin < end else minute >= begin or minute < end
