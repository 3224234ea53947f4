"""What the words of an alarm of the host need to know: since when nothing came, or what was not entered."""

from typing import Any

from crs_core import codes

from host_agent.store.db import Tx
from host_agent.store.readings import newest_reading_time
from host_agent.sync.timebase import record_time
from host_agent.text import iso_utc, prompts_in

_SILENCES = (codes.NO_DATA_YET, codes.STALE_DATA, codes.NOT_BACK)


def facts_of_finding(tx: Tx, device: int | None, alarm: int, detail: str) -> dict[str, Any]:
    """The `facts` of an event about a finding; `device` is a row id, None: the laptop itself."""
    if alarm == codes.PROMPT_MISSED:
        return {"asked": prompts_in(detail)}
    if alarm not in _SILENCES or device is None:
        return {}
    newest = newest_reading_time(tx, device)
    at = record_time(tx, device, *newest) if newest else None
    return {"no_data_since": iso_utc(at[0])} if at else {}
