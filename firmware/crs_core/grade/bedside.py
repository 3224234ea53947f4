"""The grader of a wearable that was told something: entries in force, lapsed, doubted, and the interval they leave.

Loaded with the first entry. `enter`, `doubt` and `boot` change the state outside a step, `assess` ends a step; `signs`
is what the alarm conditions read. The same facts and the same table as a case on the host.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core import reasons
from crs_core.compat import const
from crs_core.grade import entries
from crs_core.grade import grader_state as st
from crs_core.grade.grader import Assessment
from crs_core.grade.rules import Rules

_SKIN_OR_AXILLA = ("axilla", "skin")
_FEVER_FACTS = ("fever", "fever_earlier")
_MEMO_MAX = const(16)
_memo: dict = {}


def enter(state: list, values: dict, t_ms: int, rules: Rules) -> list:
    """The state after `values` {key of the vocabulary, or episode_closed: value or None}, observed at `t_ms`."""
    s = list(state)
    values = values.copy()
    if values.pop("episode_closed", None):
        s[st.TOLD] = entries.close_episode(s[st.TOLD])
        s[st.LATCH] = s[st.HELD] = 0
        s[st.LOWER] = None
    _replace(s, entries.enter(s[st.TOLD], values, t_ms))
    # a reading by hand that comes late is no present fever any more, but it was one
    was_met = (values.get("temperature_cc") or 0) >= rules.fever_cc and "fever_other_cause" not in values
    if values.get("fever_earlier") or was_met:
        s[st.LATCH] = 1
    s[st.FLAGS] &= ~st.AGE_UNKNOWN
    return s


def doubt(state: list, t_ms: int) -> list:
    """The state after a newer sign at `t_ms` that no reading holds: the patient's button."""
    s = list(state)
    s[st.TOLD] = entries.doubt(s[st.TOLD], t_ms)
    return s


def boot(s: list, rules: Rules) -> None:
    """After a boot nobody knows how old the entries are: those that count for a time ran out. In place."""
    left = entries.boot(s[st.TOLD], rules)
    if left != s[st.TOLD]:
        _replace(s, left)
        s[st.FLAGS] |= st.AGE_UNKNOWN


def signs(state: list, rules: Rules) -> int:
    """Bits for the alarm conditions (signs.py)."""
    if not state[st.TOLD]:
        return 0
    from crs_core.grade import signs as bits

    return bits.of_entries(state[st.TOLD], rules)


def assess(s: list, fever: int, say: tuple, fell: bool, now_ms: int, rules: Rules) -> Assessment:
    """Finish a step of `s` in place. `fever`, `say`: of the thermometer; `fell`: the saturation has just fallen."""
    masked = entries.is_masked(s[st.TOLD])
    at_risk = masked or s[st.FLAGS] & st.FEBRILE != 0
    _replace(s, entries.expire(s[st.TOLD], now_ms, at_risk, rules))
    was_febrile = s[st.FLAGS] & st.FEBRILE
    by_sensor = fever == reasons.FEVER_MET
    inputs = entries.in_force(s[st.TOLD])
    fever, say = _fever_told(s, fever, say, inputs, rules)
    rose_ms = now_ms if by_sensor and not was_febrile else None
    if fell:
        s[st.TOLD] = entries.doubt(s[st.TOLD], now_ms)
        inputs = entries.in_force(s[st.TOLD])
    found = _look_up(s, _case(s, fever, say, inputs, now_ms, rules), rules)
    if s[st.LOWER] is not None and found[0] > s[st.LOWER]:
        left = entries.doubt(
            s[st.TOLD], entries.newest_worry_ms(s[st.TOLD], now_ms) if rose_ms is None else rose_ms
        )
        if len(left) != len(s[st.TOLD]):
            s[st.TOLD] = left
            found = _look_up(s, _case(s, fever, say, entries.in_force(left), now_ms, rules), rules)
    lower, upper, missing, more, version, told_known = found
    is_measured = fever != reasons.FEVER_UNKNOWN or say[0] in _OPEN
    known = told_known or is_measured
    if known:
        # what a loss leaves lower is no fall, and its return no rise
        s[st.LOWER] = lower if is_measured and not s[st.HELD] else max(lower, s[st.LOWER] or 0)
    say += more
    if s[st.LATCH] and fever != reasons.FEVER_MET:
        say += (reasons.R_FEVER_EARLIER,)
    if s[st.HELD] and (not known or s[st.HELD] > lower):
        say += (reasons.R_HELD_1 + s[st.HELD] - 1,)
    if s[st.FLAGS] & st.AGE_UNKNOWN:
        say += (reasons.R_CONTEXT_AGE_UNKNOWN,)
    return Assessment(
        reasons.SCALE_ASTCT,
        version,
        lower if known else None,
        upper if known else None,
        fever,
        reasons.PROVISIONAL if known else reasons.NOT_GRADABLE,
        say,
        missing,
        None if s[st.TEMP_AT] is None else now_ms - s[st.TEMP_AT],
        None if s[st.PPG_AT] is None else now_ms - s[st.PPG_AT],
    )


# A row that is open although a temperature is known.
_OPEN = (reasons.R_SKIN_BELOW, reasons.R_MASK_WINDOW_OVER)


def _replace(s: list, left: list) -> None:
    """Put other entries in place; what lapsed with them is held."""
    lapsed = entries.count_lapsed(left)
    if lapsed > entries.count_lapsed(s[st.TOLD]) and s[st.LOWER]:
        s[st.HELD] = max(s[st.HELD], s[st.LOWER])
    elif not lapsed:
        s[st.HELD] = 0
    s[st.TOLD] = left


def _fever_told(s: list, fever: int, say: tuple, inputs: dict, rules: Rules) -> tuple:
    """(FEVER_*, reasons) with readings by hand and masks: any source at the limit is met, a lower one cancels none."""
    hand_cc = inputs.get("temperature_cc")
    usable = fever != reasons.FEVER_UNKNOWN or say[0] == reasons.R_SKIN_BELOW
    if fever != reasons.FEVER_MET and hand_cc is not None and hand_cc >= rules.fever_cc:
        fever, say = reasons.FEVER_MET, (reasons.R_FEVER_BY_HAND,)
    if fever == reasons.FEVER_MET:
        s[st.FLAGS] |= st.FEBRILE
        if "fever_other_cause" in inputs:
            return fever, say + (reasons.R_OTHER_CAUSE,)
        s[st.LATCH] = 1
        return fever, say
    if usable:
        s[st.FLAGS] &= ~st.FEBRILE
    if not usable and hand_cc is None:
        return fever, say
    if entries.mask_is_over(s[st.TOLD]):
        return reasons.FEVER_UNKNOWN, (reasons.R_MASK_WINDOW_OVER,)
    if entries.is_masked(s[st.TOLD]):
        return reasons.FEVER_MASKED, (reasons.R_MASKED,)
    if hand_cc is not None and inputs.get("site") not in _SKIN_OR_AXILLA:
        return reasons.FEVER_NOT_MET, (reasons.R_BELOW,)
    return fever, say


def _case(s: list, fever: int, say: tuple, inputs: dict, now_ms: int, rules: Rules) -> dict:
    """The step as a case of the vocabulary, in as few different values as the table tells apart."""
    one = {key: inputs[key] for key in inputs if key not in entries.MEASURED and key not in _NOT_READ}
    if fever == reasons.FEVER_MET:
        one["temperature_cc"], one["site"] = rules.fever_cc, "oral"
    elif say[0] == reasons.R_BELOW:
        one["temperature_cc"], one["site"] = rules.fever_cc - 1, "oral"
    elif fever != reasons.FEVER_UNKNOWN or say[0] in _OPEN:
        one["temperature_cc"], one["site"] = rules.fever_cc - 1, "axilla"
    if s[st.LATCH]:
        one["fever_earlier"] = True
    fresh = s[st.PPG_AT] is not None and now_ms - s[st.PPG_AT] <= rules.grade_ppg_max_age_ms
    spo2_tenths = s[st.SPO2] if fresh else inputs.get("spo2_tenths")
    if spo2_tenths is not None:
        one["spo2_tenths"] = 1000 if spo2_tenths >= rules.spo2_need_tenths else 500
    return one


_NOT_READ = (
    "ice",
    "capd",
    "consciousness",
    "seizure",
    "motor_weakness",
    "organ_grade",
    "death",
    "rising_need",
)


def _look_up(s: list, case: dict, rules: Rules) -> tuple:
    """(lower, upper, missing ids, reasons of what was told, version, whether an entry alone makes it gradable)."""
    if _memo.get("rules") is not rules:
        _memo.clear()
        _memo["rules"] = rules
    key = repr(sorted(case.items()))
    if key not in _memo:
        from crs_core.grade import astct, facts
        from crs_core.grade.scale import interval, matters

        scale = astct.SCALE
        found = {name: getattr(facts, name)(case, rules) for name in scale.facts}
        possible = {name: found[name].values for name in scale.facts}
        missing: list = []
        say: tuple = ()
        known = False
        for name in scale.facts:
            fact = found[name]
            if fact.missing and fact.missing not in missing and matters(scale, possible, name):
                missing.append(fact.missing)
            if name not in _FEVER_FACTS:
                say += fact.reasons
                known = known or fact.known
        if len(_memo) > _MEMO_MAX:
            _memo.clear()
            _memo["rules"] = rules
        _memo[key] = interval(scale, possible) + (tuple(missing), say, astct.VERSION, known)
    return _memo[key]
