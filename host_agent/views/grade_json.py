"""`cytowatch grade`: grade the cases of a file, or one patient's course (`--course`), by the shared core.

The file holds a list of {"id", "inputs", ...} or an object {id: inputs}; other keys of a listed case are comments.
A course is a list of {"at_ms", "inputs"} in time order; null withdraws a key.
The answer is {id: {"fever", "alarms", "grades": {scale: {...}}}}. Nothing is stored and nothing sounds.
"""

import json
from pathlib import Path
from typing import Any

from crs_core.errors import RemoteError
from crs_core.grade import case, course, rules

from host_agent.text_file import TextFileError, read_text_file

RULE_HASH = rules.rule_hash(rules.DEFAULT).hex()  # names the numbers that decided
FILE_MAX_BYTES = 16 * 1024 * 1024


def grade_file(path: str | Path) -> dict[str, Any]:
    """Grade every case of the JSON file at `path`.

    RemoteError with one plain sentence when the file cannot be read or a case is refused; it names the case and the
    key. One refused case refuses the file: a partial answer could be taken for the whole.
    """
    answers: dict[str, Any] = {}
    for name, inputs in _cases(_read(Path(path))):
        if name in answers:
            raise RemoteError(f"case {name}: appears twice")
        try:
            answers[name] = {**case.assess(inputs), "rule_hash": RULE_HASH}
        except RemoteError as error:
            raise RemoteError(f"case {name}: {error.args[0]}") from None
    return answers


def grade_sequence(path: str | Path) -> list[dict[str, Any]]:
    """Assess every step of the course in the JSON file at `path`; RemoteError names the step and the key."""
    content = _read(Path(path))
    if not isinstance(content, list):
        raise RemoteError('the file must hold a list of steps, each with "at_ms" and "inputs"')
    return [{**step, "rule_hash": RULE_HASH} for step in course.run(content)]


def _read(path: Path) -> Any:
    try:
        text = read_text_file(path, typed=True, largest_bytes=FILE_MAX_BYTES)
    except TextFileError as error:
        raise RemoteError(f"{error} {error.advice}") from None
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except RemoteError as error:
        raise RemoteError(f"{path}: {error.args[0]}") from None
    except (ValueError, RecursionError) as error:
        raise RemoteError(f"{path}: not JSON: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RemoteError(f"{key}: given twice")
        found[key] = value
    return found


def _refuse_constant(name: str) -> Any:
    raise RemoteError(f"{name} is not a number that can be graded")


def _cases(content: Any) -> list[tuple[str, Any]]:
    if isinstance(content, dict):
        return list(content.items())
    if not isinstance(content, list):
        raise RemoteError("the file must hold a list of cases or an object of inputs by id")
    found = []
    for index, entry in enumerate(content):
        if not isinstance(entry, dict) or "inputs" not in entry:
            raise RemoteError(f'case number {index + 1}: must be an object with "id" and "inputs"')
        name = entry.get("id")
        if not isinstance(name, str) or not name:
            raise RemoteError(f'case number {index + 1}: "id" must be text')
        found.append((name, entry["inputs"]))
    return found
