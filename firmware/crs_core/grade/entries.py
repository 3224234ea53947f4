"""Lists of what people entered: each entry is in force, lapsed or replaced. Wearable and host keep the same list.

An entry is [key, value, t_ms, mark] in the words of vocabulary.py; t_ms is when it was observed (ms since boot, may lie
before it). A reassuring value ("normal", "room_air", ICE 10) counts for a time; it is dropped when that time is over or
a newer sign contradicts it. A worrying value that expires is kept and marked LAPSED: its row is open again, the alarms
that it raised go on, and somebody is asked to assess again. Only a newer entry of the same key removes it.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core.compat import const
from crs_core.grade.rules import Rules

IN_FORCE = const(0)
LAPSED = const(1)

# The value of each key that means "none" or "normal"; any other value of these keys worries.
NONE = {
    "context": "complete",
    "blood_pressure": "normal",
    "fluids_for_bp": "none",
    "vasopressors": [],
    "vasopressor_dose": "low",
    "vasopressor_hours": 0,
    "refractory": False,
    "oxygen": "room_air",
    "flow_lpm": 0,
    "fio2_pct": 21,
    "constitutional": False,
    "organ_grade": 0,
    "transaminase_grade": 0,
    "creatinine_grade": 0,
    "coagulopathy_treated": False,
    "hospitalised_for_crs": False,
    "ice": 10,
    "capd": 0,
    "consciousness": "spontaneous",
    "seizure": "none",
    "motor_weakness": False,
    "cerebral_oedema": "none",
}
# Statements that lower a bound: they count as long as any other reassuring entry.
_LOWERING = {"fever_other_cause": True, "ventilation_not_for_hypoxia": True, "fever_earlier": False}
# Measured pressures; whether one worries stands beside them as the judged "blood_pressure".
PRESSURES = ("systolic_mmhg", "diastolic_mmhg", "map_mmhg")
# What an entry of the first also replaces when it is newer: other words for the same, or details of it.
REPLACES = (
    ("blood_pressure", ("systolic_mmhg", "diastolic_mmhg", "map_mmhg", "fluids_for_bp")),
    ("systolic_mmhg", ("blood_pressure", "diastolic_mmhg", "map_mmhg", "fluids_for_bp")),
    ("map_mmhg", ("blood_pressure", "systolic_mmhg", "diastolic_mmhg", "fluids_for_bp")),
    ("vasopressors", ("vasopressor_dose", "vasopressor_hours", "refractory")),
    ("oxygen", ("flow_lpm", "fio2_pct", "ventilation_not_for_hypoxia")),
)
# The sensors' own keys, entered by hand: they age as a reading does. The first two are one reading.
MEASURED = ("temperature_cc", "site", "spo2_tenths", "hr_bpm")
OF_THE_EPISODE = ("anticytokine", "fever_earlier", "fever_other_cause")
MASKS = ("antipyretic", "steroid", "anticytokine")
# made here, never entered: the need for oxygen went up between two entries
RISING_NEED = "rising_need"
_SAME_MS = const(600_000)
_NEED = ("room_air", "nasal_cannula_low blow_by", "nasal_cannula_high face_mask non_rebreather venturi",
         "cpap bipap", "invasive_ventilation")  # fmt: skip


def enter(entries: list, values: dict, t_ms: int) -> list:
    """The entries after `values` {key: value, None = no longer known}, observed at `t_ms`.

    The entry that arrives later counts, whatever its time: a wearable knows times only as ages, off by the delay of the
    link, and after an outage not at all. The host keeps the order; a correction has the time of what it corrects.
    """
    kept = [entry for entry in entries]
    was = oxygen_need(values_of(entries))
    for key in sorted(values):
        at = _index(kept, key)
        value = values[key]
        if value is not None:
            _put(kept, at, [key, value, t_ms, IN_FORCE])
        elif at is not None:
            _lapse(kept, at)
    for key, others in REPLACES:
        if values.get(key) is not None:
            kept = [e for e in kept if e[0] not in others or values.get(e[0]) is not None]
    if (
        values.get("oxygen") is not None
        or values.get("flow_lpm") is not None
        or values.get("fio2_pct") is not None
    ):
        _rising(kept, was, t_ms)
    return kept


def _rising(kept: list, was: tuple, t_ms: int) -> None:
    """Note that the need for oxygen rose above an earlier need; remove the note when it no longer rises."""
    now = oxygen_need(values_of(kept))
    at = _index(kept, RISING_NEED)
    if was[0] > 0 and (now[0] > was[0] or (now[0] > 0 and (now[1] > was[1] > 0 or now[2] > was[2] > 21))):
        _put(kept, at, [RISING_NEED, True, t_ms, IN_FORCE])
    elif at is not None and (now < was or abs(t_ms - kept[at][2]) > _SAME_MS):
        kept.pop(at)  # the same observation, sent twice, keeps it


def oxygen_need(values: dict) -> tuple:
    """(rank of the device from 0, none or not known, to 4, invasive ventilation; flow in L/min; FiO2 in %)."""
    device = values.get("oxygen")
    rank = 0
    if device is not None and not (
        values.get("ventilation_not_for_hypoxia") and device in _NEED[3] + _NEED[4]
    ):
        for i in range(1, len(_NEED)):
            if device in _NEED[i].split(" "):
                rank = i
    return rank, values.get("flow_lpm", 0), values.get("fio2_pct", 21)


def expire(entries: list, now_ms: int, at_risk: bool, rules: Rules) -> list:
    """The entries at `now_ms`; the same list when nothing expired. `at_risk`: febrile or masked."""
    kept = None
    for entry in entries:
        until_ms = counts_ms(entry[0], entry[1], at_risk, rules) if entry[3] == IN_FORCE else None
        if until_ms is not None and now_ms - entry[2] > until_ms:
            if kept is None:
                kept = [one for one in entries]
            _lapse(kept, _index(kept, entry[0]))
    return entries if kept is None else kept


def doubt(entries: list, before_ms: int) -> list:
    """The entries after a newer sign at `before_ms`, such as a rise or the patient's button.

    Reassuring entries that were observed before it no longer count.
    """
    return [e for e in entries if e[2] >= before_ms or not is_reassuring(e[0], e[1])]


def newest_worry_ms(entries: list, now_ms: int) -> int:
    """When the newest worrying entry in force was observed: a rise came from it. `now_ms` when there is none."""
    times = [e[2] for e in entries if e[3] == IN_FORCE and is_worrying(e[0], e[1])]
    return max(times) if times else now_ms


def time_of(entries: list, key: str) -> int:
    """When the entry of `key` was observed; there must be one."""
    at = _index(entries, key)
    return entries[at or 0][2]


def boot(entries: list, rules: Rules) -> list:
    """The entries after a boot without a time mark: their age is unknown, so every entry with a time limit expires."""
    kept = [entry for entry in entries]
    for entry in entries:
        if entry[3] == IN_FORCE and counts_ms(entry[0], entry[1], False, rules) is not None:
            _lapse(kept, _index(kept, entry[0]))
    return kept


def close_episode(entries: list, t_ms: int) -> list:
    """The entries after a clinician signed at `t_ms` that the episode is over; what was observed later stays.

    An anticytokine and the statements about the episode end with it, and lapsed entries are settled. A steroid and an
    antipyretic go on masking for their own windows.
    """
    return [
        e
        for e in entries
        if e[2] > t_ms or (e[0] not in OF_THE_EPISODE and (e[3] == IN_FORCE or e[0] in MASKS))
    ]


def values_of(entries: list) -> dict:
    """{key: value} of all entries, the lapsed ones too: an alarm does not end because an entry is old."""
    return {entry[0]: entry[1] for entry in entries}


def in_force(entries: list) -> dict:
    """{key: value} of what counts for a grade. A mask stays after its window: whether more was given is unknown."""
    return {e[0]: e[1] for e in entries if e[0] != RISING_NEED and (e[3] == IN_FORCE or e[0] in MASKS)}


def is_masked(entries: list) -> bool:
    """True while a drug that hides fever masks, and afterwards until somebody enters that none was given since."""
    for entry in entries:
        if entry[0] in MASKS and entry[1]:
            return True
    return False


def mask_is_over(entries: list) -> bool:
    """True when every mask's window is over, and whether more was given since is not known."""
    marks = [e[3] for e in entries if e[0] in MASKS and e[1]]
    return bool(marks) and IN_FORCE not in marks


def lapsed(entries: list) -> list:
    """The keys of worrying entries that expired and were not renewed. If there is one, somebody must assess again."""
    return [e[0] for e in entries if e[3] == LAPSED and e[0] not in MASKS]


def is_reassuring(key: str, value: object) -> bool:
    """True for a value that caps a grade. It counts for a time, and only until a newer sign."""
    if key in NONE:
        return value == NONE[key]
    return key in PRESSURES or (key in _LOWERING and value == _LOWERING[key])


def is_worrying(key: str, value: object) -> bool:
    """True for a value that must not be forgotten because it is old."""
    return key == RISING_NEED or (key in NONE and value != NONE[key])


def counts_ms(key: str, value: object, at_risk: bool, rules: Rules) -> int | None:
    """How long an entry counts in ms; a reassuring one counts for less `at_risk` (febrile, masked). None: no limit."""
    if is_reassuring(key, value):
        return rules.entry_febrile_ms if at_risk else rules.entry_ms
    if is_worrying(key, value):
        return rules.entry_ms
    if key in MEASURED:
        return rules.grade_temp_max_age_ms if key in MEASURED[:2] else rules.grade_ppg_max_age_ms
    if key == "antipyretic" and value:
        return rules.antipyretic_ms
    return rules.steroid_ms if key == "steroid" and value else None


def _lapse(kept: list, at: int | None) -> None:
    if at is None:
        return
    key, value, t_ms, _ = kept[at]
    if is_worrying(key, value) or (key in MASKS and value):
        kept[at] = [key, value, t_ms, LAPSED]
    else:
        kept.pop(at)


def _index(entries: list, key: str) -> int | None:
    for i in range(len(entries)):
        if entries[i][0] == key:
            return i
    return None


def _put(entries: list, at: int | None, entry: list) -> None:
    if at is not None:
        entries[at] = entry
        return
    i = 0
    while i < len(entries) and entries[i][0] < entry[0]:
        i += 1
    entries.insert(i, entry)
