"""Who has an alarm, in words for screens and answers. What a message says of it is in `../words/`."""

from host_agent.store.acceptances import Acceptance
from host_agent.text import local_time_near

GRADE_NOUN = "the grade rose"


def first_words(one: Acceptance, now_ms: int) -> str:
    """Who accepted it, for somebody who comes second: `nurse-1 accepted it at 03:31, until 03:41`."""
    return (
        f"{one.who} accepted it at {local_time_near(one.at_utc_ms, now_ms)},"
        f" until {local_time_near(one.until_utc_ms, now_ms)}"
    )
