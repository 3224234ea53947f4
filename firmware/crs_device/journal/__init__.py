"""The journal: see journal.py for what survives."""

from crs_device.journal.header import UNBOUND, JournalMissing
from crs_device.journal.journal import Journal

__all__ = ("UNBOUND", "Journal", "JournalMissing")
