"""What an entry tells the wearable: queued in the commit that took the entry, sent until the wearable journaled it.

Each goes with the age that it has when it is sent, under the same proof; twice is harmless.
"""

import json
import struct

from crs_core import context
from crs_core.errors import CoreError

from host_agent.store.db import Tx
from host_agent.store.outgoing import Outgoing, add_outgoing


def queue(
    tx: Tx, audit: int, binding: int, proof: bytes, *, observed_utc_ms: int, numbers: dict[int, int | None]
) -> None:
    """Queue what one entry tells the wearable: key number of crs_core.context → value, None to withdraw it."""
    context.encode(0, proof, numbers)  # LocalError here, and not when it is sent at night
    add_outgoing(
        tx,
        audit,
        binding,
        proof,
        observed_utc_ms=observed_utc_ms,
        numbers=json.dumps(numbers, sort_keys=True),
    )


def numbers_in(item: Outgoing) -> dict[int, int | None]:
    """Key number → value of a queued entry."""
    return {int(key): value for key, value in json.loads(item.numbers).items()}


def readable_numbers(item: Outgoing) -> dict[int, int | None]:
    """As `numbers_in`; nothing of a row that is damaged: one bad row hides no other."""
    try:
        found = numbers_in(item)
        context.encode(0, item.proof, found)
    except (ValueError, TypeError, AttributeError, RecursionError, struct.error, CoreError):
        return {}
    return found


def message_of(item: Outgoing, now_ms: int, least_age_ms: int = 0) -> bytes:
    """The bytes of CONTEXT for a queued entry, with its age as of `now_ms`, and never less than `least_age_ms`."""
    age_ms = max(least_age_ms, now_ms - item.observed_utc_ms)
    return context.encode(age_ms, item.proof, numbers_in(item))
