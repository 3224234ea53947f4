"""Errors by blame, as h11 names them: ours or theirs. Decoders raise RemoteError and nothing else."""


class CoreError(Exception):
    """Root of all errors raised by crs_core; `args[0]` is one plain sentence."""


class LocalError(CoreError):
    """The caller broke the contract: a bug on this side."""


class RemoteError(CoreError):
    """The peer, the flash or the link gave bytes that break the format; never the caller's fault."""
