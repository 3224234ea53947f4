"""How many lines each list of a page gets when not all of them fit."""

from collections.abc import Sequence


def shares(needs: Sequence[int], lines: int, least: int = 2) -> list[int]:
    """Lines for each list: what it needs, or less. The longest gives way first, and none falls below `least` by it."""
    given = list(needs)
    while sum(given) > lines:
        longest = max(range(len(given)), key=lambda at: (given[at], at))
        if given[longest] <= least:
            break
        given[longest] -= 1
    return given


def how_many(lengths: Sequence[int], lines: int) -> int:
    """How many whole items, of so many lines each, fit; one line is kept to say how many did not."""
    if sum(lengths) <= lines:
        return len(lengths)
    used = 0
    for at, length in enumerate(lengths):
        used += length
        if used > lines - 1:
            return at
    return len(lengths)
