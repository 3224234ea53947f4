"""Find a receiver's secret where the configuration points. It is never logged, stored or shown.

The key X_file of every secret X takes a file, `keyring:SERVICE/NAME` for an entry in this user's keyring, or
`$CREDENTIALS_DIRECTORY/NAME` for a credential that systemd hands to its service (LoadCredential).
"""

import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from host_agent.errors import ConfigError
from host_agent.printable import is_invisible
from host_agent.text_file import TextFileError, first_line, read_text_file

SHORTEST_CHARS = 16
# What a file holds round a secret when it was made for another program: the signature would cover that, too.
_QUOTES = "\"'`\u2018-\u201f\u00ab\u00bb"
_FORMS = (
    (re.compile(f"[{_QUOTES}].*[{_QUOTES}]"), "has quotes around it"),
    (
        re.compile(r"(export |set )\s*\w+\s*=.*|[A-Z_][A-Z0-9_]+\s*=[^=].*"),
        "has a name before it, as in NAME=secret",
    ),
)
# A password that a person chose may look like that.
_FORMS_ROUND_MACHINE_MADE = (
    (re.compile(f"[{_QUOTES}].*|.*[{_QUOTES}]"), "has quotes around it"),
    (
        re.compile(r"(?i:\w*(secret|key|token|password))\s*[=:][^=].*|\w+\s*[=:]\s+\S.*"),
        "has a name before it",
    ),
    (re.compile(r"\{.*\}|\{|\[.*\]|<.*>|-----BEGIN .*"), "is in the form of another program"),
    (re.compile(r"(#|;|//)\s.*|#!.*"), "is a comment"),
    (re.compile(r".*\\[nr]"), "ends with a backslash and a letter in the place of a line end"),
)
_WRAPPED = re.compile(r"([A-Za-z0-9+/]{64}|[A-Za-z0-9+/]{76})\n[A-Za-z0-9+/]+=*\s*")

_KEYRING, _CREDENTIALS = "keyring:", "$CREDENTIALS_DIRECTORY"
_KEYRING_S = 10.0  # a keyring may ask a person, who is not there when a laptop starts by itself

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
        secret, place = _from_file(owner, file or "", environ)
    forms = _FORMS if shortest_chars < SHORTEST_CHARS else (*_FORMS, *_FORMS_ROUND_MACHINE_MADE)
    if form := next((why for pattern, why in forms if pattern.fullmatch(secret)), ""):
        raise ConfigError(
            f"{owner}: the secret in {place} {form}.",
            advice="Write the secret alone, as the receiver has it. If that belongs to it, make a new one for both.",
        )
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


def is_elsewhere(file: str) -> bool:
    """Whether the value of a key X_file names no file, so that no folder of the configuration counts."""
    return file.startswith((_KEYRING, f"{_CREDENTIALS}/"))


def _from_file(owner: str, file: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """(secret, place in words) of what `file` names."""
    if file.startswith(_KEYRING):
        return _from_keyring(owner, file.removeprefix(_KEYRING)), f"the keyring ({file})"
    is_credential = file.startswith(f"{_CREDENTIALS}/")
    if is_credential:
        file = _credential(owner, file.removeprefix(f"{_CREDENTIALS}/"), environ)
    try:
        path = Path(file).expanduser()
    except RuntimeError:
        raise ConfigError(
            f"{owner}: the secret file {file} is in a home folder that is not known.", "Give its whole path."
        ) from None
    try:
        text = read_text_file(
            # systemd keeps a credential private by an access list, whose mask looks like a group that may read
            path, private=not is_credential, largest_bytes=65_536,
            advice="Check the path in the configuration, and that your user may read the file.",
        )  # fmt: skip
    except TextFileError as error:
        raise ConfigError(f"{owner}: the secret file {path} {error.why}", error.advice) from None
    if _WRAPPED.fullmatch(text):
        raise ConfigError(
            f"{owner}: the secret in file {path} is broken into several lines.", "Write it on one line."
        )
    if not first_line(text) and text.strip():
        raise ConfigError(
            f"{owner}: the first line of file {path} is empty.", "Write the secret on the first line."
        )
    return first_line(text), f"file {path}"


def _credential(owner: str, name: str, environ: Mapping[str, str]) -> str:
    """The path of a credential of systemd."""
    if not environ.get("CREDENTIALS_DIRECTORY"):
        raise ConfigError(
            f"{owner}: systemd hands this program no credentials (CREDENTIALS_DIRECTORY is not set).",
            f"Write LoadCredential={name}:/path/of/the/secret into the unit of the agent, and start it by systemd.",
        )
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        raise ConfigError(
            f"{owner}: {name} is no name of a credential.",
            f"Write {_CREDENTIALS}/NAME with a name of LoadCredential.",
        )
    return str(Path(environ["CREDENTIALS_DIRECTORY"]) / name)


def _from_keyring(owner: str, entry: str) -> str:
    """The secret of SERVICE/NAME in this user's keyring, asked in a thread that may be left alone."""
    service, _, name = entry.partition("/")
    if not service or not name:
        raise ConfigError(f"{owner}: keyring:{entry} names no entry.", "Write keyring:SERVICE/NAME.")
    try:
        import keyring  # noqa: PLC0415 it takes long to import, and most laptops have files
    except ImportError:
        raise ConfigError(
            f"{owner}: keyring is not installed.", "Type: pip install 'cytowatch[keyring]'"
        ) from None
    found: list[object] = []

    def ask() -> None:
        try:
            found.append(keyring.get_password(service, name))
        except Exception as error:  # each of the many keyrings has errors of its own
            found.append(error)

    asked = threading.Thread(target=ask, name="keyring", daemon=True)
    asked.start()
    asked.join(_KEYRING_S)
    answer = found[0] if found else TimeoutError(f"no answer within {_KEYRING_S:g} s; it may be locked")
    if isinstance(answer, str):
        return answer.strip()
    if answer is None:
        why, advice = "holds no such entry", f"Make it: keyring set {service} {name}"
    else:
        # a keyring's own words could hold what it was asked for
        why = str(answer) if isinstance(answer, TimeoutError) else f"cannot be used ({type(answer).__name__})"
        advice = (
            "Unlock it, or put the secret into a file or a credential of systemd: host_agent/RECEIVERS.md"
        )
    raise ConfigError(f"{owner}: the keyring {why} ({_KEYRING}{entry}).", advice)
