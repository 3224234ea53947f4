"""Who may sign here, whether two of them can stand for a death together, and who made the administrator code."""

from typing import NamedTuple

from host_agent.people import administrator, roles, vouching
from host_agent.people.entry import MalformedEntryError, decode
from host_agent.store.accounts import accounts
from host_agent.store.audit import first_of_kind
from host_agent.store.db import Tx

_AT_INSTALLATION = 2  # the row after that of the first account


class Signers(NamedTuple):
    """`without_partner`: the clinicians whose signature on a death nobody here could countersign.

    `code_made_by` is who made the administrator code, `code_made_utc_ms` when; both None when there is none, or when
    it was made with the first account.
    """

    clinicians: list[str]
    without_partner: list[str]
    has_code: bool
    code_made_by: str | None
    code_made_utc_ms: int | None


def read_signers(tx: Tx) -> Signers:
    """The clinicians who can sign now."""
    clinicians = [one.name for one in accounts(tx) if one.role == roles.CLINICIAN and not one.is_disabled]
    alone = vouching.without_partner(vouching.vouchers_of(tx), clinicians)
    row = first_of_kind(tx, administrator.KIND)
    if row is None or row.seq <= _AT_INSTALLATION:
        return Signers(clinicians, alone, row is not None, None, None)
    try:
        who = decode(row.entry).account
    except MalformedEntryError:
        who = "?"
    return Signers(clinicians, alone, True, who, row.stored_utc_ms)
