"""What it means when a wearable refuses a session, and what this laptop refuses to believe of a message."""

from typing import Any, NamedTuple

from crs_core.wire import hello as hello_part
from crs_core.wire import message as wire

from host_agent.errors import NotEnrolled, SessionRefused
from host_agent.keys.keyfile import DeviceKey

# why a wearable says BYE, for people
_BYE_WORDS = {
    wire.BYE_JOURNAL_CHANGED: "it began a new journal, because the binding of a patient started or ended",
    wire.BYE_REPLACED: "a newer session with this key replaced it",
    wire.BYE_REVOKED: "the key of this laptop was revoked",
    wire.BYE_SHUTDOWN: "it restarts, or it heard nothing for a while",
    wire.BYE_MAINTENANCE: "it is in maintenance and does not monitor",
}
_PROOF_TRIES = 2  # a HELLO answered late spoils one proof; twice is a wrong key


class Refusal(NamedTuple):
    """Why the content of a message cannot be true, and whether it may have said that an alarm sounds."""

    why: str
    may_alarm: bool


def may_alarm(message: Any) -> bool:
    """Whether a message of this type may say that an alarm sounds."""
    return isinstance(message, wire.Alarm | wire.Live)


def bye_words(reason: int) -> str:
    """One clause for people about a BYE."""
    return f"the wearable ended the session: {_BYE_WORDS.get(reason, 'it gave no reason')} (BYE {reason})"


def judge_refusal(name: str, event: Any, key: DeviceKey, proofs_refused: int) -> None:
    """Raise what a REFUSE on the link `name` means for this key; nothing while another try may help."""
    reason = event.reason
    if reason in (hello_part.REFUSE_KEY, hello_part.REFUSE_DEVICE):
        raise NotEnrolled(
            f"{name}: the wearable does not know key {key.key_id:08x}: revoked, or another wearable",
            reason,
        )
    if reason == hello_part.REFUSE_VERSION:
        raise SessionRefused(
            f"{name}: the wearable speaks protocol {event.low} to {event.high}, this agent"
            f" {hello_part.VERSION_LOW} to {hello_part.VERSION_HIGH}",
            reason,
            "Update the older side.",
        )
    if reason == hello_part.REFUSE_PROOF and proofs_refused >= _PROOF_TRIES:
        raise SessionRefused(f"{name}: the key {key.key_id:08x} is not the wearable's", reason)
    if reason == hello_part.REFUSE_BUSY:
        raise SessionRefused(f"{name}: the wearable is busy", reason, "The agent tries again.")
