"""No text of the product reassures: words that would say that a patient is well are not in it.

What is scanned: every Markdown and TOML file under version control outside code spans, and every text in the product's
Python. A text is a string with a blank in it, f-strings put together, docstrings left out; a string without a blank is
an identifier, except the capitalised words that a label would be made of. So a key or a method may be called what it
must, and a sentence may not.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("firmware", "host_agent", "tools")
# A hyphen or underscore makes a word part of another one; "safe mode" is what the boot loader calls its own state.
FORBIDDEN = re.compile(
    r"(?<![\w-])(?:"
    r"(?-i:OK|Ok)|okay|normal(?:ly)?|safe(?:ly)?(?! mode)|resolved|improved|confirmed|grade 0|no CRS|all clear"
    r")(?![\w-])",
    re.IGNORECASE,
)
LABEL = re.compile(
    r"^(?:OK|Ok|Okay|Normal|NORMAL|Safe|SAFE|Resolved|Improved|Confirmed|RESOLVED|IMPROVED|CONFIRMED)$"
)
TREATMENT = re.compile(
    r"(?<![\w-])(?:tocilizumab|siltuximab|anakinra|dexamethasone|methylprednisolone|paracetamol|acetaminophen|ibuprofen)"
    r"|\b\d+(?:\.\d+)? ?(?:mg|mcg|ug|µg)(?:/kg)?\b",
    re.IGNORECASE,
)


def tracked(*patterns: str) -> list[Path]:
    """Files under version control that still exist."""
    done = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).exists()]


def docstrings(tree: ast.AST) -> set[int]:
    """Identities of the constants that document, which no user sees."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(id(first.value))
    return found


def texts_of(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of every string in Python source; an f-string is one text with its values cut out."""
    tree = ast.parse(source)
    skip = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            skip |= {id(part) for part in node.values}
            yield node.lineno, "".join(str(part) for part in parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skip:
            yield node.lineno, node.value


def shown_as_help(path: Path) -> bool:
    """A module whose docstring is printed by --help: then it is a text too."""
    return "description=__doc__" in path.read_text() or path.is_relative_to(ROOT / "host_agent/cli")


def findings(source: str, pattern: re.Pattern[str] = FORBIDDEN) -> list[tuple[int, str]]:
    """(line, word) of every forbidden word in the texts of Python source."""
    found = []
    for line, text in texts_of(source):
        if LABEL.match(text.strip()) and pattern is FORBIDDEN:
            found.append((line, text.strip()))
        elif " " in text.strip():
            found.extend((line, match.group()) for match in pattern.finditer(text))
    return found


def prose(markdown: str) -> str:
    """Markdown without code blocks and code spans."""
    return re.sub(r"`[^`\n]*`", "` `", re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL))


def product_python() -> list[Path]:
    return [path for path in tracked("*.py") if path.relative_to(ROOT).parts[0] in PRODUCT]


@pytest.mark.parametrize("folder", PRODUCT)
def test_no_text_of_the_product_reassures(folder: str) -> None:
    found = {}
    for path in product_python():
        if path.is_relative_to(ROOT / folder) and (words := findings(path.read_text())):
            found[str(path.relative_to(ROOT))] = words
    assert not found


def test_no_help_text_reassures() -> None:
    found = {}
    for path in product_python():
        if shown_as_help(path):
            tree = ast.parse(path.read_text())
            for node in ast.walk(tree):
                if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
                    words = FORBIDDEN.findall(ast.get_docstring(node) or "")
                    if words:
                        found[f"{path.relative_to(ROOT)}:{getattr(node, 'name', '')}"] = words
    assert not found


def test_no_page_reassures() -> None:
    found = {}
    for path in tracked("*.md", "*.toml", "*.html", "*.txt"):
        if words := FORBIDDEN.findall(prose(path.read_text())):
            found[str(path.relative_to(ROOT))] = words
    assert not found


def test_no_text_of_the_product_advises_treatment() -> None:
    found = {}
    for path in product_python():
        if words := findings(path.read_text(), TREATMENT):
            found[str(path.relative_to(ROOT))] = words
    for path in tracked("*.md"):
        if words := TREATMENT.findall(prose(path.read_text())):
            found[str(path.relative_to(ROOT))] = words
    assert not found


def test_every_reason_has_a_text() -> None:
    """A condition without words would be shown as its number."""
    from crs_core import code_texts, codes
    from crs_core.grade.scales import REASON_TEXTS

    for kind, texts, end in (
        ("R_", code_texts.REASON_TEXTS, 100),
        ("MISSING_", code_texts.MISSING_TEXTS, 20),
    ):
        numbers = [value for name, value in vars(codes).items() if name.startswith(kind)]
        assert set(texts) == set(numbers) and len(set(numbers)) == len(numbers)
        assert max(numbers) < end, "from there on the scales of the host have theirs"
    assert set(code_texts.MISSING_NAMES) == set(code_texts.MISSING_TEXTS)
    assert len(set(code_texts.ALARM_NAMES.values())) == len(code_texts.ALARM_NAMES)
    for text in (
        *code_texts.REASON_TEXTS.values(),
        *REASON_TEXTS.values(),
    ):
        assert text.endswith(".") and not FORBIDDEN.search(text)


@pytest.mark.parametrize(
    "source",
    [
        'print("temperature is normal")',
        'say("Everything OK")',
        'x = f"{name}: resolved at {t}"',
        'x = "CRS grade 0"',
        'x = "there is no CRS"',
        'label = "OK"',
        'label = "Normal"',
        'x = "the patient is " "safe now"',
        'x = "the fever has improved"',
        'x = "not confirmed yet"',
    ],
)
def test_the_scan_finds_a_reassurance(source: str) -> None:
    assert findings(source)


@pytest.mark.parametrize(
    "source",
    [
        'if inputs["blood_pressure"] == "normal": pass',
        "RESULT_OK = 0",
        'class Safe:\n    """Safe to call twice."""',
        'x = "safe mode (button held)"',
        'x = "a power-loss-safe journal"',
        'x = "abnormal end of the link"',
        'status = "ok"',
        'x = "grade 01"',
        'x = f"{normal}"',
    ],
)
def test_the_scan_leaves_identifiers_alone(source: str) -> None:
    assert not findings(source)


def test_the_scan_leaves_code_spans_alone() -> None:
    assert not FORBIDDEN.search(prose("`blood_pressure: normal`\n```\nOK\n```\n"))
    assert FORBIDDEN.search(prose("All is OK."))
