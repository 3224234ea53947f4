"""The HIGH alarms that stand about a patient: what makes the end of monitoring an act that needs a guard."""

from crs_core.codes import PRIORITY_HIGH

from host_agent.store.alarm_changes import standing_alarms
from host_agent.store.bindings import Binding
from host_agent.store.db import Tx
from host_agent.store.host_alarms import open_alarms
from host_agent.store.journals import all_journals


def standing_high(tx: Tx, binding: Binding) -> set[int]:
    """The HIGH alarms about this binding that have not ended, raised by the wearable or by this laptop.

    Every journal of the binding counts, those before a fork too: an alarm whose end is nowhere stands.
    """
    journals = [one.id for one in all_journals(tx) if one.binding == binding.row]
    found = {
        change.alarm
        for journal in journals
        for change in standing_alarms(tx, journal)
        if change.priority >= PRIORITY_HIGH
    }
    return found | {
        one.alarm for one in open_alarms(tx) if one.device == binding.device and one.priority >= PRIORITY_HIGH
    }
