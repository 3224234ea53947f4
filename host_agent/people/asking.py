"""What the checks of every kind of entry see, and how they refuse."""

from typing import NamedTuple

from host_agent.errors import HostAgentError
from host_agent.people.entry import Entry
from host_agent.store.bindings import ACTIVE, STARTING, Binding, open_bindings
from host_agent.store.db import Tx

REFUSED = "entry_refused_"  # counters of refused entries are called so, followed by one of WHY


class Refusal(NamedTuple):
    """`why` is one of WHY; `text` one sentence for people."""

    why: str
    text: str


WHY = {
    "malformed": "Update cytowatch on both sides, or enter it again.",
    "replayed": "It was taken before: see `cytowatch audit list`.",
    "unknown_account": "See `cytowatch account list`.",
    "disabled_account": "A clinician adds another account: `cytowatch account add`.",
    "bad_signature": "The entry was changed on its way, or signed with another key. Enter it again.",
    "moved_on": "Somebody else signed meanwhile. Enter it again.",
    "chain_missing": "Restore a backup (`cytowatch restore`), or begin with an empty state folder.",
    "damaged_chain": "Nobody can countersign until that is explained: cytowatch audit verify",
    "guard_needed": "Give --reason TEXT and --patient PSEUDONYM, as you type them.",
    "stale": "Check the clock of this computer and enter it again.",
    "wrong_patient": "Check in `cytowatch status` who wears the wearable now.",
    "expired": "Enter what is true now.",
    "from_future": "Check the time that you gave and the clock of this computer.",
    "not_allowed": "Sign with another account (--account NAME). `cytowatch account list` shows the role of each.",
    "bad_value": "See the table of keys: `cytowatch context set --help`.",
    "no_such_entry": "See `cytowatch context history` and `cytowatch audit list`.",
    "no_such_alarm": "See what stands now: `cytowatch alarm list`.",
    "alarm_ended": "See what stands now: `cytowatch alarm list`.",
    "alarm_rose": "Look at it again, then accept it: `cytowatch alarm list`.",
    "conflict": "See `cytowatch account list` and `cytowatch audit list`.",
}


class EntryRefused(HostAgentError):  # noqa: N818 named by the condition, as in errors.py
    """A signed entry that was not taken; `.why` names the rule. It is counted as REFUSED + why."""

    code = "entry_refused"

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text, WHY[refusal.why])
        self.why = refusal.why


class MovedOn(EntryRefused):
    """Somebody else signed since the entry was composed. Compose it again."""

    code = "entry_moved_on"


def refused(refusal: Refusal) -> EntryRefused:
    """The error of a refusal."""
    return MovedOn(refusal) if refusal.why == "moved_on" else EntryRefused(refusal)


class Ask(NamedTuple):
    """One entry whose signature is right, before it is kept."""

    entry: Entry
    signature: bytes
    role: str
    wearer: Binding | None
    now_ms: int


class NoWearer(HostAgentError):  # noqa: N818 named by the condition, as in errors.py
    """It is not clear whom an entry is about: no patient is bound here, or several are."""

    code = "no_wearer"

    def __init__(self, number: int, device: str) -> None:
        where = f"to a wearable whose id starts with {device}" if device else "here"
        if number:
            super().__init__(
                f"{number} patients are bound {where}.",
                "Choose one with --device; `cytowatch status` shows the ids.",
            )
        else:
            super().__init__(
                f"No patient is bound {where}.",
                "See `cytowatch status`; bind one with `cytowatch patient start`.",
            )


def wearers(tx: Tx, device: str = "") -> list[Binding]:
    """The bindings that an entry can be about, of wearables whose id (hex) starts with `device`.

    Nobody can enter anything about a binding that is ending.
    """
    return [
        one
        for one in open_bindings(tx)
        if one.state in (STARTING, ACTIVE) and one.device_id.hex().startswith(device.lower())
    ]


def the_wearer(tx: Tx, device: str = "") -> Binding:
    """The one binding of `wearers`; NoWearer when there is none or more than one."""
    found = wearers(tx, device)
    if len(found) != 1:
        raise NoWearer(len(found), device)
    return found[0]
