"""What a key may do: the rights in its role, and the right that each message to the wearable needs.

The wearable decides by this table; a host reads it so as not to ask in vain. PROTOCOL.md, section 5, shows it.
"""

from crs_core.compat import const
from crs_core.wire import message as wire

READ = const(1)  # records, values, status, settings, names of keys
TIME = const(2)  # date the records
ACCEPT = const(4)  # accept alarms; only such a host counts as one that is there
CONTEXT = const(8)  # bring what people entered
SETTINGS = const(16)  # settings, self-test, maintenance, planned pause
BIND = const(32)  # begin and end a patient's binding, revoke keys
ALL = const(63)

CUSTODIAN = const(1)  # every right, and its acknowledgement alone frees flash
READER = const(2)  # READ alone
OTHER = const(128)  # plus the rights of the key, READ among them

# Bye is not here: either side may always end its own session. Ack frees flash for the custodian alone, and Time is
# journaled only with TIME.
NEEDED = {
    wire.ReadFrom: READ,
    wire.Ack: READ,
    wire.Time: READ,
    wire.Settings: SETTINGS,
    wire.Context: CONTEXT,
    wire.Bind: BIND,
    wire.AlarmAccept: ACCEPT,
    wire.NobodyReached: ACCEPT,
    wire.SelfTest: SETTINGS,
    wire.Maintenance: SETTINGS,
    wire.Ping: READ,
    wire.Keys: BIND,
    wire.StatusAsk: READ,
    wire.Pause: SETTINGS,
}


def of_role(role: int) -> int:
    """The rights that a role stands for; 0 for a role that this version does not know."""
    if role == CUSTODIAN:
        return ALL  # type: ignore[no-any-return]
    if role == READER:
        return READ  # type: ignore[no-any-return]
    rights = role - OTHER
    return rights if 0 < rights <= ALL and rights & READ else 0


def needed(message: tuple) -> int:  # type: ignore[type-arg]
    """The right that this message needs; 0 when it is no request that a wearable knows."""
    kind = type(message)
    if kind in (wire.Settings, wire.Keys) and message.op == 0:  # type: ignore[attr-defined]  # only asks
        return READ  # type: ignore[no-any-return]
    return NEEDED.get(kind, 0)  # type: ignore[no-any-return]
