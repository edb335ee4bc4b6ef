"""The modules of a package, before they become the parts of one: their names and their imports."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPES = (ast.FunctionDef, ast.Lambda, ast.ClassDef, *COMPREHENSIONS)


@dataclass
class Module:
    """One module before it becomes a part; `imports` tells what a name of another module's is."""

    name: str  # "pixelmirror.event"
    tree: ast.Module
    own: list[str] = field(default_factory=list)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)  # -> (module, name or "")
    outside: dict[str, str] = field(default_factory=dict)  # name -> the statement that imports it

    @property
    def last_name(self) -> str:
        return self.name.rpartition(".")[2]


def parsed(path: str, source: bytes) -> Module:
    """The module without annotations, docstrings and `__all__`."""
    name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return Module(name, _Plain().visit(ast.parse(source)))


class _Plain(ast.NodeTransformer):
    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.Assign:
        if node.value is None:
            raise SystemExit(f"web: an annotation of nothing, on line {node.lineno}")
        return ast.Assign([node.target], node.value, lineno=node.lineno)

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        self.generic_visit(node)
        return ast.Pass() if ast.unparse(node.targets[0]) == "__all__" else node

    def visit_Global(self, node: ast.Global) -> ast.stmt:
        raise SystemExit(f"web: a bundle can have no `global`, as on line {node.lineno}")

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        raise SystemExit(f"web: a bundle can have no `async def`, as on line {node.lineno}")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        self.generic_visit(node)
        return ast.Pass() if isinstance(node.value, ast.Constant) else node


def look(module: Module, modules: dict[str, Module]) -> None:
    """What the module's names are; its imports are taken out."""
    is_package = any(name.startswith(f"{module.name}.") for name in modules)
    package = module.name if is_package else module.name.rpartition(".")[0]

    class Imports(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
            for one in ast.walk(node):  # what a function imports stays: it is not ours
                if isinstance(one, ast.ImportFrom) and one.level:
                    raise SystemExit(f"web: {module.name} imports a module inside {node.name}")
            return node

        def visit_Import(self, node: ast.Import) -> ast.stmt:
            for one in node.names:
                module.outside[one.asname or one.name] = ast.unparse(ast.Import([one]))
            return ast.Pass()

        def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
            above = package.split(".")
            source = ".".join([*above[: len(above) + 1 - node.level], *filter(None, [node.module])])
            for one in node.names:
                name = one.asname or one.name
                if not node.level:
                    made = ast.ImportFrom(node.module, [one], 0)
                    module.outside[name] = ast.unparse(made)
                elif f"{source}.{one.name}" in modules:
                    module.imports[name] = (f"{source}.{one.name}", "")
                else:
                    module.imports[name] = (source, one.name)
            return ast.Pass()

    Imports().visit(module.tree)
    module.tree.body = [one for one in module.tree.body if not isinstance(one, ast.Pass)]
    module.own = sorted(set(bound(module.tree)))


def bound(scope: ast.AST) -> Iterator[str]:
    """The names that this function, class or module binds itself."""
    for node in ast.iter_child_nodes(scope):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.arg(arg=name):
                yield name
            case ast.alias(name=name, asname=asname):
                yield asname or name.partition(".")[0]
            case ast.ExceptHandler(name=str(name)):
                yield name
        if not isinstance(node, SCOPES):
            yield from bound(node)


def ordered(modules: dict[str, Module]) -> list[Module]:
    """Each module after those that it imports; the package itself comes last."""
    found: list[Module] = []

    def add(module: Module, path: tuple[str, ...]) -> None:
        if module in found or module.name in path:
            return
        for name, _ in module.imports.values():
            add(modules[name], (*path, module.name))
        found.append(module)

    root = min(modules, key=len)
    for module in modules.values():
        if module.name != root:
            add(module, (root,))
    return [*found, modules[root]]
