"""Short names: for what a program calls itself by, and nobody outside does."""

import ast
import builtins
import itertools
import keyword
import string
from collections.abc import Collection, Iterator


def short_names(taken: Collection[str]) -> Iterator[str]:
    """Names that are neither taken nor Python's own, the shortest first."""
    for length in (1, 2, 3):
        for letters in itertools.product(string.ascii_letters, repeat=length):
            name = "".join(letters)
            if name not in taken and not keyword.iskeyword(name) and not hasattr(builtins, name):
                yield name


def with_short_arguments(source: str) -> str:
    """The same program; only arguments that some call names keep their names."""
    tree = ast.parse(source)
    return ast.unparse(_Arguments(tree).visit(tree)) + "\n"


class _Arguments(ast.NodeTransformer):
    """Gives every function's first argument the same short name, its second another, and so on."""

    def __init__(self, tree: ast.Module) -> None:
        self.named = {
            one.arg
            for call in ast.walk(tree)
            if isinstance(call, ast.Call)
            for one in call.keywords
            if one.arg
        }
        self.scopes: list[dict[str, str]] = []

    def _function(self, node: ast.FunctionDef | ast.Lambda) -> ast.AST:
        inside = list(ast.walk(node))
        kept = self.named | {one.arg for one in node.args.kwonlyargs}
        kept |= {name for one in inside for name in _bound_otherwise(one)}
        taken = {one.id for one in inside if isinstance(one, ast.Name)} | kept
        taken |= {new for scope in self.scopes for new in scope.values()}
        arguments = [one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)]
        names = [name for name in arguments if name not in kept]
        new = dict(zip(names, short_names(taken), strict=False))
        outside = (node.args.defaults, node.args.kw_defaults)
        for defaults in outside:
            defaults[:] = [one and self.visit(one) for one in defaults]  # type: ignore[misc]
        node.args.defaults, node.args.kw_defaults = [], []
        self.scopes.append({**{name: name for name in arguments}, **new})
        self.generic_visit(node)
        self.scopes.pop()
        node.args.defaults, node.args.kw_defaults = outside
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._function(node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self.scopes[-1][node.arg]
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = next((one[node.id] for one in reversed(self.scopes) if node.id in one), node.id)
        return node


def _bound_otherwise(node: ast.AST) -> list[str]:
    """The names in this node that no ast.Name is: they stay."""
    match node:
        case ast.ExceptHandler(name=str(name)) | ast.FunctionDef(name=name):
            return [name]
        case ast.ClassDef(name=name):
            return [name]
        case ast.alias(name=name, asname=asname):
            return [asname or name.partition(".")[0]]
        case ast.Nonlocal(names=names):
            return names
    return []
