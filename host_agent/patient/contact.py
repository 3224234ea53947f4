"""Whom a text is about and whom to call: patient, the wearable's name, and the two mandatory phone numbers.

The numbers are settings of the wearable. A number that `patient start` was given takes the place of the care team's.
"""

from typing import NamedTuple

from host_agent.patient.profile import decode_profile
from host_agent.store.bindings import binding_by_row, label_of, open_binding, open_bindings
from host_agent.store.db import Tx
from host_agent.store.devices import Device, device

NAMELESS = "a wearable without a name"  # its id is for engineers


class Contact(NamedTuple):
    """`patient` "" when nobody is bound, `device` "" for this laptop itself; a number is "" while it is not known.

    `patient` is the label that somebody chose, or the pseudonym. `unit` is the temperature unit that comes first in
    texts, C or F.
    """

    patient: str = ""
    device: str = ""
    care_team: str = ""
    emergency: str = ""
    unit: str = "C"

    @property
    def about(self) -> str:
        """`JS-60 (Bed 3)`."""
        if not self.device:
            return "this laptop"
        return f"{self.patient} ({self.device})" if self.patient else f"{self.device}, no patient bound"

    @property
    def call(self) -> str:
        """`Care team 555-0100. Emergency 112.`; a number that is not known is said, never left out."""
        care_team, emergency = self.care_team or "NUMBER NOT SET", self.emergency or "NUMBER NOT SET"
        return f"Care team {care_team}. Emergency {emergency}."

    def or_else(self, last_known: "Contact | None") -> "Contact":
        """What was known before, when a store that cannot be read left the numbers out."""
        return self if self.is_complete or last_known is None else last_known

    @property
    def is_complete(self) -> bool:
        """Whether both numbers are known."""
        return bool(self.care_team and self.emergency)


def contact_of(tx: Tx, device_row: int | None, binding_row: int | None = None) -> Contact:
    """About a wearable and a binding (None: the open one), by row ids; without a wearable, about this laptop."""
    if device_row is None:
        return _of_the_laptop(tx)
    try:
        found = device(tx, device_row)
        bound = open_binding(tx, device_row) if binding_row is None else binding_by_row(tx, binding_row)
    except KeyError:
        return Contact(device=NAMELESS)
    if bound is None:
        return contact(found, "", "")
    return contact(found, label_of(tx, bound.row) or bound.patient or "", bound.profile)


def contact(found: Device, patient: str, profile: str) -> Contact:
    """The same from what is read already; `profile` is the canonical text of the binding."""
    settings = decode_profile(found.settings)
    care_team = decode_profile(profile).get("call_number") or settings.get("patient_call_number", "")
    name = NAMELESS if found.label == found.device_id.hex() else found.label
    return Contact(
        patient, name, care_team, settings.get("emergency_number", ""), settings.get("unit", "C")
    )  # fmt: skip


def _of_the_laptop(tx: Tx) -> Contact:
    """What concerns every patient here has the numbers of every patient here."""
    all_of_them = [contact_of(tx, bound.device, bound.row) for bound in open_bindings(tx)]
    care_teams = dict.fromkeys(one.care_team for one in all_of_them if one.care_team)
    emergencies = dict.fromkeys(one.emergency for one in all_of_them if one.emergency)
    return Contact("", "", " or ".join(care_teams), " or ".join(emergencies))
