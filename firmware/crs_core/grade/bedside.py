"""The grader's step with entries: which of them count, and the interval that they leave.

Loaded with the first entry. `enter`, `doubt` and `boot` change the state outside a step, `assess` ends a step; `signs`
is what the alarm conditions read. The same facts and the same table as a case on the host.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core import codes
from crs_core.compat import const
from crs_core.grade import entries
from crs_core.grade import grader_state as st
from crs_core.grade.assessment import Assessment
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
        _close(s, t_ms)
    hand_cc = values.get("temperature_cc")
    before = entries.in_force(s[st.TOLD])
    if hand_cc is not None and hand_cc < rules.fever_cc <= before.get("temperature_cc", 0):
        # a lower reading does not cancel a fever by hand that still counts
        values.pop("temperature_cc")
        values.pop("site", None)
    left = entries.enter(s[st.TOLD], values, t_ms)
    spo2_tenths = values.get("spo2_tenths")
    if spo2_tenths is not None and spo2_tenths < rules.spo2_medium_tenths:
        left = entries.doubt(left, t_ms)
    if hand_cc is not None and hand_cc >= rules.fever_cc and not s[st.FLAGS] & st.FEBRILE:
        left = entries.doubt(left, t_ms)
    for key in values:
        if (
            values[key] is not None
            and entries.is_worrying(key, values[key])
            and before.get(key) != values[key]
        ):
            s[st.FLAGS] |= st.WORRIED
    _replace(s, left, t_ms, rules)
    # a reading by hand that arrives late tells of no present fever, but of one in this episode
    if values.get("fever_earlier") or (
        hand_cc is not None
        and hand_cc >= rules.fever_cc
        and "fever_other_cause" not in entries.in_force(left)
    ):
        s[st.LATCH] = 1
        s[st.MET_AT] = t_ms if s[st.MET_AT] is None else max(s[st.MET_AT], t_ms)
    if not entries.lapsed(left):
        s[st.FLAGS] &= ~st.AGE_UNKNOWN
    return s


def _close(s: list, t_ms: int) -> None:
    """The episode ended at `t_ms`; a fever that was met later belongs to a new episode."""
    s[st.TOLD] = entries.close_episode(s[st.TOLD], t_ms)
    if s[st.MET_AT] is None or s[st.MET_AT] <= t_ms:
        s[st.LATCH] = 0
        s[st.LOWER] = None
    if not entries.lapsed(s[st.TOLD]):
        s[st.HELD] = 0


def doubt(state: list, t_ms: int) -> list:
    """The state after the patient's button at `t_ms`, a newer sign that no reading contains."""
    s = list(state)
    s[st.TOLD] = entries.doubt(s[st.TOLD], t_ms)
    return s


def boot(s: list, rules: Rules) -> None:
    """Change `s` after a boot: nobody knows how old the entries are, so those with a time limit expire."""
    left = entries.boot(s[st.TOLD], rules)
    if left != s[st.TOLD]:
        _replace(s, left, 0, rules)
        s[st.FLAGS] |= st.AGE_UNKNOWN


def signs(state: list, rules: Rules) -> int:
    """Bits for the alarm conditions (signs.py)."""
    if not state[st.TOLD]:
        return 0
    from crs_core.grade import signs as bits  # loaded for each entry: the wearable has no room to keep it

    return bits.of_entries(state[st.TOLD], rules)


def assess(s: list, fever: int, say: tuple, fell: bool, now_ms: int, rules: Rules) -> Assessment:
    """Finish a step of `s` in place. `fever`, `say`: of the thermometer; `fell`: the saturation has just fallen."""
    at_risk = entries.is_masked(s[st.TOLD]) or s[st.FLAGS] & st.FEBRILE != 0
    _replace(s, entries.expire(s[st.TOLD], now_ms, at_risk, rules), now_ms, rules)
    if fever == codes.FEVER_MET and not s[st.FLAGS] & st.FEBRILE:
        # a new fever: statements about an earlier one, and what reassured before it, no longer count
        s[st.TOLD] = entries.doubt(s[st.TOLD], now_ms)
    elif fell:
        s[st.TOLD] = entries.doubt(s[st.TOLD], now_ms)
    fever, say = _fever_told(s, fever, say, now_ms, rules)
    found = _look_up(_case(s, fever, say, now_ms, rules), rules)
    if s[st.FLAGS] & st.WORRIED and (s[st.LOWER] is None or found[0] > s[st.LOWER]):
        # an entry raised the bound, so older reassurance no longer counts; that of the same entry does
        left = entries.doubt(s[st.TOLD], entries.newest_worry_ms(s[st.TOLD], now_ms))
        if len(left) != len(s[st.TOLD]):
            s[st.TOLD] = left
            found = _look_up(_case(s, fever, say, now_ms, rules), rules)
    s[st.FLAGS] &= ~st.WORRIED
    lower, upper, missing, more, version, told_known = found
    known = told_known or fever != codes.FEVER_UNKNOWN or say[0] in _OPEN
    if known:
        s[st.LOWER] = lower
    say += more
    if s[st.LATCH] and fever != codes.FEVER_MET:
        say += (codes.R_FEVER_EARLIER,)
    if s[st.HELD] and (not known or s[st.HELD] > lower):
        say += (codes.R_HELD_1 + s[st.HELD] - 1,)
    if s[st.FLAGS] & st.AGE_UNKNOWN:
        say += (codes.R_CONTEXT_AGE_UNKNOWN,)
    return Assessment(
        codes.SCALE_ASTCT,
        version,
        lower if known else None,
        upper if known else None,
        fever,
        codes.PROVISIONAL if known else codes.NOT_GRADABLE,
        say,
        missing,
        None if s[st.TEMP_AT] is None else now_ms - s[st.TEMP_AT],
        None if s[st.PPG_AT] is None else now_ms - s[st.PPG_AT],
    )


# A row that is open although a temperature is known.
_OPEN = (codes.R_SKIN_BELOW, codes.R_MASK_WINDOW_OVER)


def _replace(s: list, left: list, now_ms: int, rules: Rules) -> None:
    """Put other entries in place; the lowest grade that newly lapsed entries had proved is held."""
    if left is s[st.TOLD]:
        return
    had = entries.lapsed(s[st.TOLD])
    has = entries.lapsed(left)
    if [key for key in has if key not in had]:
        # of an entry that came after the last step too; whether there is a fever now does not matter here
        sure = _look_up(_case(s, codes.FEVER_UNKNOWN, (0,), now_ms, rules), rules)[0]
        s[st.HELD] = max(s[st.HELD], s[st.LOWER] or 0, sure)
    elif not has:
        s[st.HELD] = 0
    s[st.TOLD] = left


def _fever_told(s: list, fever: int, say: tuple, now_ms: int, rules: Rules) -> tuple:
    """(FEVER_*, reasons) with readings by hand and masks. Any source at the limit is met; no lower one cancels it."""
    inputs = entries.in_force(s[st.TOLD])
    hand_cc = inputs.get("temperature_cc")
    usable = fever != codes.FEVER_UNKNOWN or say[0] == codes.R_SKIN_BELOW
    if fever != codes.FEVER_MET and hand_cc is not None and hand_cc >= rules.fever_cc:
        fever, say = codes.FEVER_MET, (codes.R_FEVER_BY_HAND,)
    if fever == codes.FEVER_MET:
        s[st.FLAGS] |= st.FEBRILE
        if "fever_other_cause" in inputs:
            return fever, say + (codes.R_OTHER_CAUSE,)
        s[st.LATCH] = 1
        s[st.MET_AT] = now_ms
        return fever, say
    if usable:
        s[st.FLAGS] &= ~st.FEBRILE
    if not usable and hand_cc is None:
        return fever, say
    if entries.mask_is_over(s[st.TOLD]):
        return codes.FEVER_UNKNOWN, (codes.R_MASK_WINDOW_OVER,)
    if entries.is_masked(s[st.TOLD]):
        return codes.FEVER_MASKED, (codes.R_MASKED,)
    if hand_cc is not None and inputs.get("site") not in _SKIN_OR_AXILLA:
        hand_ms = entries.time_of(s[st.TOLD], "temperature_cc")
        if fever != codes.FEVER_POSSIBLE or _possible_since(s) <= hand_ms:
            return codes.FEVER_NOT_MET, (codes.R_BELOW,)
    return fever, say


def _possible_since(s: list) -> int:
    """Since when a fever is possible by the thermometer: a reading by hand before that settles nothing."""
    times = [s[at] for at in (st.POSSIBLE, st.RISE) if s[at + 2]]
    return max(times)


def _case(s: list, fever: int, say: tuple, now_ms: int, rules: Rules) -> dict:
    """The step as a case of the vocabulary, in as few different values as the table tells apart."""
    inputs = entries.in_force(s[st.TOLD])
    one = {key: inputs[key] for key in inputs if key not in entries.MEASURED and key not in _NOT_READ}
    if fever == codes.FEVER_MET:
        one["temperature_cc"], one["site"] = rules.fever_cc, "oral"
    elif say[0] == codes.R_BELOW:
        one["temperature_cc"], one["site"] = rules.fever_cc - 1, "oral"
    elif fever != codes.FEVER_UNKNOWN or say[0] in _OPEN:
        one["temperature_cc"], one["site"] = rules.fever_cc - 1, "axilla"
    if s[st.LATCH]:
        one["fever_earlier"] = True
    fresh = s[st.PPG_AT] is not None and now_ms - s[st.PPG_AT] <= rules.grade_ppg_max_age_ms
    spo2_tenths = s[st.SPO2] if fresh else inputs.get("spo2_tenths")
    if spo2_tenths is not None:
        one["spo2_tenths"] = 1000 if spo2_tenths >= rules.spo2_need_tenths else 500
    return one


_NOT_READ = (
    "ice", "capd", "consciousness", "seizure", "motor_weakness", "organ_grade", "death", "flow_lpm", "fio2_pct",
)  # fmt: skip


def _look_up(case: dict, rules: Rules) -> tuple:
    """(lower, upper, missing ids, reasons of what was told, version, whether an entry alone makes it gradable)."""
    if _memo.get("rules") is not rules:
        _memo.clear()
        _memo["rules"] = rules
    key = repr(sorted(case.items()))
    if key not in _memo:
        # the wearable loads these for a new case and lets them go
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
