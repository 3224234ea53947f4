"""The HIGH alarms that stand about a patient: what makes the end of monitoring an act that needs a guard."""

from crs_core import code_texts
from crs_core.codes import PRIORITY_HIGH

from host_agent.store.alarm_changes import standing_alarms
from host_agent.store.bindings import Binding
from host_agent.store.db import Tx
from host_agent.store.host_alarms import open_alarms
from host_agent.store.journals import all_journals


def standing_high(tx: Tx, binding: Binding) -> list[str]:
    """Names of the HIGH alarms about this binding that have not ended, by the wearable and by this laptop."""
    journals = [one.id for one in all_journals(tx) if one.binding == binding.row]
    found = {
        change.alarm
        for journal in journals
        for change in standing_alarms(tx, journal)
        if change.priority >= PRIORITY_HIGH
    }
    found |= {
        one.alarm for one in open_alarms(tx) if one.device == binding.device and one.priority >= PRIORITY_HIGH
    }
    return sorted(code_texts.alarm_name(alarm) for alarm in found)
