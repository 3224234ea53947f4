"""The key of the page: whoever can read this file may open the page, as whoever can open the control socket may ask.

The page listens on the laptop's own address, which every user of the laptop and every website in a browser can reach.
The file lies in the state folder, closed to other users; the browser keeps the key in a cookie.
"""

import hmac
import os
import secrets
from pathlib import Path

from host_agent.plain_file import open_plain

NAME = "page.key"
_CHARACTERS = 43  # 32 random bytes in URL-safe base64


def page_key(home: Path) -> str:
    """The key of this state folder, made at first use. OSError when the folder takes no file."""
    path = home / NAME
    try:
        with os.fdopen(open_plain(path), "rb") as file:
            is_closed = not os.fstat(file.fileno()).st_mode & 0o077
            found = file.read(_CHARACTERS + 1).decode("ascii", "replace").strip()
        if is_closed and len(found) == _CHARACTERS:
            return found
        path.unlink()  # somebody else may have read it, or it was cut off
    except FileNotFoundError:
        pass
    made = secrets.token_urlsafe(32)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(made + "\n")
    return made


def is_key(given: str | None, key: str) -> bool:
    """Compared in constant time."""
    return given is not None and hmac.compare_digest(given.encode(), key.encode())
