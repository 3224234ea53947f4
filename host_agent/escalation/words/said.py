"""What each kind of event says to one reader: what is the case and what to do, from the fields of the event alone.

A kind is one function here and its tables in the files of the languages.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from crs_core import code_texts, units

from host_agent.escalation.words import values as say
from host_agent.escalation.words.catalogue import Catalogue
from host_agent.escalation.words.reader import CLINICIAN, Reader
from host_agent.text import HIGHEST_COMPUTED, local_time, local_time_near, utc_ms_of_iso

_ADMINISTRATOR = "@administrator"


class Said(NamedTuple):
    """`lead` is a key of the table `lead`. `more` are lines of their own below everything else, for clinicians."""

    lead: str
    what: str
    do: str
    more: tuple[str, ...] = ()
    has_numbers: bool = True
    about: str = ""


class Case(NamedTuple):
    """One event for one reader at one moment."""

    event: Mapping[str, Any]
    reader: Reader
    words: Catalogue
    now_ms: int

    @property
    def facts(self) -> Mapping[str, Any]:
        """What only the words need to know."""
        return self.event.get("facts") or {}

    @property
    def unit(self) -> str:
        """The temperature unit that comes first."""
        return self.reader.unit or (self.event.get("about") or {}).get("unit") or "C"

    @property
    def emergency(self) -> str:
        """The number, or that it is not set."""
        return say.plain(self.event["call"].get("emergency") or self.words["line.no_number"])

    def pair(self, key: str, **values: str) -> tuple[str, str]:
        """What is the case and what to do for this role, by the table `key`; a priority may have words of its own."""
        own = f"{key}.{self.reader.role}_{self.event.get('priority')}"
        key = own if f"{own}.what" in self.words else f"{key}.{self.reader.role}"
        values = {"emergency": self.emergency, **values}
        return self.words[f"{key}.what"].format_map(values), self.words[f"{key}.do"].format_map(values)

    def at(self, moment: str | None) -> str:
        """A moment of the event, ISO, as wall time."""
        if moment is None:
            return self.words["over.unknown_time"]
        return local_time_near(utc_ms_of_iso(moment), self.now_ms)


def said(case: Case) -> Said:
    """What this event says. KeyError, TypeError or ValueError: it has not the fields that its kind needs."""
    stage = case.event.get("stage")
    if stage == "accepted":
        return _accepted(case)
    if stage == "over":
        return _over(case)
    if case.facts.get("lapsed") and case.event.get("acceptance"):
        return _lapsed(case)
    return _KINDS[case.event["kind"]](case)


def unknown(case: Case) -> Said:
    """An event that has no words here."""
    return Said(_priority(case), *case.pair("unknown"))


def noun(case: Case) -> str:
    """What is the case, without values: `oxygen low`."""
    alarm = case.event.get("alarm")
    if alarm is None:
        return case.words["grade.noun"] if case.reader.role == CLINICIAN else case.pair("grade", lower="")[0]
    nothing = dict.fromkeys(("temperature", "saturation", "values", "missing", "detail"), "")
    return case.pair(_alarm_key(case, alarm["name"]), **nothing)[0]


def _alarm_key(case: Case, name: str) -> str:
    key = f"alarm.{name}"
    return key if f"{key}.{CLINICIAN}.what" in case.words else "alarm.unknown"


def _priority(case: Case) -> str:
    """A priority that there is none may be anything, so it is the highest."""
    priority = str(case.event.get("priority"))
    return priority if f"lead.{priority}" in case.words and priority.isupper() else "HIGH"


def _alarm(case: Case) -> Said:
    alarm = case.event["alarm"]
    found = values_of(case.event.get("values"))
    what, do = case.pair(
        _alarm_key(case, alarm["name"]),
        temperature=say.temperature(case.words, alarm["id"], found, case.unit),
        saturation=say.saturation(case.words, found),
        values=say.everything(case.words, found, case.unit),
        missing=say.missing(case.words, found),
        detail=_detail(case),
    )
    return Said(_priority(case), what, do)


def _detail(case: Case) -> str:
    if (since := case.facts.get("no_data_since")) is not None:
        return f": {case.words['value.since'].format(at=case.at(since))}"
    if asked := case.facts.get("asked"):
        return f": {say.names(case.words, asked)}"
    return ""


def _grade(case: Case) -> Said:
    grade, words = case.event["grade"], case.words
    lower, upper = grade["lower"], grade["upper"]
    if not 0 <= lower <= HIGHEST_COMPUTED:  # 5 is never computed
        return unknown(case)
    what, do = case.pair("grade", lower=str(lower))
    if case.reader.role != CLINICIAN:
        return Said(_priority(case), what, do)
    scale = say.plain(str(grade["scale"]).replace("-", " "))
    is_open = upper is None or upper > HIGHEST_COMPUTED
    form = "open" if is_open else "exact" if lower == upper else "range"
    parts = [words[f"grade.{form}"].format_map({"scale": scale, "lower": lower, "upper": upper})]
    if grade["missing"]:
        parts.append(words["grade.not_known"].format(names=say.names(words, grade["missing"])))
    parts.append(words["grade.signed" if grade["signed"] else "grade.not_signed"])
    return Said(_priority(case), what, do, (" ".join(parts),))


def _accepted(case: Case) -> Said:
    one = case.event["acceptance"]
    what, do = case.pair(
        "accepted", who=say.plain(one["who"]), since=case.at(case.facts["began_at"]), noun=noun(case),
        until=case.at(one["until"]),
    )  # fmt: skip
    if case.event.get("alarm") is None and case.reader.role == CLINICIAN:
        do = case.words["accepted.grade"]
    return Said("accepted", what, do)


def _lapsed(case: Case) -> Said:
    one = case.event["acceptance"]
    what, do = case.pair(
        "lapsed", who=say.plain(one["who"]), since=case.at(case.facts["began_at"]), noun=noun(case),
        at=case.at(one["at"]),
    )  # fmt: skip
    return Said(_priority(case), what, do)


def _over(case: Case) -> Said:
    alarm, at = case.event.get("alarm"), case.at(case.facts.get("ended_at"))
    own = f"{_alarm_key(case, alarm['name'])}.over" if alarm else ""
    form = case.words.get(own, case.words["over.any"])
    return Said(
        "over", form.format_map({"at": at, "noun": noun(case)}), case.words[f"over.{case.reader.role}"]
    )


def _signed(case: Case) -> Said:
    one, facts = case.event["signed"], case.facts
    kind = str(one["kind"])
    what, do = case.pair("signed", who=_who(case, one["account"]))
    if case.reader.role != CLINICIAN:
        return Said(_priority(case), what, do)
    if kind == "grade":
        # what every scale calls 5 stands on no lock screen
        has_number = facts.get("grade") in range(1, HIGHEST_COMPUTED + 1)
        key = "signed_kind.grade" if has_number else "signed_kind.grade_without_number"
    else:
        key = f"signed_kind.{kind}" if f"signed_kind.{kind}" in case.words else "signed_kind.unknown"
    filled = {name: say.plain(facts.get(name, ""), 200).rstrip(".") for name in _FACTS}
    return Said(_priority(case), what, do, (case.words[key].format_map(filled),))


_FACTS = ("name", "role", "reason", "scale", "grade")


def _who(case: Case, account: object) -> str:
    return case.words["signed.the_administrator"] if account == _ADMINISTRATOR else say.plain(account)


def _act(case: Case) -> Said:
    words, facts = case.words, case.facts
    key = f"act_name.{facts['act']}"
    stood = ", ".join(_noun_of(case, name) for name in facts["alarms"])
    what, do = case.pair(
        "act", act=words.get(key, words["act_name.unknown"]), who=_who(case, case.event["signed"]["account"]),
        alarms=words["act.alarms"].format(names=stood) if stood else "",
    )  # fmt: skip
    reason = words["act.reason"].format(reason=say.plain(facts["reason"], 200).rstrip("."))
    return Said(_priority(case), what, do, (reason,) if case.reader.role == CLINICIAN else ())


def _noun_of(case: Case, name: str) -> str:
    """A name that nobody knows here stays as it is."""
    if name not in code_texts.ALARM_NAMES.values():
        return say.plain(name)
    return noun(case._replace(event={**case.event, "alarm": {"name": name}}))


def _patient_end(case: Case) -> Said:
    now = case.facts.get("now")
    key = (
        f"patient_end_{now}" if f"patient_end_{now}.{case.reader.role}.what" in case.words else "patient_end"
    )
    what, do = case.pair(key, at=case.at(case.event["occurred_at"]))
    if stood := ", ".join(_noun_of(case, name) for name in case.facts.get("alarms") or ()):
        do = f"{case.words[f'patient_end.stood_{case.reader.role}'].format(names=stood)} {do}"
    return Said(_priority(case), what, do)


def _test(case: Case) -> Said:
    about = case.words["test.about"].format(receiver=say.plain(case.facts["receiver"]))
    return Said("test", *case.pair("test"), has_numbers=False, about=about)


_KINDS: Mapping[str, Callable[[Case], Said]] = {
    "alarm": _alarm, "grade_rise": _grade, "signed": _signed, "act": _act, "patient_end": _patient_end, "test": _test,
}  # fmt: skip
KINDS = tuple(_KINDS)


def values_of(fields: Mapping[str, Any] | None) -> say.Values:
    """The object `values` of an event; `NO_VALUES` when no record tells."""
    if fields is None:
        return say.NO_VALUES
    site = fields["site"]
    return say.Values(
        fields["temperature_cc"], units.SITES.index(site) if site in units.SITES else -1, fields["spo2_tenths"],
        fields["heart_rate_bpm"], fields.get("temperature_age_ms") or 0, fields.get("ppg_age_ms") or 0,
    )  # fmt: skip


def repeated(case: Case) -> str:
    """That it came again and again; "" when it did not."""
    again = case.facts.get("repeated")
    if not again:
        return ""
    first, last = (local_time(utc_ms_of_iso(again[key])) for key in ("first_at", "last_at"))
    return case.words["line.repeated"].format(number=again["number"], first=first, last=last)
