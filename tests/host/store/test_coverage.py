"""Coverage against the plainest model there is: a set of numbers."""

from hypothesis import given
from hypothesis import strategies as st

from host_agent.store.coverage import Coverage

SPANS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 12)), max_size=30)


@given(SPANS, st.integers(0, 5), st.tuples(st.integers(1, 70), st.integers(0, 30)))
def test_coverage_is_a_set_of_sequences(spans, start, question) -> None:
    held, model = Coverage(start), set(range(1, start + 1))
    for first, length in spans:
        held.add(first, first + length)
        model |= set(range(first, first + length + 1))
        prefix = 0
        while prefix + 1 in model:
            prefix += 1
        assert held.prefix == prefix and held.highest == max(model)
    first, last = question[0], question[0] + question[1]
    missing = {n for a, b in held.missing(first, last) for n in range(a, b + 1)}
    assert missing == set(range(first, last + 1)) - model


def test_a_copy_is_independent() -> None:
    one = Coverage()
    one.add(5, 6)
    two = one.copy()
    two.add(1, 4)
    assert (one.prefix, two.prefix) == (0, 6)
