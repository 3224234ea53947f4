"""What a journal ever gave out, and the error for a promise that it broke; runs on MicroPython."""


class Broken(Exception):  # noqa: N818 said of a promise
    """A promise of the journal does not hold."""


def require(holds, what, *facts):
    """Raise Broken with the facts unless `holds`."""
    if not holds:
        raise Broken("%s %r" % (what, facts))


class Ledger:
    """Everything ever seen under a key (journal id, seq); `given_out`: keys that an append gave out in this life."""

    def __init__(self, other=None):
        self.seen = dict(other.seen) if other else {}
        self.given_out = []

    def add(self, journal_id, seq, content):
        key = (journal_id, seq)
        old = self.seen.get(key)
        require(old is None or old == content, "one number, two contents", seq, old, content)
        self.seen[key] = content
