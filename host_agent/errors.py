"""Every error that the agent raises on purpose: one tree, and for each error what a person can do."""
# ruff: noqa: N818 (errors are named by their condition, such as TransportLost)

from typing import ClassVar


class HostAgentError(Exception):
    """Root of all. The message says what happened, `.advice` what to do; `.code` stays the same for logs and JSON."""

    code: ClassVar[str] = "host_agent"
    default_advice: ClassVar[str] = "Run `cytowatch doctor`, and read the log of the agent."

    def __init__(self, message: str, advice: str | None = None) -> None:
        super().__init__(message)
        self.advice = advice or self.default_advice

    def __str__(self) -> str:
        return str(self.args[0])


class ConfigError(HostAgentError):
    """A configuration that cannot be used; the message names the key."""

    code = "config"
    default_advice = "Compare the file with `cytowatch config --example`."


class HalfRegistered(HostAgentError):
    """A part that is written and not registered, or registered and not written; the message names it."""

    code = "half_registered"
    default_advice = "The README of its folder says which lines a new part needs."


class KeyFileError(HostAgentError):
    """A key file that is missing, malformed, or readable by other users."""

    code = "key_file"
    default_advice = "Enrol the wearable again: `cytowatch enrol FILE`."


# --- link ---------------------------------------------------------------------------------------------------


class LinkError(HostAgentError):
    """The link between this laptop and the wearable failed; the supervisor tries again after each of these."""

    code = "link"
    default_advice = "Check the cable and the port. The agent keeps trying."


class TransportLost(LinkError):
    """The link is gone or takes no bytes: it was unplugged, or the wearable stopped reading."""

    code = "transport_lost"
    default_advice = "Check the cable. The agent reconnects by itself."


class PortMissing(LinkError):
    """There is no such port now."""

    code = "port_missing"
    default_advice = "Connect the wearable, or correct the port in the configuration."


class PortBusy(LinkError):
    """Another program uses the port."""

    code = "port_busy"
    default_advice = "Close the other program. If it is an agent, `cytowatch doctor` names it."


class PortDenied(LinkError):
    """The operating system does not let this user open the port."""

    code = "port_denied"
    default_advice = "Give this user access to serial ports (on Linux: the group dialout), then log in again."


class RadioUnavailable(LinkError):
    """This laptop's Bluetooth cannot be used now."""

    code = "ble_unavailable"
    default_advice = (
        "Switch Bluetooth on. On Linux: `bluetoothctl power on`, and the service `bluetooth` must run."
    )


class WearableNotHeard(LinkError):
    """This laptop did not hear the wearable by radio."""

    code = "ble_not_heard"
    default_advice = (
        "Bring the wearable closer and check that it is charged. `cytowatch scan` lists what is heard."
    )


class PairingFailed(LinkError):
    """The wearable and this laptop could not be paired."""

    code = "ble_pairing"
    default_advice = (
        "Hold the wearable's button for one second while it starts. You then have two minutes to pair. "
        "If this laptop and the wearable were paired before, first remove the wearable in the Bluetooth settings."
    )


class HelloTimeout(LinkError):
    """Nobody on the port answered HELLO in time."""

    code = "no_answer"
    default_advice = "Check that this is the wearable's port, then press the wearable's reset button."


class DeviceAtRepl(LinkError):
    """The port shows a Python prompt: the wearable's application is stopped, and nobody is monitored."""

    code = "at_repl"
    default_advice = "Restart the wearable: `cytowatch release PORT`, then `mpremote connect PORT reset`."


class SessionRefused(LinkError):
    """One side refused the session; `.reason` is a REFUSE number of crs_core.wire.hello, 0 without one."""

    code = "refused"
    default_advice = "Enrol this laptop again, or update the older one of agent and firmware."

    def __init__(self, message: str, reason: int = 0, advice: str | None = None) -> None:
        super().__init__(message, advice)
        self.reason = reason


class NotEnrolled(SessionRefused):
    """This laptop does not hold the key of the wearable."""

    code = "not_enrolled"
    default_advice = "Enrol the wearable: `cytowatch enrol FILE`, with the file that provisioning made."


class SessionClosed(LinkError):
    """The wearable or the agent ended the session."""

    code = "session_closed"
    default_advice = "The agent opens a new session by itself."


# --- protocol -----------------------------------------------------------------------------------------------


class ProtocolError(HostAgentError):
    """An answer that the protocol does not allow, or no answer before its deadline."""

    code = "protocol"
    default_advice = "Update the older one of agent and firmware."


class AnswerTimeout(ProtocolError):
    """A request got no answer before its deadline."""

    code = "answer_timeout"
    default_advice = "The wearable is busy, or the link is bad. The agent tries again."


class RequestRefused(ProtocolError):
    """The wearable refused a request; `.result_code` is the code of its RESULT."""

    code = "request_refused"
    default_advice = "Nothing was changed. See `cytowatch status` and `cytowatch doctor`, then try again."

    def __init__(self, message: str, result_code: int, advice: str | None = None) -> None:
        super().__init__(message, advice)
        self.result_code = result_code


class NotAllowed(RequestRefused):
    """The key of this laptop lacks the right that the request needs; nothing was changed."""

    code = "not_allowed"
    default_advice = (
        "Do it on the custodian's laptop, or on one whose key may: `cytowatch hosts list` shows them."
    )


# --- store --------------------------------------------------------------------------------------------------


class StoreError(HostAgentError):
    """The database could not be read or written; nothing was acknowledged to any wearable."""

    code = "store"
    default_advice = "Nothing is lost: the wearable keeps its records. Run `cytowatch doctor`."


class StoreFull(StoreError):
    """The disk, the quota or the page limit is full."""

    code = "store_full"
    default_advice = "Free disk space. The wearable keeps its records until then."


class StoreReadOnly(StoreError):
    """The database cannot be written: permissions, a read-only disk, a missing folder."""

    code = "store_read_only"
    default_advice = (
        "Make the state folder writable for this user. The wearable keeps its records until then."
    )


class StoreLocked(StoreError):
    """Another program has been writing the database for too long."""

    code = "store_locked"
    default_advice = "Close other programs that write to cytowatch.db."


class StoreCorrupt(StoreError):
    """The file is not a sound database."""

    code = "store_corrupt"
    default_advice = (
        "Stop the agent and keep a copy of cytowatch.db. Then restore a backup, or start with a new file."
    )


class SchemaNewer(StoreError):
    """The database was written by a later version of this program."""

    code = "schema_newer"
    default_advice = "Update cytowatch: an older version must not write to this database."


# --- forward ------------------------------------------------------------------------------------------------


class ForwardError(HostAgentError):
    """An event was not delivered."""

    code = "forward"
    default_advice = "Check the address of the receiver, and its log."
