"""Find a receiver's secret where the configuration points. It is never logged, stored or shown."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from host_agent.errors import ConfigError

SHORTEST_CHARS = 16

VariableName = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")]


def read_secret(owner: str, file: str | None, variable: str | None, environ: Mapping[str, str]) -> bytes:
    """The secret's bytes; ConfigError names `owner` and the place, never the content, when it cannot serve."""
    if variable is not None:
        place = f"environment variable {variable}"
        secret = environ.get(variable, "")
        if not secret:
            raise ConfigError(f"{owner}: {place} is not set.", advice="Set it where the agent starts.")
    else:
        path = Path(file or "").expanduser()
        place = f"file {path}"
        secret = _first_line(owner, path)
    if len(secret) < SHORTEST_CHARS:
        raise ConfigError(
            f"{owner}: the secret in {place} has fewer than {SHORTEST_CHARS} characters.",
            advice="Make one with `python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`.",
        )
    return secret.encode()


def _first_line(owner: str, path: Path) -> str:
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise ConfigError(
            f"{owner}: the secret file {path} cannot be read ({reason}).",
            advice="Check the path in the configuration, and that your user may read the file.",
        ) from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"{owner}: other users can read the secret file {path}.", advice=f"Run `chmod 600 {path}`."
        )
    return lines[0].strip() if lines else ""
