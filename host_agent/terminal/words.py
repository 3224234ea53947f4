"""Words of a list as people type them: in any case, with `-` or a blank for `_`; and what the shell offers for them."""

import difflib
from collections.abc import Callable, Sequence

from host_agent.errors import ConfigError
from host_agent.people.said import plain


def chosen(text: str, words: Sequence[str], option: str) -> str:
    """The one of `words` that was typed; ConfigError says which there are, and which was meant."""
    by_plain = {plain(word): word for word in words}
    found = by_plain.get(plain(text))
    if found is not None:
        return found
    near = difflib.get_close_matches(plain(text), list(by_plain), n=1)
    hint = f"Did you mean {by_plain[near[0]]}?" if near else "Try --help."
    raise ConfigError(f"{option}: expected one of {', '.join(words)}, found {text!r}.", hint)


def offering(words: Sequence[str]) -> Callable[[str], list[str]]:
    """What the shell offers: the words that begin like what stands there."""

    def begin_so(incomplete: str) -> list[str]:
        return [word for word in words if plain(word).startswith(plain(incomplete))]

    return begin_so
