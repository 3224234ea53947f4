"""Put the firmware's named numbers where they are used, before a board's bytecode is made.

MicroPython folds `_NAME = const(1)` only inside one module. A public `NAME = const(1)` costs an entry in its module's
dictionary, one more in each module that imports it, and its name in the table of strings that is never freed. On a
heap of 192 kB words the firmware's six hundred names cost 15 kB. Here each use becomes the number itself, so the board
does not store the names. The source keeps them, and the host runs the source.
"""

import ast
from collections.abc import Mapping
from pathlib import Path

from tools.board import short_arguments, unused_names

Constants = Mapping[str, int]
_ARITHMETIC = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context)


class FoldError(Exception):
    """The name of a constant is also used for something else; the message says where."""


def fold(tree: Path, names: list[Path]) -> dict[Path, str]:
    """Return {name: source with each constant replaced by its number} of the modules `names` below `tree`.

    SyntaxError when a file is not Python; FoldError when a local name hides a constant.
    """
    parsed = {name: ast.parse((tree / name).read_text(), str(name)) for name in names}
    modules = {_module(name): name for name in names}
    constants: dict[str, dict[str, int]] = {}
    for module in modules:
        _constants_of(module, modules, parsed, constants)
    trees = {}
    for module, name in modules.items():
        trees[module] = _Folder(name, constants[module], constants).visit(parsed[name])
    unused_names.drop(trees)
    short_arguments.shorten(trees.values())
    return {name: ast.unparse(ast.fix_missing_locations(trees[module])) for module, name in modules.items()}


def _module(name: Path) -> str:
    parts = name.parent.parts if name.stem == "__init__" else name.with_suffix("").parts
    return ".".join(parts)


def _constants_of(
    module: str,
    modules: Mapping[str, Path],
    parsed: Mapping[Path, ast.Module],
    found: dict[str, dict[str, int]],
) -> dict[str, int]:
    """The constants that `module` defines at its top level, each computed from numbers and earlier constants."""
    if module in found:
        return found[module]
    own: dict[str, int] = {}
    known: dict[str, int] = {}
    found[module] = own
    for node in parsed[modules[module]].body:
        if isinstance(node, ast.ImportFrom) and node.module in modules:
            theirs = _constants_of(node.module, modules, parsed, found)
            known.update({a.asname or a.name: theirs[a.name] for a in node.names if a.name in theirs})
        target = _constant_target(node)
        if target is not None:
            value = _number(target[1], known)
            if value is not None:
                own[target[0]] = known[target[0]] = value
    return own


def _constant_target(node: ast.stmt) -> tuple[str, ast.expr] | None:
    """(name, expression) of `NAME = const(expression)`."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="const"), args=[value])):
            return name, value
    return None


def _number(expression: ast.expr, known: Constants) -> int | None:
    """The value of an expression of numbers and known names; None for any other expression."""
    for node in ast.walk(expression):
        if not (isinstance(node, ast.Name) and node.id in known) and not isinstance(node, _ARITHMETIC):
            return None
    code = compile(ast.Expression(expression), "const", "eval")
    value = eval(code, {"__builtins__": {}}, dict(known))  # noqa: S307 numbers and operators alone, by the loop above
    return value if type(value) is int else None


class _Folder(ast.NodeTransformer):
    def __init__(self, name: Path, own: Constants, constants: Mapping[str, Constants]) -> None:
        self._name = name
        self._own = own
        self._all = constants
        self._numbers = dict(own)  # constants by their name in this module
        self._modules: dict[str, str] = {}  # imported modules by their name in this module

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        module = node.module or ""
        numbers = self._all.get(module, {})
        kept = []
        for alias in node.names:
            here = alias.asname or alias.name
            if alias.name in numbers:
                self._numbers[here] = numbers[alias.name]
                continue
            if f"{module}.{alias.name}" in self._all:
                self._modules[here] = f"{module}.{alias.name}"
            kept.append(alias)
        if not kept:
            return ast.Pass()
        node.names = kept
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        target = _constant_target(node)
        if target is not None and target[0] in self._own:
            return ast.Pass()
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self._numbers:
            return node
        if not isinstance(node.ctx, ast.Load):
            raise self._hidden(node.id, node.lineno)
        return ast.Constant(self._numbers[node.id])

    def visit_arg(self, node: ast.arg) -> ast.arg:
        if node.arg in self._numbers:
            raise self._hidden(node.arg, node.lineno)
        self.generic_visit(node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id in self._modules:
            numbers = self._all[self._modules[node.value.id]]
            if node.attr in numbers:
                return ast.Constant(numbers[node.attr])
        return node

    def _hidden(self, name: str, line: int) -> FoldError:
        return FoldError(f"{self._name}:{line}: {name} is a constant. Give the other thing another name.")
