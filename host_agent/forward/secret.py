"""Find the shared secret of a webhook where the configuration points; it is never logged, stored or shown."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from host_agent.config.model import WebhookSection
from host_agent.errors import ConfigError

SHORTEST_CHARS = 16


def read_secret(section: WebhookSection, environ: Mapping[str, str] = os.environ) -> bytes:
    """The secret's bytes; raises ConfigError naming the place (never the content) when it cannot serve."""
    if section.secret_env is not None:
        place = f"environment variable {section.secret_env}"
        secret = environ.get(section.secret_env, "")
        if not secret:
            raise ConfigError(
                f"webhook {section.name}: {place} is not set.", advice="Set it where the agent starts."
            )
    else:
        path = Path(section.secret_file or "").expanduser()
        place = f"file {path}"
        secret = _first_line(section.name, path)
    if len(secret) < SHORTEST_CHARS:
        raise ConfigError(
            f"webhook {section.name}: the secret in {place} has fewer than {SHORTEST_CHARS} characters.",
            advice="Make one with `python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`.",
        )
    return secret.encode()


def _first_line(name: str, path: Path) -> str:
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise ConfigError(
            f"webhook {name}: the secret file {path} cannot be read ({reason}).",
            advice="Check secret_file and who may read it.",
        ) from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"webhook {name}: other users can read the secret file {path}.", advice=f"Run `chmod 600 {path}`."
        )
    return lines[0].strip() if lines else ""
