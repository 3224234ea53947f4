"""What a clinician signs about a patient: a grade, a death, the end of an episode. When a death counts.

A death counts only when a second clinician has countersigned it and nobody has reversed it. It is the only way to a
grade 5.
Diagnosis codes (ICD-10-CM) stand with signed records alone; a computed grade never has one.
"""

from typing import Any, NamedTuple

from crs_core import context
from crs_core.code_texts import alarm_name
from crs_core.grade.scales import ICANS, SCALES

from host_agent.diagnosis_codes import code_of
from host_agent.patient.standing import standing_high
from host_agent.people import acts, chain_check, outgoing, validity, vouching
from host_agent.people.asking import Ask, Refusal
from host_agent.people.context_entries import proof_of
from host_agent.people.entry import Entry, MalformedEntryError, decode
from host_agent.people.for_wearable import DEATH
from host_agent.store import signed_records as stored
from host_agent.store.accounts import account
from host_agent.store.bindings import Binding
from host_agent.store.db import Tx
from host_agent.store.signed_records import SignedRecord

# Scales that a grade can be signed on, with the version that is meant.
SCALE_VERSIONS = {scale.name: scale.version for scale in (*SCALES, ICANS)}
_REASON_CHARS = 200


class Signed(NamedTuple):
    """One signed record with its countersignature and its reversal, as of now."""

    audit: int
    entry_id: str
    kind: str
    account: str
    observed_utc_ms: int
    entered_utc_ms: int
    scale: str | None
    scale_version: int | None
    grade: int | None
    cause: str | None
    countersigned_by: str | None
    reversed_by: str | None
    reversal_reason: str | None
    simulated: bool

    @property
    def in_force(self) -> bool:
        """Whether it counts now."""
        if self.reversed_by is not None:
            return False
        return self.kind != "death" or self.countersigned_by is not None

    @property
    def icd10cm(self) -> str | None:
        """The code of the diagnosis; None while it does not count, or for what is no cytokine release syndrome."""
        return code_of(self.kind, self.scale, self.grade, self.cause) if self.in_force else None


def signed(tx: Tx, binding: int) -> list[Signed]:
    """Every signed record of a binding, oldest signature first."""
    return [_signed(one) for one in stored.signed_records(tx, binding)]


def _signed(one: SignedRecord) -> Signed:
    second, reversal = _read(one.countersignature), _read(one.reversal)
    return Signed(
        one.audit, one.entry_id, one.kind, one.account, one.observed_utc_ms, one.entered_utc_ms, one.scale,
        one.scale_version, one.grade, one.cause, second[0], reversal[0], reversal[1], one.simulated,
    )  # fmt: skip


def _read(raw: bytes | None) -> tuple[str | None, str | None]:
    """(account, reason) of the entry in an audit row, "?" for one that somebody changed: `audit verify` says more."""
    if raw is None:
        return None, None
    try:
        entry = decode(raw)
    except MalformedEntryError:
        return "?", "?"
    return entry.account, entry.values.get("reason")


def death_in_force(tx: Tx, binding: int) -> Signed | None:
    """The death that counts now for this binding, if there is one."""
    return next((one for one in signed(tx, binding) if one.kind == "death" and one.in_force), None)


def check(tx: Tx, ask: Ask) -> Refusal | None:
    """Whether a grade, a death or the end of an episode may be signed."""
    entry = ask.entry
    assert ask.wearer is not None
    if ask.now_ms - entry.observed_utc_ms > validity.RECORD_MS:
        return Refusal("expired", "It is dated more than 7 days ago.")
    if fault := _fault(entry.kind, entry.values):
        return Refusal("bad_value", fault)
    if entry.kind == "close_episode" and (why := _unguarded(tx, ask.wearer, entry)):
        return Refusal("guard_needed", why)
    if entry.kind == "death" and death_in_force(tx, ask.wearer.row) is not None:
        return Refusal("conflict", "A countersigned death counts already. It can be reversed.")
    return None


def _unguarded(tx: Tx, wearer: Binding, entry: Entry) -> str:
    """Why nobody stands for the end of this episode under the HIGH alarms of now; "" when somebody does."""
    standing = {alarm_name(alarm) for alarm in standing_high(tx, wearer)}
    if not standing and not entry.values:
        return ""
    if missing := sorted(standing - set(entry.values.get("alarms", ()))):
        return f"HIGH alarms stand about {wearer.patient}: {', '.join(missing)}."
    return "" if entry.values["patient"] == wearer.patient else "That is not the pseudonym of this patient."


def _fault(kind: str, values: dict[str, Any]) -> str:
    if kind == "close_episode":
        if not values:
            return ""
        if set(values) != {"reason", "patient", "alarms"}:
            return "an end of an episode has no values, or reason, patient and alarms"
        return acts.reason_fault(values["reason"]) or acts.alarms_fault(values["alarms"])
    if kind == "death":
        return "" if values.get("cause") in DEATH and len(values) == 1 else "cause: one of crs, icans, other"
    if set(values) != {"scale", "scale_version", "grade"}:
        return "a grade has scale, scale_version and grade"
    if not isinstance(values["scale"], str) or values["scale"] not in SCALE_VERSIONS:
        return f"scale: one of {', '.join(SCALE_VERSIONS)}"
    if values["scale_version"] != SCALE_VERSIONS[values["scale"]]:
        return f"scale_version: {values['scale']} is signed in version {SCALE_VERSIONS[values['scale']]}"
    grade = values["grade"]
    if grade == 5:
        return "grade: 5 is death: it is signed and countersigned, with `cytowatch sign death`"
    if grade is not None and (type(grade) is not int or not 1 <= grade <= 4):
        return "grade: 1 to 4, or unspecified"
    return ""


def check_second(tx: Tx, ask: Ask) -> Refusal | None:
    """Whether a countersignature or a reversal may be signed."""
    entry = ask.entry
    assert ask.wearer is not None
    found = stored.signed_record(tx, str(entry.refers_to))
    if found is None:
        return Refusal("no_such_entry", f"There is no signed record {entry.refers_to}.")
    if found.binding != ask.wearer.row:
        return Refusal("wrong_patient", "The signed record is about another patient.")
    first = _signed(found)
    if first.reversed_by is not None:
        return Refusal("conflict", "It was reversed. Sign a new one.")
    return _check_countersign(tx, ask, first) if entry.kind == "countersign" else _check_reverse(ask, first)


def _check_countersign(tx: Tx, ask: Ask, first: Signed) -> Refusal | None:
    if ask.entry.values:
        return Refusal("bad_value", "a countersignature has no values")
    if first.kind != "death":
        return Refusal("conflict", "Only a death is countersigned.")
    if first.countersigned_by is not None:
        return Refusal("conflict", "It is countersigned already.")
    signer = account(tx, first.account)
    if signer is None or signer.is_disabled:
        return Refusal(
            "conflict", f"Account {first.account} is disabled since. Another clinician signs anew."
        )
    if problems := chain_check.verify(tx).problems:  # a forged row could make a second person of anybody
        return Refusal("damaged_chain", f"The chain of signatures has problems: {len(problems)}.")
    why = vouching.why_not_second(tx, first.account, ask.entry.account)
    return Refusal("not_allowed", why) if why else None


def _check_reverse(ask: Ask, first: Signed) -> Refusal | None:
    reason = ask.entry.values.get("reason")
    if set(ask.entry.values) != {"reason"} or not isinstance(reason, str):
        return Refusal("bad_value", "reason: give a reason")
    if not reason.strip() or len(reason) > _REASON_CHARS:
        return Refusal("bad_value", f"reason: 1 to {_REASON_CHARS} characters")
    if first.kind == "close_episode":
        return Refusal(
            "conflict", "The end of an episode cannot be reversed. A new episode begins by itself."
        )
    return None


def keep(tx: Tx, ask: Ask, audit: int) -> None:
    """Store a grade, a death or the end of an episode. An end of an episode goes to the wearable at once."""
    entry, wearer = ask.entry, ask.wearer
    assert wearer is not None
    values = entry.values
    stored.add_signed_record(
        tx,
        SignedRecord(
            audit, entry.id, wearer.row, wearer.binding_id, entry.kind, entry.account, ask.role,
            entry.observed_utc_ms, entry.entered_utc_ms, values.get("scale"), values.get("scale_version"),
            values.get("grade"), values.get("cause"), None, None, None, None, wearer.simulated,
        ),
    )  # fmt: skip
    if entry.kind == "close_episode":
        _send(tx, ask, audit, entry.observed_utc_ms, {context.EPISODE_CLOSED: 1})


def keep_second(tx: Tx, ask: Ask, audit: int) -> None:
    """A countersignature puts a death in force, a reversal takes it back; both go to the wearable."""
    found = stored.signed_record(tx, str(ask.entry.refers_to))
    assert found is not None
    before = _signed(found)
    if ask.entry.kind == "countersign":
        stored.countersign(tx, before.audit, audit)
        _send(tx, ask, audit, before.observed_utc_ms, {context.DEATH: DEATH[str(before.cause)]})
        return
    stored.reverse(tx, before.audit, audit)
    if before.kind == "death" and before.in_force:
        _send(tx, ask, audit, ask.entry.observed_utc_ms, {context.DEATH: None})


def _send(tx: Tx, ask: Ask, audit: int, observed_utc_ms: int, numbers: dict[int, int | None]) -> None:
    assert ask.wearer is not None
    outgoing.queue(
        tx, audit, ask.wearer.row, proof_of(ask.signature), observed_utc_ms=observed_utc_ms, numbers=numbers
    )
