"""Records of the wearable of P-1 in the store, as sync leaves them: readings, grades, alarm changes."""

from typing import Any

from crs_core import codes, context, units
from crs_core.grade import bedside, entries, entry_numbers, grader, grader_state, rules
from crs_core.journal import record_layout, record_writer

from tests.host.people.people_world import PeopleWorld

UP_MS = 20 * 86_400_000  # how long its boot 1 has lasted
USUAL = {codes.FEVER_MET: codes.R_FEVER_MET, codes.FEVER_UNKNOWN: codes.R_TEMP_ABSENT}


class WearableRows:
    """Rows `ago_ms` before the world's time. Boot 1 is dated by one time mark, every other boot by none."""

    def __init__(self, world: PeopleWorld) -> None:
        self.world = world
        self.seq = 0
        self.boot_utc_ms = world.now_ms - UP_MS
        self.write(
            "INSERT INTO journals (id, device, journal_id, binding, first_seen_utc_ms) VALUES (1, 1, ?, 1, 0)",
            b"JOURNAL1",
        )
        self.write("INSERT INTO time_marks VALUES (1, 1, ?, 'journal', ?, 20, NULL, 0)", UP_MS, world.now_ms)

    def write(self, sql: str, *values: Any) -> None:
        self.world.store.write_now(lambda tx: tx.execute(sql, values))

    def started(self, ago_ms: int) -> None:
        """The binding began then."""
        self.write("UPDATE bindings SET started_utc_ms = ? WHERE id = 1", self.world.now_ms - ago_ms)

    def _at(self, ago_ms: int) -> tuple[int, int]:
        self.seq += 1
        return self.seq, self.world.now_ms - ago_ms - self.boot_utc_ms

    def reading(
        self, temp_cc: int | None = 3680, spo2_tenths: int | None = 970, hr_bpm: int | None = 84, *,
        ago_ms: int = 0, boot: int = 1, site: int = units.SITE_AXILLA, temp_state: int = units.TEMP_VALID,
        ppg_state: int = units.PPG_VALID, wear: int = units.WEAR_WORN,
    ) -> None:  # fmt: skip
        seq, t_ms = self._at(ago_ms)
        status = units.make_status(site, temp_state, ppg_state, wear)
        self.write(
            "INSERT INTO readings VALUES (1, ?, ?, ?, ?, ?, ?, 150, ?, 0)",
            seq, boot, t_ms, temp_cc, spo2_tenths, hr_bpm, status,
        )  # fmt: skip

    def grade(self, fever: int, *, ago_ms: int = 0, why: int | None = None, boot: int = 1) -> None:
        """A GRADE record with this fever; the interval in it is not read."""
        seq, t_ms = self._at(ago_ms)
        reason = USUAL.get(fever, codes.R_BELOW_AT_AXILLA) if why is None else why
        self.write(
            "INSERT INTO grades VALUES (1, ?, ?, ?, 1, 2019, ?, 0, 4, ?, 1, ?, x'', 0, 0, 0)",
            seq, boot, t_ms, rules.rule_hash(rules.DEFAULT), fever, bytes([reason]),
        )  # fmt: skip

    def alarm(self, alarm: int, priority: int = 2, *, ago_ms: int = 0) -> None:
        seq, t_ms = self._at(ago_ms)
        self.write("INSERT INTO alarm_changes VALUES (1, ?, ?, ?, 1, ?, 0)", seq, alarm, priority, t_ms)


class WearableJournal:
    """What the wearable journals of entries, by the firmware's own rules: CONTEXT, GRADER_STATE and BOOT records."""

    def __init__(self, rows: WearableRows) -> None:
        self.rows = rows
        self.boot = 1
        self.state = grader.new_state()
        self.boot_utc_ms = rows.boot_utc_ms
        self.got: list[tuple[int, bytes, dict[int, int | None]]] = []
        self.fails: list[Exception] = []

    def may(self, right: int) -> bool:
        return True

    async def send_context(self, data: bytes) -> None:
        """As the client of a session; `fails` are raised first, one a try."""
        if self.fails:
            raise self.fails.pop(0)
        self.takes(data)

    def takes(self, data: bytes) -> None:
        """Journal one entry and grade with it."""
        age_ms, proof, numbers = context.decode(data)
        self.got.append((age_ms, proof, numbers))
        now_ms = self._now_ms()
        self.state = bedside.enter(
            self.state, entry_numbers.values_of(numbers), now_ms - age_ms, rules.DEFAULT
        )
        self._journal(record_layout.CONTEXT, data)
        self._journal(
            record_layout.GRADER_STATE,
            record_writer.write(
                record_layout.GRADER_STATE, 4, bytes(8), b"", grader.encode_state(self.state, now_ms)
            ),
        )

    def restarts(self) -> None:
        """After a while without power: nobody on the wearable knows how long."""
        encoded = grader.encode_state(self.state, self._now_ms())
        self.rows.write(
            "INSERT INTO boots (device, boot, last_ms, received_utc_ms) VALUES (1, ?, ?, ?)",
            self.boot, self._now_ms(), self.rows.world.now_ms,
        )  # fmt: skip
        self.boot += 1
        self.boot_utc_ms = self.rows.world.now_ms
        self.state = grader.after_boot(grader.decode_state(encoded, 0), rules.DEFAULT)
        self.rows.write(
            "INSERT INTO time_marks VALUES (1, ?, 0, 'journal', ?, 20, NULL, 0)", self.boot, self.boot_utc_ms
        )
        self._journal(
            record_layout.BOOT,
            record_writer.write(
                record_layout.BOOT,
                2,
                self.boot - 1,
                0,
                0,
                1,
                bytes(8),
                "1",
                b"",
                grader.encode_state(self.state, 0),
            ),
        )

    def in_force(self) -> dict[str, Any]:
        """{key: value} that the wearable grades with now."""
        return dict(entries.in_force(self.state[grader_state.TOLD]))

    def _now_ms(self) -> int:
        return self.rows.world.now_ms - self.boot_utc_ms

    def _journal(self, kind: int, payload: bytes) -> None:
        self.rows.seq += 1
        self.rows.write(
            "INSERT INTO events VALUES (1, ?, ?, ?, ?, ?, 0, 1)",
            self.rows.seq, self.boot, self._now_ms(), kind, payload,
        )  # fmt: skip
