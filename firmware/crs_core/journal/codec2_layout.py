"""Codec 2: readings by column, differences in Rice codes. PROTOCOL.md, section 8, has every bit.

In short: 2 bits say that times and states go on as expected. Then follows, for each of the four values, how its
differences are coded, and its first value. Then come the quotients of all differences, and then the low bits of all, so
that a host reads many with one call.

This codec stays readable for ever. A better one gets the next number.
"""

from crs_core.compat import const

FIRST_STEP_MS = const(10_000)
STEP_K = const(11)  # a step that is a second longer takes 13 bits
STATE = const(0x4010)  # before the first row: axilla, worn, both valid, no value None
STATE_BITS = const(20)  # status << 4 | marks of the values that are None
# mark of None in a state, base of the first value, k of the first value; in the order of a Reading
COLUMNS = ((1, 3700, 6), (2, 970, 5), (4, 80, 5), (8, 150, 6))
ALL_EQUAL = const(15)  # in place of a column's k: no difference is coded
VALUE_MAX = const(65534)
