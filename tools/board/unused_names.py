"""Leave out what a board never reads, before its bytecode is made: annotations, and imports that nothing uses.

MicroPython evaluates no annotation except those of viper functions. Once the constants have become numbers, many
modules import names that they no longer need. On the board each costs an entry in its module's dictionary, and some
keep a module in memory of which nothing is used. The source keeps them, and the host runs the source.
"""

import ast
from collections.abc import Mapping

Functions = ast.FunctionDef | ast.AsyncFunctionDef


def drop(trees: Mapping[str, ast.Module]) -> None:
    """Take annotations and unused top-level imports out of the modules {dotted name: syntax tree}, in place.

    An import of a module outside `trees` stays: it may be there to see whether that module exists. So does a name that
    another module imports from this one, or that any module reads as an attribute.
    """
    for tree in trees.values():
        _Annotations().visit(tree)
    is_less = True
    while is_less:  # an import that is gone may have been the only reader of another
        nodes = [node for tree in trees.values() for node in ast.walk(tree)]
        attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        imported = {
            (each.module, alias.name)
            for each in nodes
            if isinstance(each, ast.ImportFrom)
            for alias in each.names
        }
        is_less = False
        for module, tree in trees.items():
            read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | attributes
            read |= {name for source, name in imported if source == module}
            is_less |= _keep(tree, read, trees)


def _keep(tree: ast.Module, read: set[str], trees: Mapping[str, ast.Module]) -> bool:
    """Keep what `read` names of the imports of modules in `trees`; whether any went."""
    is_less = False
    for place, node in enumerate(tree.body):
        if isinstance(node, ast.ImportFrom) and node.module in trees:
            kept = [alias for alias in node.names if (alias.asname or alias.name) in read]
            is_less |= len(kept) < len(node.names)
            node.names = kept
            if not kept:
                tree.body[place] = ast.Pass()
    return is_less


class _Annotations(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> Functions:
        return self._without(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Functions:
        return self._without(node)

    def _without(self, node: Functions) -> Functions:
        if not any(ast.unparse(each) == "micropython.viper" for each in node.decorator_list):
            node.returns = None
            for each in ast.walk(node.args):
                if isinstance(each, ast.arg):
                    each.annotation = None
            self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is None:
            return ast.Pass()
        return ast.Assign(targets=[node.target], value=node.value, lineno=node.lineno)

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return node.orelse or ast.Pass()
        return node
