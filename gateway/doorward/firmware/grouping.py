"""Which modules of a firmware are always loaded together, and which stay by themselves."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePath

from doorward.firmware import mpy

_ROLES = "doorward_node.roles"
# Loaded by a name that the config has in it.
_BY_NAME = (_ROLES, "doorward_drivers")
# They load what stays, whatever the role.
_ROOTS = tuple(
    f"doorward_node.{name}" for name in ("supervisor", "start", "connection", "assembly", "opening")
)
# What may stand in a module that is joined with others.
_SIMPLE = (
    ast.Import,
    ast.ImportFrom,
    ast.Assign,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
)


def stay_alone(
    modules: Mapping[str, ast.Module],
    trees: Mapping[str, ast.Module],
    entries: Iterable[ast.Module],
) -> set[str]:
    """Return the modules that stay as they are."""
    found = {mpy.module_name(PurePath(path)) for path in trees if path.endswith("__init__.py")}
    found |= {name for name in modules if name.startswith(_BY_NAME)}
    for entry in entries:
        found |= {module for node in ast.walk(entry) for module in imported(node, modules)}
    for name, tree in modules.items():
        top = set(map(id, tree.body))
        aliases: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                if id(node) in top:
                    aliases.update(module_aliases(node, modules))
                else:
                    found.update(imported(node, modules))  # only at times
            elif isinstance(node, ast.Name) and node.id in ("__name__", "__file__"):
                found.add(name)
        if any(not isinstance(part, _SIMPLE) for part in tree.body):
            found.add(name)
        plain = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
        }
        for node in ast.walk(tree):  # passed on as an object, or changed
            if isinstance(node, ast.Name) and node.id in aliases and id(node) not in plain:
                found.add(aliases[node.id])
    return found


def grouped(modules: Mapping[str, ast.Module], alone: set[str]) -> list[list[str]]:
    """Return the modules that the same roles load, each group so that a module comes after what it needs."""
    # What a joined module imports is complete by then only if nothing of that is joined with it.
    alone = alone | {
        name
        for one, tree in modules.items()
        if one not in alone
        for node in tree.body
        for other in imported(node, modules)
        if other in alone
        for name in _closure([other], modules)
    }
    loaded_by: dict[str, list[str]] = defaultdict(list)
    for role in sorted(name for name in modules if name.startswith(_ROLES + ".")):
        for name in _closure((*_ROOTS, role), modules):
            loaded_by[name].append(role)
    together: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, roles in sorted(loaded_by.items()):
        if name not in alone:
            together[tuple(roles)].append(name)
    return [
        _in_order(together[roles], modules)
        for roles in sorted(together)
        if len(together[roles]) > 1
    ]


def _closure(roots: Iterable[str], modules: Mapping[str, ast.Module]) -> set[str]:
    """Return what is loaded with these modules, themselves among it."""
    found: set[str] = set()
    waiting = [root for root in roots if root in modules]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            for node in modules[name].body:
                waiting += imported(node, modules)
    return found


def imported(node: ast.AST, modules: Mapping[str, ast.Module]) -> list[str]:
    """Return the modules of the program that an import loads."""
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names if alias.name in modules]
        case ast.ImportFrom(module=str(module), names=names) if module in modules:
            inner = [f"{module}.{alias.name}" for alias in names]
            return [name if name in modules else module for name in inner]
    return []


def module_aliases(node: ast.AST, modules: Mapping[str, ast.Module]) -> dict[str, str]:
    """Return the names that an import gives to modules of the program."""
    match node:
        case ast.ImportFrom(module=str(module), names=names):
            whole = {alias.asname or alias.name: f"{module}.{alias.name}" for alias in names}
            return {local: name for local, name in whole.items() if name in modules}
        case ast.Import(names=names):
            return {
                alias.asname: alias.name
                for alias in names
                if alias.asname and alias.name in modules
            }
    return {}


def _in_order(group: list[str], modules: Mapping[str, ast.Module]) -> list[str]:
    """Return a group so that each module comes after what it needs."""
    found: list[str] = []

    def add(name: str) -> None:
        if name not in seen:
            seen.add(name)
            for node in modules[name].body:
                for other in imported(node, modules):
                    add(other)
            if name in group:
                found.append(name)

    seen: set[str] = set()
    for name in group:
        add(name)
    return found
