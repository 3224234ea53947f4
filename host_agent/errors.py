"""Every error the agent raises on purpose: one tree, each with one sentence of what to do about it."""
# ruff: noqa: N818 (the leaves name the condition, as TransportLost; all are below HostAgentError)

from typing import ClassVar


class HostAgentError(Exception):
    """Root. `args[0]` says what happened, `.advice` what a person can do; `.code` is stable for logs and JSON."""

    code: ClassVar[str] = "host_agent"
    default_advice: ClassVar[str] = "Run `cytowatch doctor` and read the log."

    def __init__(self, message: str, advice: str | None = None) -> None:
        super().__init__(message)
        self.advice = advice or self.default_advice

    def __str__(self) -> str:
        return str(self.args[0])


class ConfigError(HostAgentError):
    """A configuration that cannot be used; the message names the key."""

    code = "config"
    default_advice = "Compare the file with `cytowatch config --example`."


class KeyFileError(HostAgentError):
    """A key file that is missing, malformed or readable by others."""

    code = "key_file"
    default_advice = "Enrol the wearable again: `cytowatch enrol FILE`."


# --- link ---------------------------------------------------------------------------------------------------


class LinkError(HostAgentError):
    """Something between this laptop and the wearable; the supervisor retries all of these."""

    code = "link"
    default_advice = "Check the cable and the port; the agent keeps trying."


class TransportLost(LinkError):
    """The carrier is gone or stopped moving: unplugged, hung up, not reading."""

    code = "transport_lost"
    default_advice = "Check the cable; the agent reconnects by itself."


class PortMissing(LinkError):
    """No such port now."""

    code = "port_missing"
    default_advice = "Plug the wearable in, or correct the port in the configuration."


class PortBusy(LinkError):
    """Another program holds the port."""

    code = "port_busy"
    default_advice = "Close the other program; `cytowatch doctor` names it when it is an agent."


class PortDenied(LinkError):
    """The operating system refuses this user the port."""

    code = "port_denied"
    default_advice = "Give this user access to serial ports (on Linux: group dialout), then log in again."


class RadioUnavailable(LinkError):
    """This laptop's Bluetooth cannot be used now."""

    code = "ble_unavailable"
    default_advice = (
        "Switch Bluetooth on (on Linux: `bluetoothctl power on`, and the service `bluetooth` must run)."
    )


class WearableNotHeard(LinkError):
    """The wearable did not advertise within reach."""

    code = "ble_not_heard"
    default_advice = "Bring it within some metres; is it charged? `cytowatch scan` shows what is heard."


class PairingFailed(LinkError):
    """Pairing did not come about."""

    code = "ble_pairing"
    default_advice = (
        "Hold the wearable's button while it starts, for one second; then pair within two minutes. "
        "If this laptop or the wearable had paired before, forget it in this laptop's Bluetooth settings first."
    )


class HelloTimeout(LinkError):
    """Nobody on the port answered HELLO in time."""

    code = "no_answer"
    default_advice = "Is this the wearable's port, and does its application run? Press its reset button."


class DeviceAtRepl(LinkError):
    """The port shows a Python prompt: the application is stopped and nobody is monitored."""

    code = "at_repl"
    default_advice = "Restart the wearable: `cytowatch release PORT`, then `mpremote connect PORT reset`."


class SessionRefused(LinkError):
    """The peer, or this side, refused the session; `.reason` is the number of crs_core's refuse reasons."""

    code = "refused"
    default_advice = "Enrol this laptop again, or update the older side."

    def __init__(self, message: str, reason: int = 0, advice: str | None = None) -> None:
        super().__init__(message, advice)
        self.reason = reason


class NotEnrolled(SessionRefused):
    """A wearable whose key this laptop does not hold."""

    code = "not_enrolled"
    default_advice = "Enrol it: `cytowatch enrol FILE` with the file made by tools/board/provision."


class SessionClosed(LinkError):
    """The peer said BYE, or the session ended by its rules."""

    code = "session_closed"
    default_advice = "The agent opens a new session by itself."


class Released(LinkError):
    """The port was handed over on request (`cytowatch release`)."""

    code = "released"
    default_advice = "The agent takes the port back when the time is over."


# --- protocol -----------------------------------------------------------------------------------------------


class ProtocolError(HostAgentError):
    """An answer that the protocol does not allow, or none before its deadline."""

    code = "protocol"
    default_advice = "Update the older of agent and firmware."


class AnswerTimeout(ProtocolError):
    """A request got no answer before its deadline."""

    code = "answer_timeout"
    default_advice = "The wearable is busy or the link is bad; the agent tries again."


class RequestRefused(ProtocolError):
    """The wearable answered RESULT with a code other than 0; `.result_code` has it."""

    code = "request_refused"
    default_advice = "Only the custodian host may do this; see `cytowatch hosts`."

    def __init__(self, message: str, result_code: int, advice: str | None = None) -> None:
        super().__init__(message, advice)
        self.result_code = result_code


# --- store --------------------------------------------------------------------------------------------------


class StoreError(HostAgentError):
    """The database did not take or give something; nothing was acknowledged to any wearable."""

    code = "store"
    default_advice = "Nothing is lost: the wearable keeps its records. Run `cytowatch doctor`."


class StoreFull(StoreError):
    """The disk (or the quota, or the page limit) is full."""

    code = "store_full"
    default_advice = "Free disk space; the wearable keeps its records until then."


class StoreReadOnly(StoreError):
    """The database cannot be written: permissions, a read-only disk, a missing folder."""

    code = "store_read_only"
    default_advice = (
        "Make the state folder writable for this user; the wearable keeps its records until then."
    )


class StoreLocked(StoreError):
    """Another program holds the write lock for too long."""

    code = "store_locked"
    default_advice = "Close other programs that have cytowatch.db open for writing."


class StoreCorrupt(StoreError):
    """The file is not a sound database."""

    code = "store_corrupt"
    default_advice = "Stop the agent, keep a copy of cytowatch.db, restore a backup or start with a new file."


class SchemaNewer(StoreError):
    """The database was written by a later version of this program."""

    code = "schema_newer"
    default_advice = "Update cytowatch; an older version must not touch this database."


# --- forward ------------------------------------------------------------------------------------------------


class ForwardError(HostAgentError):
    """A delivery that did not happen."""

    code = "forward"
    default_advice = "Check the target's address and its log."


class ForwardRetryable(ForwardError):
    """It may work later: the outbox row stays pending."""

    code = "forward_retry"


class ForwardPermanent(ForwardError):
    """It will not work by trying again."""

    code = "forward_permanent"
