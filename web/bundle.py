"""A Python package as one module with short names: a sixth fewer bytes of bytecode.

For the subset that web/pixelmirror is written in: modules import each other at their top level
only, no function has `global`, nobody assigns to another module's names, asks for a name by text or
passes `**` to a function that names its arguments. Attributes, and arguments that some call names,
keep their names.
"""

import ast
from typing import Any

from parts import COMPREHENSIONS, SCOPES, Module, bound, look, ordered, parsed
from short import short_names, with_short_arguments

Sources = dict[str, bytes]


def bundled(sources: Sources, *, is_open: bool = False) -> bytes:
    """The source of the one module. `sources`: `{"pixelmirror/event.py": b"...", ...}`.

    The package's own names stay. A module is left out of which nothing is used but in annotations.
    `is_open`: the others can still be imported by their names, as tests do.
    """
    modules = {one.name: one for one in (parsed(path, sources[path]) for path in sorted(sources))}
    for module in modules.values():
        look(module, modules)
    *inner, package = ordered(modules)
    names = _names([*inner, package])
    used: set[str] = set()  # modules of which another one uses something
    spaces: set[str] = set()  # those that are passed on as they are
    for module in modules.values():
        _Renamer(module, modules, names, used, spaces).visit(module.tree)
    parts = [module for module in inner if module.name in used | spaces]
    imports = {text for one in [*parts, package] for text in one.outside.values()}
    lines = sorted(imports | ({"import sys"} if is_open else set()))
    for module in parts:
        lines.append(_text(module))
        own = {name: names[module.name, name] for name in module.own}
        if is_open:
            known = {n: _space_name(one) for n, (one, what) in module.imports.items() if not what}
            lines.append(_space(module, own | known))
            lines.append(f"sys.modules[{module.name!r}] = {_space_name(module.name)}")
        elif module.name in spaces:
            public = {name: own[name] for name in own if not name.startswith("_")}
            lines.append(_space(module, public))
    return with_short_arguments("\n".join([*lines, _text(package)])).encode()


def _text(module: Module) -> str:
    return ast.unparse(ast.fix_missing_locations(module.tree))


def _space_name(name: str) -> str:
    return "_" + name.replace(".", "_")


def _space(module: Module, names: dict[str, str]) -> str:
    """An object with what the module had: a class, as MicroPython can't make modules."""
    pairs = ", ".join(f"{name!r}: {new}" for name, new in names.items())
    return f"{_space_name(module.name)} = type({module.last_name!r}, (), {{{pairs}}})"


def _names(modules: list[Module]) -> dict[tuple[str, str], str]:
    """What each module's own names are in the bundle: none is any function's local name too."""
    *inner, package = modules
    taken = {name for one in modules for name in (one.last_name, *one.outside, *one.imports)}
    taken |= {name for one in modules for name in one.own}
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, SCOPES):
                taken |= set(bound(node))
    short = short_names(taken)
    names = {(module.name, name): next(short) for module in inner for name in module.own}
    return names | {(package.name, name): name for name in package.own}


class _Renamer(ast.NodeTransformer):
    """Gives each global name of one module its name in the bundle; notes which are used."""

    def __init__(
        self,
        module: Module,
        modules: dict[str, Module],
        names: dict[tuple[str, str], str],
        used: set[str],
        spaces: set[str],
    ) -> None:
        self.module, self.modules, self.names = module, modules, names
        self.used, self.spaces = used, spaces
        self.scopes: list[tuple[ast.AST, set[str]]] = []

    def found(self, module: Module, name: str) -> tuple[str, str] | None:
        """The module and the name that a global name stands for; `(module, "")` is a module."""
        if name in module.own:
            return module.name, name
        if name not in module.imports:
            return None
        source, inner = module.imports[name]
        return self.found(self.modules[source], inner) if inner else (source, "")

    def _is_local(self, name: str) -> bool:
        inner = self.scopes[-1][0] if self.scopes else None
        return any(
            name in names
            for scope, names in self.scopes
            if scope is inner or not isinstance(scope, ast.ClassDef)
        )

    def _is_of_two(self, name: str) -> bool:
        """In a class's body: whether the class or the module has it depends on the moment."""
        is_class = bool(self.scopes) and isinstance(self.scopes[-1][0], ast.ClassDef)
        return is_class and self._is_local(name) and self.found(self.module, name) is not None

    def _target(self, name: str) -> tuple[str, str] | None:
        return None if self._is_local(name) else self.found(self.module, name)

    def _new(self, found: tuple[str, str]) -> str:
        name, inner = found
        if name != self.module.name:
            (self.used if inner else self.spaces).add(name)
        return self.names[found] if inner else _space_name(name)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if isinstance(node.ctx, ast.Load) and self._is_of_two(node.id):
            raise SystemExit(f"web: {node.id} on line {node.lineno} may be a class's or a module's")
        found = self._target(node.id)
        if found:
            node.id = self._new(found)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        found = self._target(node.value.id) if isinstance(node.value, ast.Name) else None
        if found and not found[1]:
            inner = self.found(self.modules[found[0]], node.attr)
            if inner is None:
                raise SystemExit(f"web: {self.module.name} asks for {ast.unparse(node)}")
            return ast.Name(self._new(inner), node.ctx)
        self.generic_visit(node)
        return node

    def _inside(self, node: ast.AST) -> None:
        self.scopes.append((node, set(bound(node))))
        self.generic_visit(node)
        self.scopes.pop()

    def _function(self, node: ast.FunctionDef | ast.Lambda) -> ast.AST:
        arguments = node.args
        outside = (arguments.defaults, arguments.kw_defaults)  # know nothing of what is inside
        for defaults in outside:
            defaults[:] = [one and self.visit(one) for one in defaults]  # type: ignore[misc]
        arguments.defaults, arguments.kw_defaults = [], []
        self._inside(node)
        arguments.defaults, arguments.kw_defaults = outside
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._function(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self._name(node)
        return self._function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._name(node)
        bases = [self.visit(base) for base in node.bases]
        node.bases = []
        self._inside(node)
        node.bases = bases
        return node

    def _name(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        decorators = [self.visit(one) for one in node.decorator_list]
        node.decorator_list = decorators
        found = self._target(node.name)
        if found:
            node.name = self._new(found)

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, COMPREHENSIONS):
            first = node.generators[0]
            outside = self.visit(first.iter)  # knows nothing of what is inside
            first.iter = ast.Constant(None)
            self._inside(node)
            first.iter = outside
            return node
        return super().visit(node)
