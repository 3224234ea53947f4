"""The state of one wearable, derived once from facts: what every screen says comes from here and from nowhere else.

Pure. Facts that contradict each other are settled by one rule: what the wearable says now comes before what was
announced, and both before what is stored. What is not known is said to be not known.
"""

from typing import NamedTuple

from crs_core.codes import LOW_BATTERY

from host_agent.sync.battery import battery_text
from host_agent.text import local_time_near, span_text

READING_INTERVAL_S = 10.0  # of a wearable whose settings are not known here; LIVE comes as often
_DATING_MS = 2000  # a record is dated no more exactly than this
BATTERY_IS_NOW_S = 1200.0  # asked for every 10 min
_LOW_PERCENT = 20  # above this a percentage beside the wearable's own LOW_BATTERY would contradict it

# The words of `State.word`, for programs.
NEVER_HEARD, NOT_WATCHED, NO_LINK, LENT = "never_heard", "not_watched", "no_link", "lent"
PROGRAM_STOPPED, MAINTENANCE, NO_VALUES_YET = "program_stopped", "maintenance", "no_values_yet"
MEASURING, PAUSED, NOT_MEASURING = "measuring", "paused", "not_measuring"
_ENDED = "the wearable does not raise it now; the record of its end is still to come"
_UNSEEN = (NEVER_HEARD, NOT_WATCHED, NO_LINK, LENT, PROGRAM_STOPPED)


class AlarmFact(NamedTuple):
    """One alarm that stands. `accepted_until_utc_ms` None: nobody has accepted it, or that has lapsed.

    `since_utc_ms` is when the record says that it was raised. `is_untold`: the wearable does not know who accepted it.
    """

    alarm: int
    is_of_wearable: bool
    accepted_by: str = ""
    accepted_until_utc_ms: int | None = None
    since_utc_ms: int | None = None
    is_untold: bool = False
    accepted_over: str = ""


class Battery(NamedTuple):
    """As the agent heard it, `values` of sync/battery.py."""

    values: dict[str, object]
    age_s: float


class Facts(NamedTuple):
    """What is known of one wearable; ages in seconds, times UTC ms, None: not known or not so.

    `link` "" while no agent runs, else a word of LinkState or "never opened". `live_alarms` are those that the wearable
    named last, at `live_alarms_utc_ms`. LIVE comes once in each `interval_s`. Before `is_caught_up` the wearable may
    have newer values than that of `last_value_utc_ms`. `pause_until_utc_ms` is of a planned pause whose end is not
    stored; `says_paused`, `has_temperature`, `has_oxygen` and `is_battery_low` are of the newest LIVE.
    """

    now_utc_ms: int
    link: str = ""
    lent_until_utc_ms: int | None = None
    was_heard: bool = False
    binding: str = ""
    is_quarantined: bool = False
    is_bound_elsewhere: bool = False
    is_in_maintenance: bool = False
    live_age_s: float | None = None
    interval_s: float = READING_INTERVAL_S
    has_temperature: bool = False
    has_oxygen: bool = False
    says_paused: bool = False
    is_battery_low: bool = False
    live_alarms: frozenset[int] = frozenset()
    live_alarms_utc_ms: int | None = None
    pause_why: str = ""
    pause_until_utc_ms: int | None = None
    last_value_utc_ms: int | None = None
    last_contact_utc_ms: int | None = None
    is_caught_up: bool = False
    sound_paused_until_utc_ms: int | None = None
    battery: Battery | None = None
    alarms: tuple[AlarmFact, ...] = ()


class State(NamedTuple):
    """`word` as above, `text` the sentence for people, `shows_live` whether LIVE values are those of now.

    `patient_text` says for whom it measures when that is not simply the patient; `battery` "" when there is nothing to
    say; `alarms` one sentence for each of `Facts.alarms` about its sound.
    """

    word: str
    text: str
    shows_live: bool
    patient_text: str
    battery: str
    alarms: tuple[str, ...]


def device_state(facts: Facts) -> State:
    """The one state of these facts."""
    word = _word(facts)
    return State(
        word, _TEXTS[word](facts), _is_live(facts, word), _patient_text(facts), _battery(facts, word),
        tuple(_sound(facts, word, alarm) for alarm in facts.alarms),
    )  # fmt: skip


def _word(facts: Facts) -> str:
    """The first of these that holds."""
    is_fresh = facts.link == "open" and facts.live_age_s is not None and facts.live_age_s <= _now_s(facts)
    is_pause_left = facts.pause_until_utc_ms is not None and facts.pause_until_utc_ms > facts.now_utc_ms
    rules = (
        (PROGRAM_STOPPED, facts.link == "at_repl"),
        (LENT, facts.link == "released"),
        (MAINTENANCE, facts.link == "open" and facts.is_in_maintenance),
        (MEASURING, is_fresh and (facts.has_temperature or facts.has_oxygen)),
        (PAUSED, is_fresh and facts.says_paused and not _is_pause_over(facts)),
        (NOT_MEASURING, is_fresh),
        (NO_VALUES_YET, facts.link == "open"),
        (NEVER_HEARD, not facts.was_heard),
        (PAUSED, is_pause_left and facts.link != ""),
        (NOT_WATCHED, facts.link == ""),
    )
    return next((word for word, holds in rules if holds), NO_LINK)


def _now_s(facts: Facts) -> float:
    """How long LIVE values count as those of now: one may be lost on the way, and the next may be late."""
    return 2 * facts.interval_s + 5


def _is_live(facts: Facts, word: str) -> bool:
    return word == MEASURING or (word in (PAUSED, NOT_MEASURING) and facts.link == "open")


def _clock(utc_ms: int, facts: Facts) -> str:
    return local_time_near(utc_ms, facts.now_utc_ms)


def _is_pause_over(facts: Facts) -> bool:
    return facts.pause_until_utc_ms is not None and facts.pause_until_utc_ms <= facts.now_utc_ms


def _pause(facts: Facts) -> str:
    """The announcement, "" without one."""
    if facts.pause_until_utc_ms is None:
        return ""
    left_ms = facts.pause_until_utc_ms - facts.now_utc_ms
    by = _clock(facts.pause_until_utc_ms, facts)
    if _is_pause_over(facts):
        return f"the planned pause for {facts.pause_why} was over at {by}"
    return f"planned pause for {facts.pause_why}, {-(-left_ms // 60_000)} min left, back by {by}"


def _measuring(facts: Facts) -> str:
    announced = "" if _is_pause_over(facts) else _pause(facts)
    what = "measuring now"
    if not facts.has_oxygen:
        what = "measuring the temperature alone now, oxygen not measured"
    elif not facts.has_temperature:
        what = "measuring oxygen and pulse alone now, temperature not measured"
    return f"{what}, although this was announced: {announced}" if announced else what


def _paused(facts: Facts) -> str:
    no_link = "" if facts.link == "open" else " There is no link to it now."
    return f"not measuring, as planned: {_pause(facts) or 'a pause of the wearable'}.{no_link}"


def _since(last_ms: int | None, facts: Facts) -> str:
    return "" if last_ms is None or last_ms > facts.now_utc_ms else f" since {_clock(last_ms, facts)}"


def _not_measuring(facts: Facts) -> str:
    since = _since(facts.last_value_utc_ms, facts) if facts.is_caught_up else ""
    if _is_pause_over(facts):
        return f"not measuring{since}: {_pause(facts)}. Put it on again."
    announced = f" ({_pause(facts)})" if _pause(facts) else ""
    return f"not measuring{since}{announced}. Check the strap; take the temperature by hand."


def _unknown(why: str, facts: Facts) -> str:
    announced = f" Announced: {_pause(facts)}." if _pause(facts) else ""
    return f"{why}. What it measures now is not known here.{announced}"


def _lent(facts: Facts) -> str:
    until = f" until {_clock(facts.lent_until_utc_ms, facts)}" if facts.lent_until_utc_ms else ""
    return _unknown(f"not watched: its port is lent to another program{until}", facts)


_TEXTS = {
    NEVER_HEARD: lambda facts: "never heard of on this laptop",
    NOT_WATCHED: lambda facts: _unknown("no agent answers on this laptop", facts),
    NO_LINK: lambda facts: _unknown(f"no link{_since(facts.last_contact_utc_ms, facts)}", facts),
    LENT: _lent,
    PROGRAM_STOPPED: lambda facts: "not monitoring: its program is stopped. Restart the wearable.",
    MAINTENANCE: lambda facts: "not monitoring: in maintenance",
    NO_VALUES_YET: lambda facts: (
        "linked, its first values are still to come"
        if facts.live_age_s is None
        else f"linked, but no new value has come for {span_text(facts.live_age_s)}"
    ),
    MEASURING: _measuring,
    PAUSED: _paused,
    NOT_MEASURING: _not_measuring,
}  # fmt: skip


def _patient_text(facts: Facts) -> str:
    """ "" when a patient is bound and the records are theirs."""
    if facts.is_quarantined and facts.binding:
        return "the wearable's records belong to nobody known here: they are kept and not graded"
    if facts.is_bound_elsewhere:
        return (
            "another laptop bound it to a patient and gets its alarms: nothing is graded or forwarded here."
            " If that laptop is gone: cytowatch patient start says what to do"
        )
    return {
        "": "nobody is bound: nothing is graded. Bind: cytowatch patient start",
        "starting": "the binding is starting: the wearable has not taken it yet",
        "ending": "the binding is ending: nothing new is graded",
    }.get(facts.binding, "")


def _battery(facts: Facts, word: str) -> str:
    """One statement. The wearable's own LOW_BATTERY comes before a percentage estimated here."""
    heard = facts.battery
    is_live = _is_live(facts, word)
    stands = any(alarm.alarm == LOW_BATTERY for alarm in facts.alarms)
    is_low = (facts.is_battery_low or LOW_BATTERY in facts.live_alarms) if is_live else stands
    if is_low:
        percent = heard.values["percent"] if heard is not None else None
        about = f", about {percent} %" if isinstance(percent, int) and percent <= _LOW_PERCENT else ""
        if heard is not None and heard.values["charging"]:
            return f"low{about}, charging: leave it on the charger"
        return f"low{about}: charge the wearable"
    if heard is None:
        return ""
    age = f"{span_text(heard.age_s)} ago: " if heard.age_s > BATTERY_IS_NOW_S else ""
    return f"{age}{battery_text(heard.values)}"


def _sound(facts: Facts, word: str, alarm: AlarmFact) -> str:
    """What is known of the sound of one alarm."""
    until_ms = alarm.accepted_until_utc_ms
    if alarm.accepted_by and until_ms is not None and until_ms > facts.now_utc_ms:
        untold = ", not yet on the wearable" if alarm.is_untold else ""
        over = f" ({alarm.accepted_over})" if alarm.accepted_over else ""
        return f"accepted by {alarm.accepted_by}{over}, until {_clock(until_ms, facts)}{untold}"
    if not alarm.is_of_wearable:
        return "raised by this laptop, nobody has accepted it"
    if word in _UNSEEN:
        return "nobody has accepted it; whether it sounds now is not known here"
    if _is_live(facts, word) and alarm.alarm not in facts.live_alarms:
        is_new = _is_raised_since(facts, alarm)
        return "just raised, nobody has accepted it" if is_new else _ENDED
    paused_ms = facts.sound_paused_until_utc_ms
    if paused_ms is not None and paused_ms > facts.now_utc_ms:
        return f"sound paused at the wearable until {_clock(paused_ms, facts)}, nobody has accepted it"
    return "sounding, nobody has accepted it" if _is_live(facts, word) else "nobody has accepted it"


def _is_raised_since(facts: Facts, alarm: AlarmFact) -> bool:
    """Whether the record that raised it may be newer than what the wearable last said of its alarms."""
    heard_ms, since_ms = facts.live_alarms_utc_ms, alarm.since_utc_ms
    return heard_ms is not None and since_ms is not None and since_ms > heard_ms - _DATING_MS
