"""Every number of the simulated patient with its unit and its source; none is tuned to a result.

A number with the source "assumption" was not measured by anybody. It makes a nuisance possible, was chosen before the
first run, and is named in the report. Pairs are (mean, SD) or (lowest, highest), as the unit says.
"""

from dataclasses import dataclass
from typing import Any

_A = "assumption"
_LABEL = "axi-cel prescribing information"


@dataclass(frozen=True)
class Product:
    """Published course of the syndrome after one product. Days; (median, lowest, highest) with the kind of range."""

    name: str
    any_pct: float
    severe_pct: float
    onset_d: tuple[float, float, float]
    onset_range: str  # "range" or "IQR"
    duration_d: tuple[float, float, float]
    duration_range: str
    source: str


PRODUCTS = (
    Product("axi-cel", 94, 13, (2, 1, 12), "range", (7, 2, 58), "range", "LBCL label, Lee 2014 grades"),
    Product(
        "tisa-cel", 58, 22, (3, 1, 9), "range", (7, 2, 30), "range", "JULIET, Penn grades; onset range: " + _A
    ),
    Product("liso-cel", 85, 9, (4, 1, 7), "IQR", (6, 4, 11), "IQR", "TRANSCEND CLL 004"),
    Product("ide-cel", 84, 5, (1, 1, 12), "range", (5, 1, 63), "range", "KarMMa"),
    Product("cilta-cel", 95, 4, (7, 5, 8), "IQR", (4, 3, 6), "IQR", "CARTITUDE-1"),
    Product(
        "brexu-cel", 91, 15, (2.5, 1, 13), "range", (11, 1, 50), "range", "ZUMA-2, from memory; ranges: " + _A
    ),
)

# name: (value, unit, source)
TABLE: dict[str, tuple[Any, str, str]] = {
    "infusion_h": (10.0, "h of day 0", _A),
    "onset_last_d": (14.0, "d", "no new syndrome after day 14 in 475 (Blood Adv 2024;8(20):5346)"),
    "peak_c": ((39.4, 0.5), "oral °C, mean and SD", "95 % reach 38.6 °C (tisa-cel in the young, n = 108, JITC table)"),
    "peak_limits_c": ((38.1, 41.0), "oral °C, lowest and highest", "fever is part of the definition; " + _A),
    "fever_share": (0.75, "of the duration", "fever 6 d of 8 d (same table, medians)"),
    "rise_h": ((1.5, 5.0), "h, lowest and highest", _A),
    "fall_h": (4.0, "h, time constant of the end of a fever", _A),
    "fever_wander_c": ((0.30, 4.0), "°C SD and h time constant", _A),
    "hypoxia_share": (0.234, "of syndromes", "hypoxia 22 % of patients, 94 % with syndrome; " + _LABEL),
    "hypoxia_start_h": ((12.0, 60.0), "h after onset, lowest and highest", _A),
    "hypoxia_rise_h": ((2.0, 6.0), "h, lowest and highest", _A),
    "hypoxia_median_h": ((4.0, 0.5), "h median and log SD, until people give oxygen", _A),
    "hypoxia_nadir_pct": ((87.0, 3.0), "%, mean and SD; 75 to 91.5", _A),
    "anticytokine_share": (0.50, "of syndromes", "20 of 40 (Clin Lymphoma Myeloma Leuk 2023;23(1):e14)"),
    "anticytokine_h": ((12.0, 48.0), "h after onset, lowest and highest", _A),
    "recurrence_share": (0.38, "of those treated", "same study"),
    "recurrence_early": (0.67, "of recurrences within 24 h, the others within 48", "same study"),
    "recurrence_h": ((12.0, 0.5), "h median and log SD", _A),
    "antipyretic_share": (0.70, "of syndromes with doses", _A),
    "antipyretic_first_h": ((1.0, 4.0), "h after the fever began, lowest and highest", _A),
    "antipyretic_every_h": ((6.0, 8.0), "h, lowest and highest", _A),
    "antipyretic_drop_c": ((1.0, 0.3), "°C, mean and SD, of the fever only; full from 1 to 3 h, gone at 6 h", _A),
    "other_fever_per_day": (0.017, "1/d", "24 % of 304 had a first fever of another cause (about 0.76 x 0.315)"),
    "other_fever_h": ((3.0, 0.7), "h median and log SD", _A),
    "other_fever_peak_c": ((38.4, 0.3), "oral °C, mean and SD", _A),
    "bump_per_day": (0.10, "1/d, bath or exertion, oral rises 0.3 to 0.9 °C for 10 to 40 min", _A),
    "oral_c": ((36.8, 0.25), "°C, mean and SD between people", "36.8 +-0.4 with time of day (Mackowiak 1992)"),
    "circadian_c": ((0.3, 0.5), "°C around the mean, lowest and highest, peak at 18 h", "Del Bene 1990; upper half"),
    "oral_wander_c": ((0.10, 2.0), "°C SD and h time constant", _A),
    "axilla_offset_c": ((-0.5, 0.4), "°C against oral, mean and SD of people", "0.55 below (Del Bene 1990); SD: " + _A),
    "axilla_wander_c": ((0.15, 6.0), "°C SD and h time constant", "part of +-0.49 °C (PMC8577572); " + _A),
    "probe_tau_s": ((180.0, 300.0), "s, lowest and highest", "skin contact takes minutes to settle; " + _A),
    "probe_noise_cc": (1.0, "0.01 °C SD", _A),
    "open_arm_per_day": (6.0, "1/d awake, 3 to 20 min, 1.0 to 2.5 °C below", _A),
    "chill_share": (0.20, "of rises; axilla 0.5 to 1.0 °C below for 20 to 60 min", "chills 20 %; " + _LABEL),
    "warm_bed_share": (0.30, "of nights; axilla 0.2 to 0.4 °C nearer to oral for 1 to 3 h", _A),
    "room_c": (26.0, "°C of a probe that is off", _A),
    "spo2_pct": ((97.0, 1.0), "%, mean and SD between people, 94 to 99; 1 % lower asleep", _A),
    "dip_per_h": ((3.0, 0.9), "1/h asleep, median and log SD between people; 20 to 40 s", _A),
    "dip_depth_pct": ((3.0, 2.0), "%, least and mean beyond it (exponential)", _A),
    "spo2_bias_pct": (1.5, "% SD between people", "with the next two A_rms 2.1 %; 3.5 % is allowed; " + _A),
    "spo2_wander_pct": ((1.0, 2.0), "% SD and h time constant", "see above"),
    "spo2_noise_pct": ((1.0, 30.0), "% SD and s time constant", "see above"),
    "motion_per_h": (4.0, "1/h awake, 0.3 asleep; 20 to 120 s without a value", _A),
    "low_perfusion_per_day": (2.0, "1/d, 2 to 20 min without a value", _A),
    "no_pulse_share": (0.05, "of those, of which the first 10 to 40 s look pulseless", _A),
    "hr_bpm": ((75.0, 9.0), "1/min, mean and SD between people; 8 lower asleep", _A),
    "hr_per_c": (8.5, "1/min for each °C of fever", "about 8.5 per °C (Karjalainen 1986), from memory"),
    "hr_severe_bpm": (15.0, "1/min more in a severe syndrome", "tachycardia 28 %; " + _LABEL),
    "activity_per_day": (10.0, "1/d awake, 3 to 15 min, 15 to 45 beats more", _A),
    "shower_min": ((15.0, 30.0), "min off the body each morning, lowest and highest", _A),
    "charge_min": ((45.0, 90.0), "min off the body every second evening, lowest and highest", _A),
    "other_off_per_day": (0.3, "1/d, 5 to 30 min off the body", _A),
    "thermometer_sd_c": (0.1, "°C SD of the people's oral thermometer", "ASTM E1112 class +-0.1 °C, from memory"),
    "answer_min": ((2.0, 15.0), "min from a prompt to the oral reading, lowest and highest", "answered within 15 min"),
}  # fmt: skip


def value(name: str) -> Any:
    """The number or pair of that name."""
    return TABLE[name][0]


def as_markdown() -> str:
    """The two tables of the README: products, then everything else."""
    lines = ["| product | any % | >= 3 % | onset, d | duration, d | source |", "|---|---|---|---|---|---|"]
    for p in PRODUCTS:
        onset = f"{p.onset_d[0]:g} ({p.onset_range} {p.onset_d[1]:g}-{p.onset_d[2]:g})"
        lasts = f"{p.duration_d[0]:g} ({p.duration_range} {p.duration_d[1]:g}-{p.duration_d[2]:g})"
        lines.append(f"| {p.name} | {p.any_pct:g} | {p.severe_pct:g} | {onset} | {lasts} | {p.source} |")
    lines += ["", "| parameter | value | unit | source |", "|---|---|---|---|"]
    for name, (number, unit, source) in TABLE.items():
        shown = ", ".join(f"{n:g}" for n in number) if isinstance(number, tuple) else f"{number:g}"
        lines.append(f"| `{name}` | {shown} | {unit} | {source} |")
    return "\n".join(lines)
