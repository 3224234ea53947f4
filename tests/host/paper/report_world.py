"""A patient of a day with fever, low oxygen, gaps, entries and acceptances, for the page about them."""

import datetime

import pypdf
from crs_core import codes, units

from host_agent.patient.profile import Profile, encode_profile
from host_agent.store.bindings import binding_by_row
from tests.host.people.people_world import HOUR_MS, MIN_MS, PeopleWorld
from tests.host.people.wearable_rows import WearableRows

NOW_MS = round(datetime.datetime(2026, 3, 31, 14, 5, tzinfo=datetime.UTC).timestamp() * 1000)
SETTINGS = "device_name=Bed 3\nemergency_number=112\npatient_call_number=555-0100\nsite=axilla\n"


class ReportWorld(PeopleWorld):
    """P-1 since 20 hours, at 14:05 UTC of 31 March 2026."""

    def __init__(self, folder, *, simulated=False, **profile):
        super().__init__(folder)
        self.now_ms = NOW_MS
        self.rows = WearableRows(self)
        usual = {"patient": "P-1", "age_years": 54, "site": "axilla", "infusion_date": "2026-03-27",
                 "product": "axicabtagene ciloleucel", "systolic_mmhg": 130, "call_number": "555-0199"}  # fmt: skip
        text = encode_profile(Profile(**(usual | profile)))
        self.rows.write("UPDATE bindings SET state = 'ended' WHERE device = 2")
        self.rows.write("UPDATE bindings SET profile = ? WHERE id = 1", text)
        self.rows.write(
            "UPDATE devices SET settings = ?, simulated = ? WHERE id = 1", SETTINGS, int(simulated)
        )
        self.rows.write("UPDATE journals SET is_current = 1 WHERE id = 1")
        self.rows.started(20 * HOUR_MS)

    def readings(self, from_h, to_h, temp=lambda hour: 3690, spo2=lambda hour: 970, each_s=60):
        """Readings from `from_h` to `to_h` hours ago, with their five-minute roll-ups."""
        rows, buckets = [], {}
        status = units.make_status(units.SITE_AXILLA, units.TEMP_VALID, units.PPG_VALID, units.WEAR_WORN)
        for ago_s in range(round(from_h * 3600), round(to_h * 3600), -each_s):
            seq, t_ms = self.rows._at(ago_s * 1000)
            cc, tenths = temp(ago_s / 3600), spo2(ago_s / 3600)
            rows.append((1, seq, 1, t_ms, cc, tenths, 84, 150, status, 0))
            buckets.setdefault(t_ms // 300_000, []).append((cc, tenths))
        self.store.write_now(
            lambda tx: tx.executemany("INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        )
        made = []
        for bucket, found in buckets.items():
            figures = []
            for column in range(2):
                values = [one[column] for one in found if one[column] is not None]
                figures += [len(values), sum(values), min(values, default=None), max(values, default=None)]
            made.append(
                (
                    1,
                    1,
                    bucket,
                    units.SITE_AXILLA,
                    0,
                    len(found),
                    *figures,
                    len(found),
                    84 * len(found),
                    84,
                    84,
                )
            )
        marks = ", ".join("?" for _ in made[0])
        self.store.write_now(
            lambda tx: tx.executemany(f"INSERT OR IGNORE INTO rollups VALUES ({marks})", made)
        )

    def a_day(self):
        """Fever in the evening, a low saturation in the night, two gaps, three alarms, some entries."""
        self.readings(20, 9, lambda h: 3690 + max(0, round((14 - h) * 40)))
        self.readings(7.5, 3, lambda h: 3900 - round((7.5 - h) * 20), lambda h: 890 if 5 < h < 6 else 960)
        self.readings(2.5, 0.02, lambda h: 3850)
        self.rows.grade(codes.FEVER_MET, ago_ms=10 * HOUR_MS)
        self.rows.alarm(codes.FEVER, 2, ago_ms=10 * HOUR_MS)
        self.rows.alarm(codes.HYPOXAEMIA, 3, ago_ms=6 * HOUR_MS)
        self.rows.alarm(codes.HYPOXAEMIA, 0, ago_ms=5 * HOUR_MS)
        self.enter(self.nurse, ago_ms=40 * MIN_MS, systolic_mmhg=98, diastolic_mmhg=60)
        self.enter(self.nurse, ago_ms=40 * MIN_MS, oxygen="nasal_cannula_low", flow_lpm=2)
        self.enter(self.carer, ago_ms=30 * MIN_MS, temperature_cc=3890, site="oral")
        self.now_ms = NOW_MS

    def read(self, ask, *arguments):
        """What a function of the store, the binding and these arguments gives."""
        return self.store.read_now(lambda tx: ask(tx, binding_by_row(tx, 1), *arguments))


def text_of(pdf):
    """(number of pages, the text of the first with its line ends as blanks)."""
    import io

    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return len(pages), " ".join(pages[0].extract_text().split())
