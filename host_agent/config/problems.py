"""Turn a validation failure into sentences: key path, line, what was expected, what was found."""

import difflib
import json
import re
import tomllib
import types
import typing
import unicodedata
from typing import Any

from annotated_types import Ge, Le
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from host_agent.text import without_secrets

_TABLE = re.compile(r"^\s*(\[{1,2})\s*([A-Za-z0-9_.\-\"' ]+?)\s*\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-\"'.]+)\s*=")
_SHOWN_CHARS = 40
_PLACE = re.compile(r"at line (\d+)")
_TYPOGRAPHIC = re.compile("[\u2018-\u201f\u00ab\u00bb]")

Path = tuple[str | int, ...]


def syntax_problem(error: tomllib.TOMLDecodeError, text: str) -> str:
    """One clause for text that is not TOML at all, with the cause that people meet most when its line shows it."""
    place = _PLACE.search(str(error))
    lines = text.split("\n")
    line = lines[int(place.group(1)) - 1] if place and int(place.group(1)) <= len(lines) else ""
    if _TYPOGRAPHIC.search(line):
        why = '. Its quotes are typographic; type the straight " instead'
    elif "\\" in line:
        why = ". A backslash begins a code in double quotes; write the value in single quotes: 'C:\\folder\\file'"
    elif odd := next((c for c in line if unicodedata.category(c) in ("Cf", "Zs") and c != " "), ""):
        why = f". The line holds the invisible character U+{ord(odd):04X}; delete it"
    else:
        why = ""
    return f"not valid TOML: {error}{why}"


def describe_problems(error: ValidationError, model: type[BaseModel], text: str) -> list[str]:
    """One line per wrong key, in file order where the line is known."""
    lines = []
    for problem in error.errors(include_url=False):
        path = _without_union_tags(problem["loc"], model)
        line = line_of(text, path)
        where = f" (line {line})" if line else ""
        lines.append((line or 0, f"{_dotted(path)}{where}: {_sentence(problem, path, model)}"))
    return [sentence for _, sentence in sorted(lines, key=lambda pair: pair[0])]


def _sentence(problem: Any, path: Path, model: type[BaseModel]) -> str:
    kind = problem["type"]
    if kind == "extra_forbidden":
        known = sorted(_model_at(path[:-1], model).model_fields)
        near = difflib.get_close_matches(str(path[-1]), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known keys here: {', '.join(known)}"
        return f"unknown key; {hint}"
    if kind == "value_error":  # our own validators state what they expect
        return f"expected {problem['ctx']['error']}"
    field = _field_at(path, model)
    expected = expectation(field)
    if kind == "missing":
        return f"mandatory key is missing; expected {expected}"
    if field is not None and SecretStr in (field.annotation, *typing.get_args(field.annotation)):
        return f"expected {expected}"  # and never what was found
    return f"expected {expected}, found {_shown(problem['input'])}"


def expectation(field: FieldInfo | None) -> str:
    """What a key takes, in words: type, bounds, unit."""
    if field is None:
        return "a table"
    unit = f" {field.json_schema_extra['unit']}" if isinstance(field.json_schema_extra, dict) else ""
    low = next((item.ge for item in field.metadata if isinstance(item, Ge)), None)
    high = next((item.le for item in field.metadata if isinstance(item, Le)), None)
    bounds = f" from {low} to {high}{unit}" if low is not None else ""
    return _type_words(field.annotation, field) + bounds


def _type_words(annotation: Any, field: FieldInfo | None = None) -> str:
    if typing.get_origin(annotation) is typing.Annotated:
        return _type_words(annotation.__origin__) + "".join(
            _pattern_words(item) for item in annotation.__metadata__
        )
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return "one of " + ", ".join(json.dumps(value) for value in typing.get_args(annotation))
    if origin in (tuple, dict):
        inner = typing.get_args(annotation)[0 if origin is tuple else 1]
        return f"a {'list' if origin is tuple else 'table'} of {_type_words(inner)}"
    if origin in {types.UnionType, typing.Union}:
        return _type_words(next(a for a in typing.get_args(annotation) if a is not type(None)))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a table"
    words = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text in quotes",
        SecretStr: "text in quotes",
    }
    extra = "".join(_pattern_words(item) for item in field.metadata) if field else ""
    return words.get(annotation, "a value") + extra


def _pattern_words(item: object) -> str:
    if isinstance(item, FieldInfo):
        return "".join(_pattern_words(inner) for inner in item.metadata)
    pattern = getattr(item, "pattern", None)
    return f" matching {pattern}" if pattern else ""


def line_of(text: str, path: Path) -> int | None:
    """The 1-based line where `path` is written, else that of its table, else None."""
    table: list[str | int] = []
    counts: dict[str, int] = {}
    best = None
    names = [part for part in path if isinstance(part, str)]
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            name = header.group(2)
            table = [part.strip().strip("\"'") for part in name.split(".")]
            if header.group(1) == "[[":
                table.append(counts.get(name, 0))
                counts[name] = counts.get(name, 0) + 1
            if list(path[: len(table)]) == table:
                best = number
        elif key := _KEY.match(line):
            full = [*table, *(part.strip("\"'") for part in key.group(1).split("."))]
            same = list(path[: len(full)]) == full
            if same and [part for part in full if isinstance(part, str)] == names:
                return number
            if same:
                best = number
    return best


def _without_union_tags(loc: Path, model: type[BaseModel]) -> Path:
    # pydantic adds the branch of a union or a validator as a last part that is no key; the file has none
    path = [part for part in loc if not (isinstance(part, str) and ("[" in part or part in {"str", "int"}))]
    return tuple(path)


def _model_at(path: Path, model: type[BaseModel]) -> type[BaseModel]:
    for part in path:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        arguments = [
            a for a in typing.get_args(annotation) if isinstance(a, type) and issubclass(a, BaseModel)
        ]
        inner = arguments[0] if arguments else annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    return model


def _field_at(path: Path, model: type[BaseModel]) -> FieldInfo | None:
    names = [part for part in path if isinstance(part, str)]
    if not names:
        return None
    return _model_at(tuple(names[:-1]), model).model_fields.get(names[-1])


def _dotted(path: Path) -> str:
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else (f".{part}" if out else part)
    return out or "file"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a table"
    try:
        text = without_secrets(repr(value) if not isinstance(value, str) else json.dumps(value))
    except (ValueError, RecursionError):  # Python writes no number of thousands of digits
        return "a number that is too long"
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
