"""What the checks of every kind of entry see, and how they say no."""

import sqlite3
from typing import NamedTuple

from host_agent.errors import HostAgentError
from host_agent.people.entry import Entry


class Refusal(NamedTuple):
    """`why` is one of WHY; `text` one sentence for people."""

    why: str
    text: str


WHY = {
    "malformed": "Update cytowatch on both sides, or enter it again.",
    "replayed": "It was taken before: see `cytowatch audit list`.",
    "unknown_account": "See `cytowatch account list`.",
    "disabled_account": "A clinician adds another account: `cytowatch account add`.",
    "bad_signature": "The entry was changed on its way, or signed with another key: enter it again.",
    "moved_on": "Somebody else signed meanwhile: enter it again.",
    "stale": "Enter it again; look at the clock of this computer.",
    "wrong_patient": "Look at `cytowatch status`: who wears the wearable now?",
    "expired": "Enter what is true now.",
    "from_future": "Look at the time given and at the clock of this computer.",
    "not_allowed": "See the table of roles in host_agent/people/README.md.",
    "bad_value": "See the table of keys: `cytowatch context set --help`.",
    "no_such_entry": "See `cytowatch context history` and `cytowatch audit list`.",
    "conflict": "See `cytowatch audit list`.",
}


class EntryRefused(HostAgentError):  # noqa: N818 named by the condition, as in errors.py
    """A signed entry that was not taken; `.why` names the rule. It is counted as entry_refused_<why>."""

    code = "entry_refused"

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text, WHY[refusal.why])
        self.why = refusal.why


class MovedOn(EntryRefused):
    """The chain grew since the entry was composed: composing it anew is all that is needed."""

    code = "entry_moved_on"


def refused(refusal: Refusal) -> EntryRefused:
    """The error of a refusal."""
    return MovedOn(refusal) if refusal.why == "moved_on" else EntryRefused(refusal)


class Wearer(NamedTuple):
    """The open binding that an entry is about."""

    row: int
    binding_id: bytes
    device: int
    patient: str
    profile: str
    simulated: bool


class Ask(NamedTuple):
    """One entry whose signature is right, on its way into the chain."""

    entry: Entry
    signature: bytes
    role: str
    wearer: Wearer | None
    now_ms: int


def find_wearer(tx: sqlite3.Connection, where: str, *values: object) -> Wearer | None:
    """The open binding for which `where` (SQL over b, p, d) holds; None when there is none or more than one."""
    rows = tx.execute(
        "SELECT b.id, b.binding_id, b.device, coalesce(p.pseudonym, ''), b.profile, d.simulated FROM bindings b"  # noqa: S608
        " JOIN devices d ON d.id = b.device LEFT JOIN patients p ON p.id = b.patient"
        f" WHERE b.state IN ('starting', 'active') AND {where}",
        values,
    ).fetchall()
    return Wearer._make((*rows[0][:5], bool(rows[0][5]))) if len(rows) == 1 else None
