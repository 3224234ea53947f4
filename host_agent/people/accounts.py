"""Accounts: a name, a role and a public key. Added and disabled by signed entries; an account is never removed.

The first account signs itself in and must be a clinician's. From then on a clinician or the administrator code signs
for every other, and so stands behind it (vouching.py).
"""

from typing import Any

from host_agent.people import administrator, roles
from host_agent.people.asking import Ask, Refusal
from host_agent.people.entry import ADMINISTRATOR, Entry, is_account_name, key_id_of
from host_agent.store.accounts import (
    Account,
    account,
    account_of_key,
    accounts,
    add_account,
    disable_account,
)
from host_agent.store.db import Tx

_DRAWN_ALIKE = str.maketrans("0il", "o11", "._-")


def signer_of(tx: Tx, entry: Entry) -> Account | None:
    """Whose key must have signed this entry, over a chain that is not empty; None for an unknown name."""
    return administrator.administrator(tx) if entry.account == ADMINISTRATOR else account(tx, entry.account)


def first_account(entry: Entry) -> Account | Refusal:
    """The account that an entry over an empty chain signs in: its own, and a clinician's."""
    fault = add_fault(entry.values)
    if entry.kind != "account_add" or fault:
        return Refusal(
            "unknown_account", "No account exists: the first one must be added before anything is signed."
        )
    if entry.values["name"] != entry.account or entry.values["role"] != roles.CLINICIAN:
        return Refusal("not_allowed", "The first account must be a clinician's, and it signs for itself.")
    return account_from(entry.values, 1)


def add_fault(values: dict[str, Any]) -> str:
    """What is wrong with the values of an account_add entry; "" when nothing is."""
    if set(values) != {"name", "role", "public_key"}:
        return "an account has name, role and public_key"
    if not is_account_name(values["name"]):
        return f"{values['name']!r} is no account name"
    if values["role"] not in roles.ROLES:
        return f"role: expected one of {', '.join(roles.ROLES)}, found {values['role']!r}"
    public_key = values["public_key"]
    if not isinstance(public_key, str) or len(public_key) != 64 or set(public_key) - set("0123456789abcdef"):
        return "public_key: not 32 bytes in hex"
    return ""


def check_add(tx: Tx, ask: Ask) -> Refusal | None:
    """Whether this account may be added."""
    values = ask.entry.values
    if fault := add_fault(values):
        return Refusal("bad_value", fault)
    if account(tx, values["name"]) is not None:
        return Refusal("conflict", f"An account {values['name']} exists already. A name is used once.")
    drawn = _as_drawn(values["name"])
    # the lists of accounts say `administrator` of the code
    taken = (ADMINISTRATOR.strip("@"), *(one.name for one in accounts(tx)))
    if alike := next((name for name in taken if _as_drawn(name) == drawn), None):
        return Refusal("conflict", f"{values['name']} is too easily taken for {alike}. Choose another name.")
    key_id = key_id_of(bytes.fromhex(values["public_key"]))
    code = administrator.administrator(tx)
    if account_of_key(tx, key_id) is not None or (code is not None and code.key_id == key_id):
        return Refusal("conflict", "This key belongs to another account.")
    return None


def _as_drawn(name: str) -> str:
    """The name without what readers of a screen overlook: `nurse-1`, `nurse_l` and `nursei` are one."""
    return name.translate(_DRAWN_ALIKE).replace("rn", "m").replace("vv", "w")


def keep_add(tx: Tx, ask: Ask, audit: int) -> None:
    """Store the account that the entry in this audit row adds."""
    add_account(tx, account_from(ask.entry.values, audit))


def check_disable(tx: Tx, ask: Ask) -> Refusal | None:
    """Whether this account may be disabled. The last clinician's may not: nobody could sign or add anybody any more."""
    name = ask.entry.values.get("name")
    if set(ask.entry.values) != {"name"} or not isinstance(name, str):
        return Refusal("bad_value", "name: the account to disable")
    known = account(tx, name)
    if known is None:
        return Refusal("unknown_account", f"There is no account {name}.")
    if known.is_disabled:
        return Refusal("conflict", f"Account {name} is disabled already.")
    clinicians = [other for other in accounts(tx) if other.role == roles.CLINICIAN and not other.is_disabled]
    if [other.name for other in clinicians] == [name]:
        return Refusal(
            "conflict",
            f"{name} is the last clinician. Without a clinician nobody could sign or add accounts.",
        )
    return None


def keep_disable(tx: Tx, ask: Ask, audit: int) -> None:
    """Disable the account that the entry names."""
    disable_account(tx, ask.entry.values["name"], audit)


def account_from(values: dict[str, Any], audit: int) -> Account:
    """The account that the values of an account_add entry without a fault state; `audit` is the entry's row."""
    public_key = bytes.fromhex(values["public_key"])
    return Account(values["name"], values["role"], key_id_of(public_key), public_key, audit, False)
