"""A receiver as the outbox sees it."""

from typing import NamedTuple

WITHHELD = "simulated; this receiver does not accept simulations"


class Target(NamedTuple):
    """`name` is the receiver's; a simulation goes only to one that accepts it.

    `reaches_person` False: what it takes has told nobody.
    """

    name: str
    accept_simulated: bool
    reaches_person: bool = True
