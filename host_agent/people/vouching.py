"""Who stands behind an account: whoever added it, and whoever vouched for it later, each by a signature.

A second signature is worth something only when it cannot be one person's: nobody but the administrator code may stand
behind both accounts. One person who adds accounts, or lets them add one another, stays behind all of them.
"""

from collections.abc import Iterable, Mapping

from host_agent.people.asking import Ask, Refusal
from host_agent.people.entry import ADMINISTRATOR, Entry, MalformedEntryError, decode
from host_agent.store.accounts import account
from host_agent.store.audit import rows_of_kinds
from host_agent.store.db import Tx

Vouchers = Mapping[str, set[str]]
_KINDS = ("account_add", "vouch")


def note(vouchers: dict[str, set[str]], entry: Entry) -> None:
    """Add what one entry of the chain says; entries of other kinds say nothing about it."""
    if entry.kind in _KINDS and isinstance(entry.values.get("name"), str):
        vouchers.setdefault(entry.values["name"], set()).add(entry.account)


def vouchers_of(tx: Tx) -> dict[str, set[str]]:
    """Account -> the accounts that stand behind it. The first account names itself."""
    found: dict[str, set[str]] = {}
    for row in rows_of_kinds(tx, _KINDS):
        try:
            note(found, decode(row.entry))
        except MalformedEntryError:
            continue  # somebody changed the row: nothing is believed of it, and `audit verify` names it
    return found


def stands_behind_both(vouchers: Vouchers, first: str, second: str) -> str | None:
    """An account whose holder alone can have made both of these accounts, None when there is no such account."""
    for one in (first, second, *sorted(vouchers)):
        if not _is_vouched(vouchers, first, without=one) and not _is_vouched(vouchers, second, without=one):
            return one
    return None


def why_not_second(tx: Tx, first: str, second: str) -> str:
    """Why `second` is no second person beside `first`; "" when it is. Every countersigned act asks here."""
    if first == second:
        return "A second clinician must countersign, not the clinician who signed."
    one = stands_behind_both(vouchers_of(tx), first, second)
    if one is None:
        return ""
    return f"A second clinician must countersign. {first} and {second} may be one person: {one} stands behind both."


def without_partner(vouchers: Vouchers, clinicians: Iterable[str]) -> list[str]:
    """The clinicians whose death records none of the others could countersign."""
    names = list(clinicians)
    return [
        one
        for one in names
        if not any(other != one and stands_behind_both(vouchers, one, other) is None for other in names)
    ]


def check(tx: Tx, ask: Ask) -> Refusal | None:
    """Whether this account may be vouched for by whoever signs."""
    values = ask.entry.values
    name = values.get("name")
    known = account(tx, name) if isinstance(name, str) else None
    if set(values) != {"name", "public_key"}:
        return Refusal("bad_value", "a vouching has name and public_key")
    if known is None or known.public_key.hex() != values["public_key"]:
        return Refusal("unknown_account", f"There is no account {name} with this key.")
    if known.is_disabled:
        return Refusal("conflict", f"Account {name} is disabled.")
    if known.name == ask.entry.account:
        return Refusal("not_allowed", "Nobody vouches for the own account.")
    if ask.entry.account in vouchers_of(tx).get(known.name, ()):
        return Refusal("conflict", f"{_words(ask.entry.account)} stands behind {name} already.")
    return None


def _words(voucher: str) -> str:
    return "The administrator code" if voucher == ADMINISTRATOR else voucher


def _is_vouched(vouchers: Vouchers, name: str, *, without: str) -> bool:
    """Whether `name` is vouched for, step by step from the administrator or the first account, without this one."""
    seen: set[str] = set()
    open_names = [name]
    while open_names:
        one = open_names.pop()
        if one == without or one in seen:
            continue
        if one == ADMINISTRATOR or one in vouchers.get(one, ()):
            return True
        seen.add(one)
        open_names += vouchers.get(one, ())
    return False


def plain(vouchers: Vouchers, name: str) -> list[str]:
    """Who stands behind one account, in words, the administrator code first."""
    return [_words(one) for one in sorted(vouchers.get(name, ()))]
