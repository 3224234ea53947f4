"""Alarm conditions, stepped once a second: `step(state, inputs, now_ms, rules) -> (state, changes)`.

Pure: a step leaves the given state as it was, and the same arguments give the same result on every runtime. So a host
repeats a journaled step exactly (rerun.py). Conditions about the patient step only while the wearable is bound to one;
technical conditions always step. A value that cannot be used neither resets a delay nor ends an alarm. A planned pause
suppresses NO_DATA and nothing else. If the wearable does not measure again at its end, PAUSE_OVER sounds.
`changes` is a list of (alarm id, priority); priority 0 means that the condition ended.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core import codes, units
from crs_core.grade import baseline, guards, hold
from crs_core.grade import alarm_state as st
from crs_core.grade.rules import Rules
from crs_core.compat import const

# a step, its inputs and its state are one interface
Inputs = st.Inputs
new_state = st.new_state
active = st.active
encode_inputs = st.encode_inputs
decode_inputs = st.decode_inputs
encode_state = st.encode_state
decode_state = st.decode_state

# A late step counts for at most this long: little towards the end of an alarm, more towards its start.
_BACK_MAX_MS = const(2_000)
_DT_MAX_MS = const(5_000)
_FIRST = codes.FIRST_TOLD_ALARM
# two bits each of HYPOTENSION, ICE_LOW, NEW_OXYGEN and RECORD_CONTRADICTS
_TOLD_PHYSIOLOGICAL = const(0x303F)
_LOW = codes.PRIORITY_LOW
_MEDIUM = codes.PRIORITY_MEDIUM
_HIGH = codes.PRIORITY_HIGH


def step(state: list, inputs: Inputs, now_ms: int, rules: Rules) -> tuple:
    """Return (new state, changes) for one second of inputs at `now_ms` (monotonic ms since boot)."""
    s = list(state)
    last_ms = s[st.LAST]
    dt_ms = 0 if last_ms is None else min(max(now_ms - last_ms, 0), _DT_MAX_MS)
    back_ms = min(dt_ms, _BACK_MAX_MS)
    s[st.LAST] = now_ms
    if bool(inputs.bound) != bool(s[st.FLAGS] & st.FLAG_BOUND):
        st.forget_patient(s)
        s[st.FLAGS] = st.FLAG_BOUND if inputs.bound else 0
    temp_why = guards.temp(
        inputs.temp_cc,
        inputs.temp_state,
        inputs.site,
        inputs.wear,
        inputs.temp_age_ms,
        rules.alarm_temp_max_age_ms,
    )
    ppg_why = guards.ppg(
        inputs.spo2_tenths,
        inputs.pi_hundredths,
        inputs.ppg_state,
        inputs.ppg_age_ms,
        rules.alarm_ppg_max_age_ms,
        rules.pi_min_hundredths,
    )
    old = s[st.PRIORITIES]
    old_told = s[st.TOLD_PRIORITIES]
    bits = told = 0
    if inputs.bound:
        bits, fever = _physiological(s, inputs, temp_why, ppg_why, now_ms, dt_ms, back_ms, rules)
        told = _told(s, inputs, fever, dt_ms, rules)
    open_priority = max(st.highest(bits), st.highest(told & _TOLD_PHYSIOLOGICAL))
    if open_priority >= _MEDIUM:
        s[st.RECENT_MEDIUM] = now_ms
    if open_priority == _HIGH:
        s[st.RECENT_HIGH] = now_ms
    silence = _silence(s, inputs, temp_why, ppg_why, now_ms, back_ms, rules)
    bits |= _technical(s, inputs.faults, silence, open_priority, now_ms, dt_ms, rules)
    if inputs.bound:
        if inputs.told & st.TOLD_NOBODY_REACHED:
            bits |= _HIGH
        told |= _pause(s, inputs, temp_why, ppg_why)
    contradicted = told >> 2 * (codes.RECORD_CONTRADICTS - _FIRST) & 3
    if inputs.told & st.TOLD_DEATH and inputs.bound and not contradicted:
        # a signed record of death stops sound for this binding
        bits = told = 0
    s[st.PRIORITIES] = bits
    s[st.TOLD_PRIORITIES] = told
    if bits == old and told == old_told:
        return s, []
    return s, st.listed(bits, bits ^ old, 0) + st.listed(told, told ^ old_told, _FIRST)


def _physiological(
    s: list, inputs: Inputs, temp_why: int, ppg_why: int, now_ms: int, dt_ms: int, back_ms: int, rules: Rules
) -> tuple:
    """Step the conditions about the patient; returns (their priority bits, fever)."""
    fever, hot, possible = _temperature(s, inputs, temp_why == 0, now_ms, back_ms, rules)
    high, medium = _saturation(s, inputs, ppg_why == 0, now_ms, back_ms, rules)
    fast_heart, pulse_lost = _pulse(s, inputs, now_ms, dt_ms, back_ms, rules)
    at_risk = fever or s[st.FLAGS] & (st.FLAG_SPO2_LOW | st.FLAG_HR_HIGH)
    lost = 0 if ppg_why == 0 else 1 if at_risk and inputs.wear != units.WEAR_OFF else -1
    spo2_lost = hold.collect(s, st.SPO2_LOST, lost, dt_ms, rules.spo2_lost_ms, rules.spo2_back_ms)
    if inputs.button == st.BUTTON_LONG:
        s[st.FLAGS] |= st.FLAG_PATIENT
    elif inputs.button == st.BUTTON_ACCEPTED:
        s[st.FLAGS] &= ~st.FLAG_PATIENT
    bits = 0
    if fever:
        bits |= _MEDIUM << 2 * codes.FEVER
    elif possible:
        bits |= _MEDIUM << 2 * codes.POSSIBLE_FEVER
    if high:
        bits |= _HIGH << 2 * codes.HYPOXAEMIA
    elif medium:
        bits |= _MEDIUM << 2 * codes.HYPOXAEMIA
    if spo2_lost:
        bits |= _MEDIUM << 2 * codes.SPO2_LOST
    if pulse_lost:
        bits |= _HIGH << 2 * codes.PULSE_LOST
    count = (1 if hot else 0) + (1 if high else 0) + (1 if fast_heart else 0)
    if inputs.told & st.TOLD_LIFE_THREATENING or count + (1 if inputs.told & st.TOLD_ORGAN else 0) >= 2:
        bits |= _HIGH << 2 * codes.LIFE_THREATENING
    if s[st.FLAGS] & st.FLAG_PATIENT:
        bits |= _MEDIUM << 2 * codes.PATIENT_BUTTON
    return bits, fever


def _told(s: list, inputs: Inputs, fever: bool, dt_ms: int, rules: Rules) -> int:
    """Step the conditions about what people entered or must enter; returns priority bits, from alarm _FIRST on."""
    told = inputs.told
    usable = guards.heart_rate_usable(
        inputs.hr_bpm, inputs.ppg_state, inputs.ppg_age_ms, rules.alarm_ppg_max_age_ms
    )
    asked = -1
    if told & st.TOLD_PRESSURE_KNOWN or not fever:
        hold.reset(s, st.MEASURE_BP)
    elif usable:
        asked = 1 if inputs.hr_bpm > rules.hr_high_bpm else 0
    # minutes, counted in hundredths of a second: a clock holds 16 bits
    measure = hold.collect(
        s, st.MEASURE_BP, asked, dt_ms // 10, rules.measure_bp_ms // 10, rules.hr_end_ms // 10
    )
    # the clock is empty while there is no record: only a pulse after the record contradicts it
    pulse = (1 if usable else -1) if told & st.TOLD_DEATH else 0
    alive = hold.collect(s, st.CONTRADICTS, pulse, dt_ms, rules.contradicts_ms, 0)
    if told & st.TOLD_DEATH and inputs.button == st.BUTTON_LONG:  # a press contradicts it too
        alive = hold.collect(s, st.CONTRADICTS, 1, rules.contradicts_ms, rules.contradicts_ms, 0)
    bits = 0
    if told & st.TOLD_HYPOTENSION:
        bits |= _HIGH << 2 * (codes.HYPOTENSION - _FIRST)
    if told & st.TOLD_ICE_LOW:
        bits |= _MEDIUM << 2 * (codes.ICE_LOW - _FIRST)
    if told & st.TOLD_NEW_OXYGEN:
        bits |= _MEDIUM << 2 * (codes.NEW_OXYGEN - _FIRST)
    if measure:
        bits |= _MEDIUM << 2 * (codes.MEASURE_BP - _FIRST)
    if told & st.TOLD_REASSESS:
        bits |= _MEDIUM << 2 * (codes.REASSESS - _FIRST)
    if alive:
        bits |= _HIGH << 2 * (codes.RECORD_CONTRADICTS - _FIRST)
    return bits


def _temperature(s: list, inputs: Inputs, usable: bool, now_ms: int, back_ms: int, rules: Rules) -> tuple:
    """(fever, hot, possible). A falling temperature ends only the alarm; the grader remembers the fever."""
    cc = inputs.temp_cc
    met = hot = above = rise = -1
    by_hand = inputs.told & st.TOLD_FEVER
    if usable:
        met = hold.above(s, st.FEVER, cc, rules.fever_cc, rules.fever_end_below_cc)
        hot = hold.above(s, st.HIGH_TEMP, cc, rules.high_temp_cc, rules.fever_end_below_cc)
        if inputs.site == units.SITE_AXILLA:
            above = 1 if cc >= rules.possible_cc else 0
            own_cc = baseline.value_cc(s, st.BASELINE, rules.baseline_ready_min)
            if own_cc is not None:
                rise = 1 if cc >= own_cc + rules.rise_cc else 0
            if above == 0 and rise <= 0:
                baseline.learn(s, st.BASELINE, cc, now_ms, rules.baseline_span_min)
    if by_hand:  # fever is met when any source is at the limit; a lower source does not cancel it
        met = 1
        hot = 1 if inputs.told & st.TOLD_HOT else hot
    end_ms = rules.fever_end_ms
    fever = hold.hold(s, st.FEVER, met, now_ms, back_ms, rules.fever_delay_ms, rules.fever_reset_ms, end_ms)
    is_hot = hold.hold(
        s, st.HIGH_TEMP, hot, now_ms, back_ms, rules.high_temp_delay_ms, rules.fever_reset_ms, end_ms
    )
    level = hold.hold(
        s, st.POSSIBLE, above, now_ms, back_ms, rules.possible_delay_ms, rules.possible_reset_ms, end_ms
    )
    risen = hold.hold(s, st.RISE, rise, now_ms, back_ms, rules.rise_delay_ms, rules.possible_reset_ms, end_ms)
    return fever, is_hot, level or risen


def _saturation(s: list, inputs: Inputs, usable: bool, now_ms: int, back_ms: int, rules: Rules) -> tuple:
    """(HIGH, MEDIUM) of suspected hypoxaemia: three limits, each with its own delay. A value read by hand has two."""
    spo2_tenths = inputs.spo2_tenths
    reset_ms = rules.spo2_reset_ms
    end_ms = rules.spo2_end_ms
    fast = slow = medium = -1
    if usable:
        fast = 1 if spo2_tenths < rules.spo2_fast_tenths else 0
        slow = 1 if spo2_tenths < rules.spo2_slow_tenths else 0
        medium = 1 if spo2_tenths < rules.spo2_medium_tenths else 0
        if medium:
            s[st.FLAGS] |= st.FLAG_SPO2_LOW
        else:
            s[st.FLAGS] &= ~st.FLAG_SPO2_LOW
    if inputs.told & st.TOLD_SPO2_MEDIUM:  # a better value from the sensor does not cancel it
        medium = 1
        slow = 1 if inputs.told & st.TOLD_SPO2_LOW else slow
    is_fast = hold.hold(s, st.SPO2_FAST, fast, now_ms, back_ms, rules.spo2_fast_ms, reset_ms, end_ms)
    is_slow = hold.hold(s, st.SPO2_SLOW, slow, now_ms, back_ms, rules.spo2_slow_ms, reset_ms, end_ms)
    is_medium = hold.hold(s, st.SPO2_MEDIUM, medium, now_ms, back_ms, rules.spo2_medium_ms, reset_ms, end_ms)
    return is_fast or is_slow, is_medium


def _pulse(s: list, inputs: Inputs, now_ms: int, dt_ms: int, back_ms: int, rules: Rules) -> tuple:
    """(heart rate above its limit for long enough, no pulse on a worn device for long enough)."""
    hr_bpm = inputs.hr_bpm
    usable = guards.heart_rate_usable(hr_bpm, inputs.ppg_state, inputs.ppg_age_ms, rules.alarm_ppg_max_age_ms)
    fast = lost = -1
    if usable:
        # "above 120" is the rule, so the first rate that fulfils it is 121
        fast = hold.above(s, st.HEART_RATE, hr_bpm, rules.hr_high_bpm + 1, rules.hr_end_below_bpm)
        lost = 0
        if hr_bpm > rules.hr_high_bpm:
            s[st.FLAGS] |= st.FLAG_HR_HIGH
        else:
            s[st.FLAGS] &= ~st.FLAG_HR_HIGH
    elif inputs.ppg_state == units.PPG_NO_PULSE and inputs.wear != units.WEAR_OFF:
        lost = 1
    if inputs.told & st.TOLD_FAST_HEART:
        fast = 1
    is_fast = hold.hold(
        s, st.HEART_RATE, fast, now_ms, back_ms, rules.hr_delay_ms, rules.hr_reset_ms, rules.hr_end_ms
    )
    return is_fast, hold.collect(s, st.PULSE_LOST, lost, dt_ms, rules.pulse_lost_ms, rules.pulse_back_ms)


def _technical(
    s: list, faults: int, silence: int, open_priority: int, now_ms: int, dt_ms: int, rules: Rules
) -> int:
    """Step the conditions about equipment and link. Each starts at the highest priority of the patient's last hour."""
    floor = 0
    if s[st.RECENT_HIGH] is not None and now_ms - s[st.RECENT_HIGH] <= rules.recent_ms:
        floor = _HIGH
    elif s[st.RECENT_MEDIUM] is not None and now_ms - s[st.RECENT_MEDIUM] <= rules.recent_ms:
        floor = _MEDIUM
    old = s[st.PRIORITIES]
    sensor = 1 if faults & (st.FAULT_TEMP_SENSOR | st.FAULT_PPG_SENSOR) else 0
    broken = hold.collect(s, st.SENSOR_FAULT, sensor, dt_ms, rules.sensor_fault_ms, rules.sensor_fault_ms)
    away = _LOW if faults & st.FAULT_HOST_AWAY else 0
    if faults & st.FAULT_HOST_QUIET and open_priority:
        away = open_priority
    bits = _start(old, codes.NO_DATA, silence, floor)
    bits |= _start(old, codes.SENSOR_FAULT, _LOW if broken else 0, floor)
    bits |= _start(old, codes.JOURNAL_FAULT, _HIGH if faults & st.FAULT_JOURNAL else 0, floor)
    bits |= _start(old, codes.HOST_AWAY, away, floor)
    bits |= _start(old, codes.LOW_BATTERY, _LOW if faults & st.FAULT_LOW_BATTERY else 0, floor)
    bits |= _start(old, codes.RECORDS_LOST, _HIGH if faults & st.FAULT_RECORDS_LOST else 0, floor)
    return bits | _start(old, codes.NOT_MONITORING, _LOW if faults & st.FAULT_MAINTENANCE else 0, floor)


def _silence(
    s: list, inputs: Inputs, temp_why: int, ppg_why: int, now_ms: int, back_ms: int, rules: Rules
) -> int:
    """Priority of NO_DATA: no gradable temperature or no usable saturation; louder with time while bound."""
    low_ms = rules.no_data_low_ms
    if inputs.told & st.TOLD_PAUSED and inputs.bound:
        # silence counts from the end of the pause; PAUSE_OVER sounds then if nothing is measured
        hold.reset(s, st.TEMP_MISSING)
        hold.reset(s, st.PPG_MISSING)
        return 0
    # a probe that settles, just put on or under an open arm, is not silent yet: it has the settling time, counted from
    # the loss
    settles = temp_why in (codes.R_TEMP_SETTLING, codes.R_TEMP_ARTEFACT)
    temp_ms = rules.settling_ms if settles else low_ms
    end_ms = rules.no_data_end_ms
    no_temp = hold.hold(s, st.TEMP_MISSING, 1 if temp_why else 0, now_ms, back_ms, temp_ms, 0, end_ms)
    no_ppg = hold.hold(s, st.PPG_MISSING, 1 if ppg_why else 0, now_ms, back_ms, low_ms, 0, end_ms)
    if not no_temp and not no_ppg:
        return 0
    if not inputs.bound:
        return _LOW
    since_ms = s[st.TEMP_MISSING] if no_temp else s[st.PPG_MISSING]
    if no_ppg and s[st.PPG_MISSING] < since_ms:
        since_ms = s[st.PPG_MISSING]
    silent_ms = now_ms - since_ms
    if silent_ms >= rules.no_data_high_ms:
        return _HIGH
    return _MEDIUM if silent_ms >= rules.no_data_medium_ms else _LOW


def _pause(s: list, inputs: Inputs, temp_why: int, ppg_why: int) -> int:
    """Priority bits of PAUSE_OVER: HIGH from the end of a planned pause until the wearable measures again.

    A restart ends the pause, because nobody knows how long the power was off.
    """
    over = s[st.TOLD_PRIORITIES] >> 2 * (codes.PAUSE_OVER - _FIRST) & 3
    was_away = s[st.FLAGS] & st.FLAG_AWAY
    s[st.FLAGS] &= ~st.FLAG_AWAY
    if guards.is_back(inputs.wear, temp_why, ppg_why):
        return 0
    if inputs.told & st.TOLD_PAUSED:
        s[st.FLAGS] |= st.FLAG_AWAY
    elif was_away:  # one that was back at the end and is disturbed since is a case for NO_DATA
        over = _HIGH
    return _HIGH << 2 * (codes.PAUSE_OVER - _FIRST) if over else 0


def _start(old: int, alarm: int, priority: int, floor: int) -> int:
    """Bits of a technical alarm. It starts at `floor` or above and does not get quieter while it lasts."""
    if not priority:
        return 0
    before = old >> 2 * alarm & 3
    return max(priority, before or floor) << 2 * alarm
