"""Give parameters whose names serve nothing else one-letter names, before a board's bytecode is made.

MicroPython keeps the name of every parameter in its table of strings, which is never freed, in case somebody calls by
keyword; it keeps no name of another local variable. Two hundred names of the firmware are there for this alone: 2 kB.
"""

import ast
from collections.abc import Collection

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def shorten(trees: Collection[ast.Module]) -> None:
    """Rename, in place, each positional parameter whose name is neither a keyword of a call nor stored for another use.

    Left alone: viper functions, and functions with another function or a `global` inside. A caller that is not in
    `trees`, such as a script that is sent to a board, must call by position.
    """
    nodes = [node for tree in trees for node in ast.walk(tree)]
    stored = {name for node in nodes for name in _stored(node)}
    for node in nodes:
        if isinstance(node, _FUNCTIONS):
            _shorten(node, stored)


def _stored(node: ast.AST) -> list[str]:
    """The names that a board keeps because of this node, parameters apart."""
    match node:
        case ast.Attribute(attr=name) | ast.keyword(arg=str(name)) | ast.Constant(value=str(name)):
            return [name]
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return [part for each in aliases for part in (*each.name.split("."), each.asname or "")]
        case ast.Module(body=body):
            return _in_scope(body)
        case ast.ClassDef(name=name, body=body):
            return [name, *_in_scope(body)]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return [name]
    return []


def _in_scope(body: list[ast.stmt]) -> list[str]:
    statements = [each for each in body if not isinstance(each, (*_FUNCTIONS, ast.ClassDef))]
    return [name.id for each in statements for name in ast.walk(each) if isinstance(name, ast.Name)]


def _shorten(function: Function, stored: Collection[str]) -> None:
    body = function.body if isinstance(function.body, list) else [function.body]
    inside = [node for each in body for node in ast.walk(each)]
    decorators = [] if isinstance(function, ast.Lambda) else function.decorator_list
    if any(ast.unparse(each) == "micropython.viper" for each in decorators):
        return
    if any(isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Global)) for node in inside):
        return
    names = [node for node in inside if isinstance(node, ast.Name)]
    caught = {node.name for node in inside if isinstance(node, ast.ExceptHandler)}
    parameters = [node for node in ast.walk(function.args) if isinstance(node, ast.arg)]
    taken = caught | {node.id for node in names} | {each.arg for each in parameters}
    free = [letter for letter in _LETTERS if letter not in taken]
    short: dict[str, str] = {}
    for each in function.args.posonlyargs + function.args.args:
        if len(each.arg) > 1 and free and each.arg not in stored and each.arg not in caught:
            short[each.arg] = free.pop(0)
            each.arg = short[each.arg]
    for name in names:
        name.id = short.get(name.id, name.id)
