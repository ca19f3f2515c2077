"""Gives the names of a module their short ones, wherever they stand."""

import ast

from doorward.firmware.scopes import Comprehension, Function, arguments, bound_in, own_names
from doorward.firmware.short_names import Names, is_open


class Renamer(ast.NodeTransformer):
    """Gives one module its short names; `called` says afterwards what was called so, definitions first."""

    def __init__(self, names: Names, given: dict[str, list[dict[str, str]]]) -> None:
        """given: where to note what arguments are called."""
        self.called: dict[str, list[str]] = {}
        self._names = names
        self._given = given
        # What each scope around the node calls its own names; a class has only the names that it binds.
        self._scopes: list[dict[str, str] | set[str]] = []
        self._path: list[str] = []

    # --- names

    def _short(self, name: str) -> str:
        short = self._names.short.get(name, name)
        if short != name:
            self._note(short, name)
        return short

    def _note(self, short: str, name: str) -> None:
        said = self.called.setdefault(short, [])
        if not any(other.rpartition(".")[2] == name for other in said):
            said.append(name)

    def _resolve(self, name: str) -> str:
        for depth, scope in enumerate(reversed(self._scopes)):
            if isinstance(scope, set):
                if depth == 0 and name in scope:
                    break
            elif name in scope:
                return scope[name]
        return self._short(name)

    def _open_scope(self, node: Function | Comprehension) -> dict[str, str]:
        used = (inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name))
        taken = {self._names.short.get(name, name) for name in used}
        for scope in self._scopes:
            taken.update(scope.values() if isinstance(scope, dict) else ())
        given = {one.arg for one in arguments(node)} if isinstance(node, Function) else set()
        said = self._names.keywords | (given if self._is_open(node) else set())
        scope = {}
        for name in own_names(node):
            if name in said:
                scope[name] = name
                continue
            # A variable costs no name, only a place. An argument does.
            pool = self._names.pool if name in given else map("_{}".format, range(len(taken) + 1))
            scope[name] = next(short for short in pool if short not in taken)
            taken.add(scope[name])
        self._scopes.append(scope)
        return scope

    def _is_open(self, node: Function | Comprehension) -> bool:
        """Whether others call this function: a method of a class that is offered."""
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        match self._path:
            case [owner, own]:
                return owner in self._names.offered and is_open(own)
        return False

    # --- nodes

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._resolve(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._resolve(node.arg)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        node.attr = self._short(node.attr)
        return self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self._short(name) for name in node.names]
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        node.names = [self._resolve(name) for name in node.names]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = node.name and self._resolve(node.name)
        return self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> ast.AST | None:
        for alias in node.names:
            bound = alias.asname or alias.name
            if "." not in bound and self._resolve(bound) != bound:
                alias.asname = self._resolve(bound)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.stmt] | None:
        for alias in node.names:
            here = self._resolve(alias.asname or alias.name)
            if (node.module or "").partition(".")[0] in self._names.packages:
                alias.name = self._short(alias.name)
            alias.asname = None if here == alias.name else here
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.bases = [self.visit(base) for base in node.bases]
        node.decorator_list = [self.visit(one) for one in node.decorator_list]
        own = node.name
        node.name = self._tell(own)
        self._path.append(own)
        self._scopes.append(bound_in(node.body))
        node.body = [self.visit(part) for part in node.body]
        self._scopes.pop()
        self._path.pop()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.decorator_list = [self.visit(one) for one in node.decorator_list]
        self._defaults(node)
        own, given = node.name, [one.arg for one in arguments(node)]
        node.name = self._tell(own)
        self._path.append(own)
        scope = self._inside(node)
        whose = self._path[-2] if own == "__init__" else own
        self._given[whose].append({old: scope[old] for old in given})
        node.body = [self.visit(part) for part in node.body]
        self._scopes.pop()
        self._path.pop()
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self._defaults(node)
        self._inside(node)
        node.body = self.visit(node.body)
        self._scopes.pop()
        return node

    def _defaults(self, node: Function) -> None:
        given = node.args
        given.defaults = [self.visit(default) for default in given.defaults]
        given.kw_defaults = [default and self.visit(default) for default in given.kw_defaults]

    def _inside(self, node: Function) -> dict[str, str]:
        scope = self._open_scope(node)
        for one in arguments(node):
            self.visit(one)
        return scope

    def _tell(self, name: str) -> str:
        short = self._resolve(name)
        if short != name:
            others = [other for other in self.called.get(short, ()) if other != name]
            self.called[short] = [".".join([*self._path, name]), *others]
        return short

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        return self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        return self._comprehension(node)

    def _comprehension(self, node: Comprehension) -> ast.AST:
        # What it goes through first belongs to the scope around it.
        first = node.generators[0]
        first.iter, outer = ast.Constant(None), self.visit(first.iter)
        self._open_scope(node)
        self.generic_visit(node)
        self._scopes.pop()
        first.iter = outer
        return node
