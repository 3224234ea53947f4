"""The journals of each wearable, and the changes of journal that this host announced beforehand."""

from typing import NamedTuple

from host_agent.store.db import Tx
from host_agent.store.rows import Journal

NO_BINDING = bytes(8)
_COLUMNS = (
    "j.id, j.device, d.device_id, j.journal_id, j.branch, j.parent, j.base_seq, j.binding, j.cursor"
    " FROM journals j JOIN devices d ON d.id = j.device"
)


class Opened(NamedTuple):
    """Answer of `open_journal`. `unexpected`: it replaces a known journal, and nothing on this host announced that.

    `returned`: it is a journal that another one had replaced, so the wearable's flash is an older image.
    """

    journal: Journal
    is_new: bool
    unexpected: bool
    returned: bool


def expect_journal(tx: Tx, device_id: bytes, why: str, binding: int | None, utc_ms: int) -> int:
    """Announce that this wearable will show a new journal; `why` is provisioned, patient_start or patient_end.

    Returns a number for `forget_expected`.
    """
    cursor = tx.execute(
        "INSERT INTO journal_changes (device_id, why, binding, created_utc_ms) VALUES (?, ?, ?, ?)",
        (device_id, why, binding, utc_ms),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def forget_expected(tx: Tx, change: int) -> None:
    """Withdraw an announcement: the request was refused, so no new journal will come."""
    tx.execute("DELETE FROM journal_changes WHERE id = ? AND used_by IS NULL", (change,))


def forget_expected_end(tx: Tx, device: int) -> None:
    """Withdraw every announcement of a `patient end` of this wearable (row id): it still is bound."""
    tx.execute(
        "DELETE FROM journal_changes WHERE used_by IS NULL AND why = 'patient_end'"
        " AND device_id = (SELECT device_id FROM devices WHERE id = ?)",
        (device,),
    )


def open_journal(tx: Tx, device: int, journal_id: bytes, binding_id: bytes, utc_ms: int) -> Opened:
    """The row for the journal that a wearable shows now; makes it current.

    The binding is the one whose id stands in the journal's header, when this host knows it; else NULL: quarantine.
    """
    binding = binding_row(tx, device, binding_id)
    current = current_journal(tx, device)
    if current is not None and current.journal_id == journal_id:
        if current.binding is None and binding is not None:
            tx.execute("UPDATE journals SET binding = ? WHERE id = ?", (binding, current.id))
            current = current._replace(binding=binding)
        return Opened(current, False, False, False)
    expected = None
    if current is not None:
        # only a matching announcement: a start that never reached the wearable must not excuse an empty journal later
        expected = tx.execute(
            "SELECT c.id FROM journal_changes c LEFT JOIN bindings b ON b.id = c.binding WHERE c.used_by IS NULL"
            " AND c.device_id = (SELECT device_id FROM devices WHERE id = ?) AND (c.why = 'provisioned'"
            " OR (c.why = 'patient_start' AND b.binding_id = ?) OR (c.why = 'patient_end' AND ?)) LIMIT 1",
            (device, binding_id, binding_id == NO_BINDING),
        ).fetchone()
        tx.execute("UPDATE journals SET is_current = 0 WHERE id = ?", (current.id,))
    known = tx.execute(
        "SELECT id FROM journals WHERE device = ? AND journal_id = ? ORDER BY branch DESC LIMIT 1",
        (device, journal_id),
    ).fetchone()
    if known:
        row_id = int(known[0])
        tx.execute("UPDATE journals SET is_current = 1 WHERE id = ?", (row_id,))
        return Opened(journal_by_id(tx, row_id), False, True, True)
    row_id = _insert(tx, (device, journal_id, 0, None, 0, binding, 0, 0, utc_ms))
    # the first journal of a wearable also uses up all announcements, so that no later journal can use them
    tx.execute(
        "UPDATE journal_changes SET used_by = ? WHERE used_by IS NULL AND device_id ="
        " (SELECT device_id FROM devices WHERE id = ?)",
        (row_id, device),
    )
    return Opened(journal_by_id(tx, row_id), True, current is not None and expected is None, False)


def open_branch(tx: Tx, journal: Journal, base_seq: int, utc_ms: int) -> Journal:
    """A new branch that shares everything up to `base_seq` with `journal` and becomes the current one."""
    tx.execute("UPDATE journals SET is_current = 0 WHERE id = ?", (journal.id,))
    cursor = min(journal.cursor, base_seq)
    row_id = _insert(
        tx,
        (journal.device, journal.journal_id, journal.branch + 1, journal.id, base_seq, journal.binding,
         cursor, cursor, utc_ms),
    )  # fmt: skip
    return journal_by_id(tx, row_id)


def current_journal(tx: Tx, device: int) -> Journal | None:
    """The journal that this wearable showed last."""
    row = tx.execute(f"SELECT {_COLUMNS} WHERE j.device = ? AND j.is_current = 1", (device,)).fetchone()
    return Journal(*row) if row else None


def journal_by_id(tx: Tx, row_id: int) -> Journal:
    """One journal row; KeyError when there is none."""
    row = tx.execute(f"SELECT {_COLUMNS} WHERE j.id = ?", (row_id,)).fetchone()
    if row is None:
        raise KeyError(row_id)
    return Journal(*row)


def journals_of(tx: Tx, device: int) -> list[Journal]:
    """All journals and branches of a wearable, oldest first."""
    return [
        Journal(*row) for row in tx.execute(f"SELECT {_COLUMNS} WHERE j.device = ? ORDER BY j.id", (device,))
    ]


def all_journals(tx: Tx) -> list[Journal]:
    """All journals and branches, by wearable, oldest first."""
    return [Journal(*row) for row in tx.execute(f"SELECT {_COLUMNS} ORDER BY j.device, j.id")]


def journals_of_binding(tx: Tx, binding: int) -> list[Journal]:
    """All journals and branches of a binding (row id), oldest first."""
    return [
        Journal(*row)
        for row in tx.execute(f"SELECT {_COLUMNS} WHERE j.binding = ? ORDER BY j.id", (binding,))
    ]


def current_journal_of_binding(tx: Tx, binding: int) -> Journal | None:
    """The journal that the wearable of this binding (row id) showed last, when it belongs to the binding."""
    row = tx.execute(f"SELECT {_COLUMNS} WHERE j.binding = ? AND j.is_current = 1", (binding,)).fetchone()
    return Journal(*row) if row else None


def binding_row(tx: Tx, device: int, binding_id: bytes) -> int | None:
    """Row id of a binding of this wearable that this host knows; None for zeros and for strangers."""
    if binding_id == NO_BINDING:
        return None
    row = tx.execute(
        "SELECT id FROM bindings WHERE binding_id = ? AND device = ?", (binding_id, device)
    ).fetchone()
    return int(row[0]) if row else None


def _insert(tx: Tx, row: tuple[object, ...]) -> int:
    made = tx.execute(
        "INSERT INTO journals (device, journal_id, branch, parent, base_seq, binding, cursor, verified_seq,"
        " first_seen_utc_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    assert made.lastrowid is not None
    return made.lastrowid
