"""Which module imports which, read from the source: every import counts, also one inside a function
and one by a name that stands as text in a call of `import_module`, `__import__`, `run_module` or `run_path`.

Imports for the type checker alone (`if TYPE_CHECKING:`) do not count: they never run.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

Graph = dict[str, set[str]]
# Where imports begin: the project's root, and firmware/, whose packages have no prefix on a board either.
BASES = {"firmware": ("crs_core", "crs_device", "boards"), "": ("host_agent", "tools", "tests")}

_BY_TEXT = {"import_module", "__import__", "run_module", "run_path"}


def module_names(root: Path) -> dict[str, Path]:
    """Every module of the project at `root`, by the name it is imported under; a package by that of its folder."""
    found: dict[str, Path] = {}
    for base, packages in BASES.items():
        for package in packages:
            for path in sorted((root / base / package).rglob("*.py")):
                parts = path.relative_to(root / base).with_suffix("").parts
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def import_graph(root: Path) -> Graph:
    """The modules of the project at `root`, each with the modules of the project that it imports."""
    known = module_names(root)
    return {
        name: {target for target in _imported(name, path, known) if target != name}
        for name, path in known.items()
    }


def _imported(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    tree = ast.parse(path.read_text())
    yield from _imported_by_text(tree, known)
    for node in _running_imports(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
            continue
        source = node.module or ""
        if node.level:
            parts = package.split(".")
            source = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [source])])
        for alias in node.names:
            whole = f"{source}.{alias.name}"
            if whole in known:
                yield whole
            elif source in known:
                yield source


def _imported_by_text(tree: ast.Module, known: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] not in _BY_TEXT:
            continue
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        texts = [
            each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        if texts and texts[0].startswith("."):
            texts = [texts[-1] + texts[0]]
        for text in texts:
            dotted = text.removesuffix(".py").removeprefix("firmware/").replace("/", ".")
            if dotted in known:
                yield dotted


def _running_imports(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and ast.unparse(child.test) in (
            "TYPE_CHECKING",
            "typing.TYPE_CHECKING",
        ):
            for statement in child.orelse:
                yield from _running_imports(ast.Module([statement], []))
        else:
            yield from _running_imports(child)


def circles(graph: Graph) -> list[list[str]]:
    """Groups of modules that all reach one another (strongly connected, by Tarjan), each sorted by name."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in sorted(graph.get(name, ())):
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            at = stack.index(name)
            group, stack[at:] = stack[at:], []
            if len(group) > 1:
                found.append(sorted(group))

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return sorted(found)
