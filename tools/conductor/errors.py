"""Why a simulated run cannot go on."""


class ConductorError(Exception):
    """The run failed; nothing that follows in it would mean anything."""


class ParticipantDiedError(ConductorError):
    """A participant ended in its turn, without a word."""


class ParticipantHungError(ConductorError):
    """A participant did not end its turn, or one that was expected did not come, within the limit of real time."""


class WireError(ConductorError):
    """A participant said what nobody can understand."""


class FloodError(ConductorError):
    """Participants work for ever and let no time pass, or one sends messages without end."""


class NotInTimeError(AssertionError):
    """A condition did not come about within so much simulated time."""
