"""Reading the two chains as one sequence: the next block, or the gap before it with its reason."""

from crs_core.journal import block_layout
from crs_core import codes


def read_from(journal, r, e, seq: int, kind: int):  # type: ignore[no-untyped-def]
    """As Journal.read_from, over the readings chain `r` and the events chain `e`."""
    for _ in range(3):
        if seq > journal.head_seq:
            return None
        best, chain, damaged = None, e, False
        for each in (e,) if kind == block_layout.KIND_EVENTS else (e, r):
            found, bad = each.find(seq)
            damaged = damaged or bad
            if found is not None and (best is None or found.first_seq < best.first_seq):
                best, chain = found, each
        if best is None:
            return None if kind else ("gap", seq, journal.head_seq, _reason(journal, r, e, seq, damaged))
        if best.first_seq > seq and not kind:
            return "gap", seq, best.first_seq - 1, _reason(journal, r, e, seq, damaged)
        data = chain.load_block(best)
        if data is not None:
            return "block", best, data
    raise OSError(5)  # three times a block was found, but could not be read


def _reason(journal, r, e, seq: int, damaged: bool) -> int:  # type: ignore[no-untyped-def]
    if damaged:
        return codes.GAP_CORRUPT
    if seq < max(r.floor(), e.floor()) or seq <= journal.thinned_seq:
        return codes.GAP_DROPPED
    return codes.GAP_FLASH_FAILED
