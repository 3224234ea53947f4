"""Computes roll-ups again, from blocks and with the grader's own guards: `verify` compares the table with them."""

from collections.abc import Iterable
from typing import Any

from crs_core import units
from crs_core.grade import guards
from crs_core.grade.rules import DEFAULT

from host_agent.store.db import Tx
from host_agent.store.rollups import BUCKET_MS, COLUMNS, KEY

_NOTHING = (0, 0, None, None)  # n, sum, min, max


class Tally:
    """The roll-ups of one journal, from its blocks, in plain Python: they check the SQL."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, ...], list[Any]] = {}

    def add(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Add readings: seq, boot, t_ms, temp_cc, spo2_tenths, hr_bpm, pi_hundredths, status, simulated."""
        for _, boot, t_ms, temp_cc, spo2_tenths, hr_bpm, pi_hundredths, status, simulated in rows:
            key = (boot, t_ms // BUCKET_MS, units.site_of(status), simulated)
            held = self._found.setdefault(key, [0, _NOTHING, _NOTHING, _NOTHING])
            held[0] += 1
            for at, value in enumerate(valid_values(temp_cc, spo2_tenths, hr_bpm, pi_hundredths, status), 1):
                if value is not None:
                    n, total, low, high = held[at]
                    held[at] = (
                        n + 1, total + value, value if low is None else min(low, value),
                        value if high is None else max(high, value),
                    )  # fmt: skip

    def differences(self, tx: Tx, journal: int) -> list[tuple[int, ...]]:
        """Keys (boot, bucket, site, simulated) of the buckets that differ from the table, or that one side lacks."""
        stored = {
            tuple(row[: len(KEY)]): tuple(row[len(KEY) :])
            for row in tx.execute(
                f"SELECT {', '.join((*KEY, *COLUMNS))} FROM rollups WHERE journal = ?",  # noqa: S608 names of ours
                (journal,),
            )
        }
        expected = {key: (n, *temp, *spo2, *hr) for key, (n, temp, spo2, hr) in self._found.items()}
        return sorted(key for key in stored.keys() | expected.keys() if stored.get(key) != expected.get(key))


def valid_values(
    temp_cc: int | None, spo2_tenths: int | None, hr_bpm: int | None, pi_hundredths: int | None, status: int
) -> tuple[int | None, int | None, int | None]:
    """(temp_cc, spo2_tenths, hr_bpm) as far as the grader's guards let them decide when fresh and on the body."""
    wear, ppg_state = units.wear_of(status), units.ppg_state_of(status)
    worn = wear != units.WEAR_OFF
    has_temp = not guards.temp(temp_cc, units.temp_state_of(status), units.site_of(status), wear, 0, 0)
    has_spo2 = worn and not guards.ppg(spo2_tenths, pi_hundredths, ppg_state, 0, 0, DEFAULT.pi_min_hundredths)
    has_hr = worn and guards.heart_rate_usable(hr_bpm, ppg_state, 0, 0)
    return temp_cc if has_temp else None, spo2_tenths if has_spo2 else None, hr_bpm if has_hr else None
