"""Write a copy of the firmware in which every statement reports that it ran."""

import ast
from pathlib import Path

COMPILED = {"viper", "native", "asm_thumb"}


class _Reporter(ast.NodeTransformer):
    """Insert a call before each statement; remember which number stands for which line."""

    def __init__(self, first: int) -> None:
        self.next = first
        self.lines: list[int] = []

    def _call(self, line: int) -> ast.stmt:
        number, self.next = self.next, self.next + 1
        self.lines.append(line)
        return ast.parse(f"__cov__({number})").body[0]

    def _body(self, body: list[ast.stmt], own_docstring: bool) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for index, statement in enumerate(body):
            is_docstring = (
                own_docstring
                and index == 0
                and isinstance(statement, ast.Expr)
                and isinstance(statement.value, ast.Constant)
            )
            if not is_docstring and not isinstance(statement, ast.Global | ast.Nonlocal):
                out.append(self._call(statement.lineno))
            out.append(statement)
        return out

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Attribute) and decorator.attr in COMPILED:
                return node
        return self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                setattr(node, field, self._body(body, documented and field == "body"))
        return node


def instrument(source: Path, target: Path) -> list[tuple[Path, int]]:
    """Copy `source` to `target`, instrumented; entry n of the result is the file and line of number n."""
    table: list[tuple[Path, int]] = []
    for path in sorted(source.rglob("*.py")):
        reporter = _Reporter(len(table))
        tree = ast.fix_missing_locations(reporter.visit(ast.parse(path.read_text())))
        out = target / path.relative_to(source)
        out.parent.mkdir(parents=True, exist_ok=True)
        prefix = "import cw_cov\n" if path.name not in ("boot.py", "main.py") else ""
        out.write_text(prefix + ast.unparse(tree) + "\n")
        table += [(path, line) for line in reporter.lines]
    return table
