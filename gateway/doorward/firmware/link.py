"""Modules of a firmware that are always loaded together, as one.

A module costs a board's heap its own table of names, its path, and a place for whatever it imports. Which modules a
board loads, and keeps, follows from its role: the modules that the same roles load become one module. What is loaded
only at times, by a statement inside a function, stays by itself, and so does what a file outside names.
"""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from doorward.firmware import mpy
from doorward.firmware.grouping import grouped, module_aliases, stay_alone
from doorward.firmware.renamer import Renamer
from doorward.firmware.scopes import Comprehension, Function, bound_in, own_names
from doorward.firmware.short_names import Names

_TOGETHER = "doorward_node/_{}.py"


class CannotLink(ValueError):
    """Two modules that belong together contradict each other; the message says in what."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A program with fewer modules."""

    # By path in the firmware.
    trees: Mapping[str, ast.Module]
    # What a module that was several defines, and whose it was: "doorward_node.link:Link".
    owners: Mapping[str, str]
    # By name, the modules that are in it.
    members: dict[str, list[str]]


def link(trees: Mapping[str, ast.Module], entries: Iterable[ast.Module]) -> Linked:
    """Join the modules of a program, given by path. Raises CannotLink."""
    modules = {mpy.module_name(PurePath(path)): tree for path, tree in trees.items()}
    groups = grouped(modules, stay_alone(modules, trees, entries))
    group_of = {name: index for index, group in enumerate(groups) for name in group}
    tables = {name: _table(name, modules[name]) for group in groups for name in group}
    for group in groups:
        _agree(group, modules, tables)
    # All of them before any module changes.
    linkers = {name: _Linker(name, modules, group_of, tables) for name in modules}
    linked: dict[str, ast.Module] = {}
    for path, tree in trees.items():
        name = mpy.module_name(PurePath(path))
        if name not in group_of:
            linked[path] = linkers[name].visit(tree)
    for index, group in enumerate(groups):
        body: list[ast.stmt] = []
        for name in group:
            body += linkers[name].visit(modules[name]).body
        linked[_TOGETHER.format(index)] = ast.Module(body, [])
    owners = {new: f"{name}:{old}" for name, table in tables.items() for old, new in table.items()}
    return Linked(linked, owners, {_name_of(index): group for index, group in enumerate(groups)})


def _name_of(index: int) -> str:
    return mpy.module_name(PurePath(_TOGETHER.format(index)))


# --- names in what is one module now


def _table(name: str, tree: ast.Module) -> dict[str, str]:
    """Return what each name that a module defines is called among others'. Errors keep theirs: it is told as text."""
    prefix = name.replace(".", "_")
    values = _values(tree)
    imported = {local for node in tree.body for local in _bound_to(node)}
    table = {}
    for own in bound_in(tree.body) - imported - set(values):
        hidden = "_" if own.startswith("_") else ""
        table[own] = own if own.endswith("Error") else f"{hidden}{prefix}__{own.lstrip('_')}"
    return table


def _values(tree: ast.Module) -> dict[str, int | str | bytes]:
    """Return the numbers that a module names with const(), and the texts in capitals that nothing changes."""
    set_in = Counter(name for node in ast.walk(tree) for name in _set_by(node))
    texts: dict[str, int | str | bytes] = {}
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Constant(value=str() | bytes() as text)
            ) if name.isupper() and set_in[name] == 1:
                texts[name] = text
    return {**texts, **_numbers(tree)}


def _set_by(node: ast.AST) -> list[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return [name]
        case ast.Global(names=names):
            return names
    return []


def _numbers(tree: ast.Module) -> dict[str, int | str | bytes]:
    """Return the numbers that a module names with const()."""
    found: dict[str, int | str | bytes] = {}
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Name(id="const"), args=[ast.Constant(value=int(number))]),
            ):
                found[name] = number
    return found


def _bound_to(node: ast.AST) -> dict[str, str]:
    """Return the names that an import binds, and to what."""
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return {}
    module = getattr(node, "module", "")
    return {alias.asname or alias.name: f"{module} {alias.name}" for alias in node.names}


def _agree(
    group: list[str], modules: Mapping[str, ast.Module], tables: Mapping[str, dict[str, str]]
) -> None:
    """See that what stays as it is, imports and errors, is the same thing in all of a group."""
    known: dict[str, str] = {}
    for name in group:
        here = {own: name for own, new in tables[name].items() if own == new}
        for node in modules[name].body:
            inside = isinstance(node, ast.ImportFrom) and node.module in tables
            here.update({} if inside else _bound_to(node))
        here = {
            own: what for own, what in here.items() if own not in _joined(modules[name], tables)
        }
        for own, what in here.items():
            if known.setdefault(own, what) != what:
                raise CannotLink(
                    f"{name}: {own} is something else in a module that is loaded with it; give it another name"
                )


def _joined(tree: ast.Module, tables: Mapping[str, object]) -> set[str]:
    """Return the names that a module gives to others which are joined: they vanish."""
    return {
        local
        for node in tree.body
        for local, what in _bound_to(node).items()
        if what.strip().replace(" ", ".") in tables
    }


class _Linker(Renamer):
    """Makes a module name what it needs of modules that are one."""

    def __init__(
        self,
        name: str,
        modules: Mapping[str, ast.Module],
        group_of: Mapping[str, int],
        tables: Mapping[str, dict[str, str]],
    ) -> None:
        packages = frozenset(module.partition(".")[0] for module in modules)
        super().__init__(Names({}, frozenset(), (), packages), defaultdict(list))
        self._group = group_of.get(name)
        self._group_of = group_of
        self._tables = tables
        self._globals = dict(tables.get(name, {}))
        # A text is put in its place where that makes a name less: a module of its own keeps its names.
        self._known = {
            one: _values(tree) if one in group_of else _numbers(tree)
            for one, tree in modules.items()
        }
        self._values = dict(self._known[name]) if name in group_of else {}
        self._modules: dict[str, str] = {}
        for node in modules[name].body:
            self._modules.update(
                {
                    local: one
                    for local, one in module_aliases(node, modules).items()
                    if one in group_of
                }
            )
            match node:
                case ast.ImportFrom(module=str(module), names=names) if module in modules:
                    for alias in names:
                        local = alias.asname or alias.name
                        if alias.name in self._known[module]:
                            self._values[local] = self._known[module][alias.name]
                        elif alias.name in tables.get(module, ()):
                            self._globals[local] = tables[module][alias.name]
        self._used = {
            (node.value.id, node.attr)
            for node in ast.walk(modules[name])
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        }

    def _resolve(self, name: str) -> str:
        return name if self._is_local(name) else self._globals.get(name, name)

    def _is_local(self, name: str) -> bool:
        """Whether a name is that of a scope around; what a class binds is seen in its body alone."""
        *outer, inner = self._scopes or [{}]
        return name in inner or any(name in scope for scope in outer if isinstance(scope, dict))

    def _open_scope(self, node: Function | Comprehension) -> dict[str, str]:
        scope = {name: name for name in own_names(node)}
        self._scopes.append(scope)
        return scope

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # noqa: N802 - as ast calls it
        match node.value:
            case ast.Name(id=alias) if alias in self._modules and not self._is_local(alias):
                module = self._modules[alias]
                value = self._known[module].get(node.attr)
                if value is not None:
                    return ast.copy_location(ast.Constant(value), node)
                name = ast.Name(self._tables[module][node.attr], ast.Load())
                return ast.copy_location(name, node)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:  # noqa: N802 - as ast calls it
        if node.id in self._values and not self._is_local(node.id):
            return ast.copy_location(ast.Constant(self._values[node.id]), node)
        return super().visit_Name(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:  # noqa: N802 - as ast calls it
        match node.targets:
            case [ast.Name(id=name)] if name in self._values and not self._scopes:
                return None
            case [ast.Name(id="__all__")] if self._group is not None:
                return None  # nobody outside names what is joined
        return self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> ast.AST:  # noqa: N802 - as ast calls it
        node.names = [self._globals.get(name, name) for name in node.names]
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST | None:  # noqa: N802 - as ast calls it
        node.names = [one for one in node.names if (one.asname or one.name) not in self._modules]
        return node if node.names else None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.stmt] | None:  # noqa: N802 - as ast calls it
        if self._scopes:
            return node
        wanted: dict[int, set[str]] = defaultdict(set)
        kept = []
        for alias in node.names:
            local = alias.asname or alias.name
            if local in self._modules:
                module = self._modules[local]
                table = self._tables[module]
                names = {table[at] for one, at in self._used if one == local and at in table}
                wanted[self._group_of[module]] |= names
            elif local in self._values:
                continue
            elif node.module and node.module in self._group_of:
                # Or what that module has from elsewhere: it keeps its name.
                wanted[self._group_of[node.module]].add(self._globals.get(local, alias.name))
            else:
                kept.append(alias)
        made: list[ast.stmt] = [
            ast.ImportFrom(_name_of(group), [ast.alias(name) for name in sorted(names)], 0)
            for group, names in wanted.items()
            if group != self._group and names
        ]
        node.names = kept
        return [ast.copy_location(one, node) for one in (*made, *([node] if kept else []))]
