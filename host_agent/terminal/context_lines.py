"""Entries of views/context_rows.py as people type and read them."""

from typing import Any


def value_text(value: Any) -> str:
    """A value as it is typed: lists with commas, none as `withdrawn`."""
    if value is None:
        return "withdrawn"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(value) or "none"
    return str(value)


def values_text(values: dict[str, Any]) -> str:
    """`key=value` of each, in the order in which they stand."""
    return ", ".join(f"{key}={value_text(value)}" for key, value in values.items())


def entry_line(row: dict[str, Any]) -> str:
    """One entry for people."""
    corrects = f", corrects {row['corrects'][:8]}" if row["corrects"] else ""
    by = f", corrected by {', '.join(one[:8] for one in row['corrected_by'])}" if row["corrected_by"] else ""
    return f"{row['entry'][:8]}  {row['account']}: {values_text(row['values'])}{corrects}{by} ({row['wearable']})"
