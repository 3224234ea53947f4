"""Every number in one place, each with a unit, bounds and a source; the hash names exactly these numbers."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from crs_core.errors import LocalError, RemoteError
from crs_core.grade import rules
from crs_core.grade.rules import DEFAULT
from crs_core.grade.rules_table import TABLE

GRADE = Path(__file__).resolve().parents[3] / "firmware/crs_core/grade"


def test_names_and_table_are_the_same_in_the_same_order() -> None:
    assert list(rules.Rules._fields) == [row[0] for row in TABLE]


def test_every_number_has_a_unit_bounds_and_a_source() -> None:
    for name, value, unit, low, high, source in TABLE:
        assert unit and len(source) > 10, name
        assert low <= value <= high, name
        assert name.endswith(
            (
                "_ms",
                "_cc",
                "_min",
                "_tenths",
                "_bpm",
                "_hundredths",
                "_mmhg",
                "_months",
                "_points",
                "_grade",
                "_percent",
            )
        ), name


def test_the_default_rules_pass_their_own_check() -> None:
    rules.check(DEFAULT)


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_a_number_outside_its_bounds_is_refused_by_name(row: tuple) -> None:
    for wrong in (row[3] - 1, row[4] + 1, None, True, float(row[1])):
        with pytest.raises(LocalError, match=row[0]):
            rules.with_limits(DEFAULT, {row[0]: wrong})


def test_a_signed_limit_never_goes_below_85_percent() -> None:
    assert rules.with_limits(DEFAULT, {"spo2_fast_tenths": 850}).spo2_fast_tenths == 850
    for name in ("spo2_fast_tenths", "spo2_slow_tenths", "spo2_medium_tenths"):
        with pytest.raises(LocalError, match=name):
            rules.with_limits(DEFAULT, {name: 849})


def test_limits_that_contradict_one_another_are_refused() -> None:
    with pytest.raises(LocalError, match="HIGH limit"):
        rules.with_limits(DEFAULT, {"spo2_medium_tenths": 890})
    with pytest.raises(LocalError, match="ladder"):
        rules.with_limits(DEFAULT, {"no_data_medium_ms": 1_800_000})
    with pytest.raises(LocalError, match="no such rule"):
        rules.with_limits(DEFAULT, {"spo2_limit": 900})


def test_the_fever_limit_is_the_scales_and_cannot_be_moved() -> None:
    with pytest.raises(LocalError, match="fever_cc"):
        rules.with_limits(DEFAULT, {"fever_cc": 3810})


def test_bytes_come_back_as_the_same_rules() -> None:
    other = rules.with_limits(DEFAULT, {"spo2_medium_tenths": 910, "hr_high_bpm": 130})
    assert rules.decode(rules.encode(other)) == other


def test_the_hash_changes_with_every_number_and_only_then() -> None:
    seen = {rules.rule_hash(DEFAULT)}
    assert rules.rule_hash(rules.Rules(*DEFAULT)) in seen
    for name, value, _, low, high, _ in TABLE:
        if low < high:
            moved = DEFAULT._replace(**{name: value + 1 if value < high else value - 1})
            seen.add(rules.rule_hash(moved))
    assert len(seen) == 1 + sum(low < high for _, _, _, low, high, _ in TABLE)
    assert all(len(one) == 8 for one in seen)


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b"",
        lambda b: b"\xff" + b,
        lambda b: b[:-1],
        lambda b: b + b"x=1\n",
        lambda b: b.replace(b"logic=1", b"logic=2"),
        lambda b: b.replace(b"fever_cc=3800", b"fever_cc=3700"),
        lambda b: b.replace(b"fever_cc=3800", b"fever_cc=03800"),
        lambda b: b.replace(b"fever_cc=3800", b"fever_cc=-1"),
        lambda b: b.replace(b"fever_delay_ms", b"fever_delay"),
    ],
)
def test_damaged_rules_are_refused_with_the_remote_error(damage) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RemoteError):
        rules.decode(damage(rules.encode(DEFAULT)))


def literals(tree: ast.AST) -> Iterator[int]:
    """Every integer that decides something: not those of a test's case, nor the number of a reason or input."""
    if isinstance(tree, ast.Call) and ast.unparse(tree.func) in ("Case", "OtherReading", "Reason", "Missing"):
        return
    if isinstance(tree, ast.Constant) and type(tree.value) is int:
        yield tree.value
    for node in ast.iter_child_nodes(tree):
        yield from literals(node)


def test_no_clinical_number_is_written_outside_the_rules() -> None:
    """A number of the table that appears as a literal in a step would be a second truth."""
    clinical = {row[1] for row in TABLE if row[1] >= (10_000 if row[2] == "ms" else 50)}
    found = set()
    steps = [GRADE / f"{name}.py" for name in ("alarms", "alarm_state", "grader", "guards", "hold")]
    steps += [GRADE / f"{name}.py" for name in ("facts", "case", "astct", "scale")]
    for path in steps + sorted((GRADE / "scales").glob("*.py")):
        name = path.stem
        found |= {(name, value) for value in literals(ast.parse(path.read_text())) if value in clinical}
    assert found == {
        ("hold", 100),  # milliseconds in a tenth of a second
        ("facts", 100),  # percent; the same digits as the rise above a baseline in 0.01 °C
        ("grader", 30_000),  # longest step that counts as time between two readings
        ("registry", 100),  # the first number of a reason that only entries give
    }


def test_the_sites_numbers_and_the_patients_on_top_are_one_rule_set() -> None:
    made = rules.in_use("hr_high_bpm:110,spo2_need_tenths:920", "hr_high_bpm:100")
    assert (made.hr_high_bpm, made.spo2_need_tenths) == (100, 920)
    assert made._replace(hr_high_bpm=120, spo2_need_tenths=900) == DEFAULT
    assert rules.in_use("", "") == DEFAULT
    assert rules.in_use("hr_high_bpm:0000000100", "").hr_high_bpm == 100, "ten digits at most"
    assert rules.rule_hash(made) != rules.rule_hash(DEFAULT)


def test_what_differs_is_written_as_it_is_read() -> None:
    made = rules.with_limits(DEFAULT, {"spo2_fast_tenths": 870, "hr_delay_ms": 30_000})
    assert rules.limits_text(made, DEFAULT) == "spo2_fast_tenths:870,hr_delay_ms:30000"
    assert rules.in_use(rules.limits_text(made, DEFAULT), "") == made
    assert rules.limits_text(DEFAULT, DEFAULT) == ""


NOT_PAIRS = (
    "hr_high_bpm",
    "hr_high_bpm:",
    "hr_high_bpm:1x",
    "hr_high_bpm:-1",
    "hr_high_bpm:00000000100",
    "hr_high_bpm:100,",
    "hr_high_bpm:100 ",
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *[(text, "is not name:value") for text in (*NOT_PAIRS, "hr_high_bpm:100,hr_high_bpm:101")],
        ("hr_high_bpm:221", "rule hr_high_bpm"),
        ("fever_cc:3799", "rule fever_cc"),
        ("spo2_slow_tenths:849", "rule spo2_slow_tenths"),
        ("no_rule:1", "no_rule"),
        (":5", "no such rule"),
    ],
)
def test_numbers_that_are_not_signed_numbers_are_refused_and_named(text: str, said: str) -> None:
    for site, patient in ((text, ""), ("", text)):
        with pytest.raises(RemoteError, match=said):
            rules.in_use(site, patient)


def test_orders_that_make_no_sense_are_refused_and_equal_limits_are_not() -> None:
    rules.check(DEFAULT._replace(spo2_fast_tenths=900, spo2_slow_tenths=900, spo2_medium_tenths=900))
    with pytest.raises(LocalError, match="spo2"):
        rules.check(DEFAULT._replace(spo2_fast_tenths=900, spo2_slow_tenths=890))
    with pytest.raises(LocalError, match="spo2"):
        rules.check(DEFAULT._replace(spo2_slow_tenths=910, spo2_medium_tenths=900))
    with pytest.raises(LocalError, match="no_data"):
        rules.check(DEFAULT._replace(no_data_medium_ms=DEFAULT.no_data_high_ms))
