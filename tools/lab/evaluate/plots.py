"""Three plots of a run: one patient's course, fevers found and how early, false alarms of a day. All simulated."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from crs_core import codes, units
from crs_core.grade import rules

from tools.lab.evaluate import baselines, machine, report, score
from tools.lab.evaluate import truth as true
from tools.lab.evaluate.body import STEP_S
from tools.lab.evaluate.illness import DAY_S, HOUR_S
from tools.lab.evaluate.patient import Patient, simulate
from tools.lab.evaluate.score import METHODS, Outcome
from tools.lab.evaluate.svg import BLUE, FAINT, GREY, ORANGE, RED, WIDTH, Drawing, Frame

SHOWN_S = 3 * DAY_S
EVERY = 6  # steps for one point of a line
LANES = (
    (codes.FEVER, "fever", ORANGE), (codes.POSSIBLE_FEVER, "possible", "#e8b878"),
    (codes.HYPOXAEMIA, "SpO2 low", RED), (codes.LIFE_THREATENING, "pattern", RED),
    (codes.SPO2_LOST, "SpO2 lost", GREY), (codes.NO_DATA, "no data", GREY),
)  # fmt: skip
MOST_IN_A_DAY = 12


def write(
    folder: Path, outcomes: list[Outcome], seed: int, rule_set: rules.Rules = rules.DEFAULT
) -> list[Path]:
    """Write the plots into `folder`; the course shown is that of the first patient with an onset."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = next((one for one in outcomes if one.onset), outcomes[0])
    patient = simulate(seed, chosen.number, chosen.days)
    drawn = {
        "course.svg": course(patient, seed, rule_set),
        "found.svg": found(outcomes),
        "false_alarms.svg": false_alarms(outcomes),
    }
    paths = []
    for name, text in drawn.items():
        (folder / name).write_text(text)
        paths.append(folder / name)
    return paths


def course(patient: Patient, seed: int, rule_set: rules.Rules = rules.DEFAULT) -> str:
    """Truth, sensor, alarms, prompted readings and checks around the onset of one patient, as SVG."""
    onset = score.onset_of(patient, true.of(patient.body))
    begin_s = max((onset.start_s if onset else 0) - DAY_S // 2, 0)
    begin_s = begin_s // HOUR_S * HOUR_S
    end_s = min(begin_s + SHOWN_S, patient.days * DAY_S)
    wore = machine.run(patient.worn, rule_set=rule_set)
    drawing = Drawing(650, f"Simulated patient {patient.number}, {patient.product.name}: around the onset")
    hours = (begin_s / HOUR_S, end_s / HOUR_S)
    temp = Frame(drawing, (80, 60, WIDTH - 20, 290), hours, (35.0, 41.0))
    temp.ticks_y(range(35, 42), [f"{c} °C" for c in range(35, 42)])
    spo2 = Frame(drawing, (80, 320, WIDTH - 20, 430), hours, (78, 100))
    spo2.ticks_y((80, 85, 90, 95, 100), [f"{p} %" for p in (80, 85, 90, 95, 100)])
    lanes = Frame(drawing, (150, 460, WIDTH - 20, 590), hours, (0, len(LANES)))
    lanes.left = 80
    marks = [h for h in range(int(hours[0]), int(hours[1]) + 1) if h % 6 == 0]
    for frame in (temp, spo2):
        frame.ticks_x(marks, [""] * len(marks))
    lanes.ticks_x(marks, [f"d{h // 24} {h % 24:02d}h" if h % 12 == 0 else "" for h in marks])
    drawing.line(temp.left, temp.at_y(38), temp.right, temp.at_y(38), RED, dash="5 4")
    steps = range(begin_s // STEP_S, end_s // STEP_S, EVERY)
    body, worn = patient.body, patient.worn
    usable_temp = [worn.temp_state[i] == units.TEMP_VALID for i in steps]
    usable_ppg = [worn.ppg_state[i] == units.PPG_VALID for i in steps]
    _line(temp, steps, [worn.temp_cc[i] / 100 for i in steps], usable_temp, ORANGE)
    _line(temp, steps, [body.oral_cc[i] / 100 for i in steps], [True] * len(steps), BLUE)
    _line(spo2, steps, [max(worn.spo2_tenths[i] / 10, 78) for i in steps], usable_ppg, ORANGE)
    _line(spo2, steps, [max(body.spo2_tenths[i] / 10, 78) for i in steps], [True] * len(steps), BLUE)
    told = score.tellings_of(patient, wore, seed)
    for at_s in [one.start_s for one in told[score.ONCE] if one.start_s == one.end_s]:
        if begin_s <= at_s < end_s:
            drawing.dot(temp.at_x(at_s / HOUR_S), temp.at_y(body.oral_cc[at_s // STEP_S] / 100), RED)
    name = next(iter(baselines.CHECKS))
    for one in told[name]:
        if begin_s <= one.start_s < end_s:
            y = temp.at_y(body.oral_cc[one.start_s // STEP_S] / 100)
            drawing.dot(temp.at_x(one.start_s / HOUR_S), y, GREY, 5, filled=False)
    _lanes(drawing, lanes, wore.alarms, begin_s, end_s)
    legend = ((BLUE, "true values (oral; arterial)"), (ORANGE, "usable sensor values (axilla; SpO2)"))
    for i, (colour, words) in enumerate(legend):
        drawing.box(80 + 300 * i, 43, 22, 4, colour)
        drawing.text(108 + 300 * i, 50, words, size=11)
    drawing.dot(90, 628, RED)
    drawing.text(100, 632, "prompted oral reading >= 38.0", size=11)
    drawing.dot(330, 628, GREY, 5, filled=False)
    drawing.text(342, 632, f"{name}: >= 38.0", size=11)
    drawing.text(560, 632, "bars: alarms, from start to end", size=11)
    return drawing.document()


def _line(frame: Frame, steps: range, values: list[float], usable: list[bool], colour: str) -> None:
    points: list[tuple[float, float]] = []
    for i, number, shown in zip(steps, values, usable, strict=True):
        if shown:
            points.append((frame.at_x(i * STEP_S / HOUR_S), frame.at_y(number)))
        if points and not shown:
            frame.drawing.path(points, colour)
            points = []
    if points:
        frame.drawing.path(points, colour)


def _lanes(
    drawing: Drawing, frame: Frame, found_alarms: list[machine.Alarm], begin_s: int, end_s: int
) -> None:
    for i, (alarm, name, colour) in enumerate(LANES):
        y = frame.at_y(len(LANES) - i) + 4
        drawing.text(frame.left - 6, y + 11, name, size=11, anchor="end")
        drawing.line(frame.left, y + 17, frame.right, y + 17, FAINT)
        for one in found_alarms:
            start_s, stop_s = max(one.start_s, begin_s), min(one.end_s, end_s)
            if one.alarm == alarm and start_s < stop_s:
                x = frame.at_x(start_s / HOUR_S)
                drawing.box(x, y, frame.at_x(stop_s / HOUR_S) - x, 14, colour)


def found(outcomes: list[Outcome]) -> str:
    """Share of fevers and onsets found by each method, and the lead over checks by the clock, as SVG."""
    drawing = Drawing(620, f"Found by each method, {len(outcomes)} simulated patients")
    fevers, onsets = sum(one.fevers for one in outcomes), sum(one.onset for one in outcomes)
    by_fever, by_onset = report.total(outcomes, "found"), report.total(outcomes, "onset_found")
    frame = Frame(drawing, (270, 70, WIDTH - 40, 360), (0, 100), (0, len(METHODS)))
    frame.ticks_x(range(0, 101, 10), [f"{p} %" for p in range(0, 101, 10)])
    drawing.line(frame.at_x(95), frame.top, frame.at_x(95), frame.bottom, RED, dash="5 4")
    for i, method in enumerate(METHODS):
        y = frame.at_y(len(METHODS) - i)
        drawing.text(frame.left - 8, y + 23, method, anchor="end")
        for k, (count, of, colour) in enumerate(((by_fever, fevers, BLUE), (by_onset, onsets, ORANGE))):
            if of:
                share = count[method] / of
                drawing.box(frame.left, y + 4 + 15 * k, frame.at_x(100 * share) - frame.left, 13, colour)
                middle = y + 10.5 + 15 * k
                low, high = report.interval(count[method], of)
                drawing.line(frame.at_x(low), middle, frame.at_x(high), middle, width=1.5)
    legend = ((BLUE, f"fevers of 30 min or longer, {fevers}"), (ORANGE, f"onsets of the syndrome, {onsets}"))
    for i, (colour, words) in enumerate(legend):
        drawing.box(270 + 280 * i, 48, 14, 10, colour)
        drawing.text(290 + 280 * i, 57, words, size=11)
    target = "95 %: target with prompts"
    drawing.text(frame.at_x(95), frame.bottom + 32, target, size=11, anchor="end", colour=RED)
    leads = Frame(drawing, (270, 440, WIDTH - 40, 560), (-4, 12), (0, len(baselines.CHECKS)))
    leads.ticks_x(range(-4, 13, 2), [f"{h} h" for h in range(-4, 13, 2)])
    title = "Lead of the wearable with prompts answered once: median and quartiles over onsets"
    drawing.text(270, 428, title)
    drawing.line(leads.at_x(0), leads.top, leads.at_x(0), leads.bottom)
    drawing.line(leads.at_x(7), leads.top, leads.at_x(7), leads.bottom, RED, dash="5 4")
    drawing.text(leads.at_x(7), leads.bottom + 32, "7 h: wished", size=11, anchor="middle", colour=RED)
    for i, over in enumerate(baselines.CHECKS):
        y = leads.at_y(len(baselines.CHECKS) - i - 0.5)
        drawing.text(leads.left - 8, y + 4, f"over {over}", anchor="end")
        values = [min(max(one, -4.0), 12.0) for one in report.leads_h(outcomes, over)]
        if values:
            low, middle, high = report.quantile(values, 0.25), median(values), report.quantile(values, 0.75)
            drawing.line(leads.at_x(low), y, leads.at_x(high), y, BLUE, 3)
            drawing.dot(leads.at_x(middle), y, BLUE, 6)
    return drawing.document()


def false_alarms(outcomes: list[Outcome]) -> str:
    """Histogram: patient-days by their number of false alarms of each priority, as SVG."""
    days = [day for one in outcomes for day in one.false_by_day]
    drawing = Drawing(560, f"False alarms of a patient-day, {len(days)} simulated patient-days")
    for k, (word, most, colour) in enumerate((("MEDIUM", 0.5, ORANGE), ("HIGH", 0.1, RED))):
        counts = Counter(min(day[k], MOST_IN_A_DAY) for day in days)
        top = 80 + 240 * k
        frame = Frame(drawing, (90, top, WIDTH - 40, top + 160), (-0.5, MOST_IN_A_DAY + 0.5), (0, 100))
        frame.ticks_y((0, 25, 50, 75, 100), [f"{p} %" for p in (0, 25, 50, 75, 100)])
        for number, label in _labels():
            drawing.text(frame.at_x(number), frame.bottom + 16, label, size=11, anchor="middle")
            share = 100 * counts[number] / max(len(days), 1)
            x, y = frame.at_x(number - 0.4), frame.at_y(share)
            if share:
                drawing.box(x, y, frame.at_x(number + 0.4) - x, frame.bottom - y, colour)
                drawing.text(frame.at_x(number), y - 4, f"{share:.1f}", size=10, anchor="middle")
        mean = sum(day[k] for day in days) / max(len(days), 1)
        drawing.text(90, top - 22, f"False {word}: mean {mean:.2f} per patient-day, target <= {most:g}")
        drawing.text(WIDTH - 40, frame.bottom + 34, "alarms in one day", size=11, anchor="end")
    return drawing.document()


def _labels() -> Iterator[tuple[int, str]]:
    for number in range(MOST_IN_A_DAY + 1):
        yield number, f"{number} or more" if number == MOST_IN_A_DAY else str(number)
