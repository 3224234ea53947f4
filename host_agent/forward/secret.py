"""Find a receiver's secret where the configuration points. It is never logged, stored or shown."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from host_agent.errors import ConfigError
from host_agent.printable import is_invisible
from host_agent.text_file import TextFileError, first_line, read_text_file

SHORTEST_CHARS = 16

VariableName = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")]


def read_secret(
    owner: str,
    file: str | None,
    variable: str | None,
    environ: Mapping[str, str],
    shortest_chars: int = SHORTEST_CHARS,
) -> bytes:
    """The secret's bytes; ConfigError names `owner` and the place, never the content, when it cannot serve."""
    if variable is not None:
        place = f"environment variable {variable}"
        # A script that read it from a file may have kept the mark at its start, and the blanks that a file loses.
        secret = environ.get(variable, "").removeprefix("\ufeff").strip()
        if not secret:
            raise ConfigError(f"{owner}: {place} is not set.", advice="Set it where the agent starts.")
    else:
        secret, place = _from_file(owner, file or "")
    if len(secret) < shortest_chars:
        raise ConfigError(
            f"{owner}: the secret in {place} has fewer than {shortest_chars} characters.",
            advice="Make one with `python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`.",
        )
    for at, character in enumerate(secret, 1):
        if character != " " and is_invisible(character):
            raise ConfigError(
                f"{owner}: the secret in {place} holds an invisible character"
                f" (U+{ord(character):04X}) at place {at}.",
                advice="Type that line anew, or make a new secret for both ends.",
            )
    return secret.encode()


def _from_file(owner: str, file: str) -> tuple[str, str]:
    """(secret, place in words) of the file that `file` names."""
    try:
        path = Path(file).expanduser()
    except RuntimeError:
        raise ConfigError(
            f"{owner}: the secret file {file} is in a home folder that is not known.", "Give its whole path."
        ) from None
    try:
        text = read_text_file(
            path, private=True, largest_bytes=65_536,
            advice="Check the path in the configuration, and that your user may read the file.",
        )  # fmt: skip
    except TextFileError as error:
        raise ConfigError(f"{owner}: the secret file {path} {error.why}", error.advice) from None
    return first_line(text), f"file {path}"
