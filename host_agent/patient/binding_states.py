"""How a binding goes from starting to active, ending and ended, each step in one transaction.

The row is there before the wearable acts, and its own status decides what really happened (`reconcile`): a crash midway
is repaired at the next contact.
"""

from collections.abc import Collection

from host_agent.errors import HostAgentError
from host_agent.patient.profile import Profile
from host_agent.patient.standing import standing_high
from host_agent.store.bindings import (
    ACTIVE,
    ENDING,
    STARTING,
    Binding,
    add_binding,
    end_binding,
    label_of,
    open_binding,
    open_bindings,
    set_binding_state,
    set_label,
)
from host_agent.store.db import Tx
from host_agent.store.journals import (
    NO_BINDING,
    binding_row,
    current_journal,
    expect_journal,
    forget_expected,
    forget_expected_end,
)


class BindingError(HostAgentError):
    """A patient start or end that cannot be done now."""

    code = "binding"
    default_advice = "See `cytowatch status`."


def reconcile(tx: Tx, device: int, wearable_binding: bytes, utc_ms: int) -> None:
    """Bring the row in line with what the wearable says it is bound to (zeros: to nobody)."""
    binding = open_binding(tx, device)
    if binding is None:
        journal, known = current_journal(tx, device), binding_row(tx, device, wearable_binding)
        if journal is not None and known is not None and journal.binding == known:
            # ended on this side alone, because the wearable seemed lost: it is here, and somebody may wear it
            set_binding_state(tx, known, ACTIVE)
        return
    if binding.state == STARTING and binding.binding_id == wearable_binding:
        set_binding_state(tx, binding.row, ACTIVE)
    elif binding.state == ENDING and wearable_binding == NO_BINDING:
        end_binding(tx, binding.row, "", utc_ms)
    elif binding.state == ENDING and binding.binding_id == wearable_binding:
        # the end never reached the wearable: whoever ends it later stands for the alarms of then
        forget_expected_end(tx, device)
        set_binding_state(tx, binding.row, ACTIVE)


def give_up_wearable(tx: Tx, device: int, reason: str, utc_ms: int) -> Binding:
    """End the binding on this side only: the wearable is lost. Should it return still bound, `reconcile` reopens it."""
    binding = open_binding(tx, device)
    if binding is None:
        raise BindingError("No patient is bound to this wearable here.")
    end_binding(tx, binding.row, reason, utc_ms)
    return binding


def check_pseudonym(tx: Tx, device: int, patient: str) -> None:
    """BindingError when another wearable is bound to this pseudonym, however its letters are written."""
    for one in open_bindings(tx):
        if one.device != device and (one.patient or "").casefold() == patient.casefold():
            raise BindingError(
                f"{one.patient} is bound to wearable {one.device_id.hex()} already.",
                "Check the pseudonym. End the other binding first, or say --second-wearable if this patient wears"
                " both.",
            )


def check_label(tx: Tx, device: int, label: str, patient: str) -> None:
    """BindingError when messages about another patient here use this label: nobody could tell them apart."""
    for one in open_bindings(tx):
        used = {label_of(tx, one.row).casefold(), (one.patient or "").casefold()}
        if one.device != device and one.patient != patient and label.casefold() in used:
            raise BindingError(
                f"Messages about {one.patient} call that patient {label} already.",
                "Give another --label, so that nobody goes to the wrong patient.",
            )


def begin_start(
    tx: Tx,
    device: int,
    device_id: bytes,
    *,
    binding_id: bytes,
    profile: Profile,
    text: str,
    utc_ms: int,
    second_wearable: bool = False,
    may_end: Collection[bytes] = (),
    label: str = "",
) -> tuple[int, int]:
    """Make the row and announce the new journal: (row id of the binding, number of the announcement).

    `text` is the canonical text of `profile`. Refused (BindingError) is a pseudonym that another wearable is bound to,
    unless a second wearable is meant, and the end of a binding about which a HIGH alarm stands, unless it is one of
    `may_end`: somebody stands for it.
    """
    if not second_wearable:
        check_pseudonym(tx, device, profile.patient)
    if label:
        check_label(tx, device, label, profile.patient)
    left = open_binding(tx, device)
    if left is not None:  # a start that never reached the wearable, or a binding that another laptop ended
        if left.binding_id not in may_end and standing_high(tx, left):
            raise BindingError(
                f"A HIGH alarm stands about {left.patient}, whose binding this would end. Nobody stands for that.",
                "Give the command again.",
            )
        end_binding(tx, left.row, "the wearable reported no binding", utc_ms)
    row = add_binding(tx, device, binding_id, patient=profile.patient, profile=text, utc_ms=utc_ms)
    if label:
        set_label(tx, row, label)
    return row, expect_journal(tx, device_id, "patient_start", row, utc_ms)


def undo_start(tx: Tx, row: int, announced: int, utc_ms: int) -> None:
    """The wearable refused the start."""
    forget_expected(tx, announced)
    end_binding(tx, row, "refused by the wearable", utc_ms)


def begin_end(tx: Tx, row: int, device_id: bytes, utc_ms: int) -> int:
    """Announce the end of a binding and of its journal; returns the number of the announcement."""
    set_binding_state(tx, row, ENDING)
    return expect_journal(tx, device_id, "patient_end", None, utc_ms)


def undo_end(tx: Tx, row: int, announced: int) -> None:
    """The wearable refused the end."""
    forget_expected(tx, announced)
    set_binding_state(tx, row, ACTIVE)
