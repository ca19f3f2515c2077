"""Which names of a program may change, and what each becomes."""

import ast
import builtins
import hashlib
import itertools
import keyword
import string
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import PurePath

from doorward.firmware.scopes import arguments, bound_in

# Where the search for a name's short one begins depends on the name alone. So one new name in the program moves few
# others, and an update has few files; for that there are more short names than the busiest class needs.
_POOL = 100
_ALL = 1000

Nodes = list[ast.AST]
Classes = Mapping[str, list[ast.ClassDef]]


@dataclass(frozen=True, slots=True)
class Names:
    """The plan for one program."""

    # Attributes, and what stands in a module or a class.
    short: dict[str, str]
    # What a call may name: no argument of this name may change.
    keywords: frozenset[str]
    # Short names, for arguments.
    pool: tuple[str, ...]
    # Where the program's own modules are.
    packages: frozenset[str]
    # Classes that others use: what their own methods take can be named in a call.
    offered: frozenset[str] = frozenset()


def plan(trees: Mapping[str, ast.Module], entries: Iterable[ast.Module]) -> Names:
    """Choose the short names of a program, given by path. What its `entries` use keeps its name."""
    parts = [PurePath(path).with_suffix("").parts for path in trees]
    packages = frozenset(first for first, *_ in parts)
    modules = [list(ast.walk(tree)) for tree in trees.values()]
    classes: dict[str, list[ast.ClassDef]] = defaultdict(list)
    for node in itertools.chain(*modules):
        if isinstance(node, ast.ClassDef):
            classes[node.name].append(node)
    keywords = frozenset(itertools.chain(*(_keywords(nodes) for nodes in modules)))
    offered = frozenset(itertools.chain(*(_offered(nodes) for nodes in modules)))
    kept = chip_names().union(keywords, offered, *parts)
    kept = kept.union(*(_open_to_others(node) for name in offered for node in classes[name]))
    kept = kept.union(*(_kept(nodes, packages) for nodes in modules))
    kept = kept.union(*(_identifiers(entry) for entry in entries))
    pool = tuple(itertools.islice(_pool(kept), _ALL))
    short = _chosen(modules, classes, kept, pool)
    return Names(short, keywords, pool, packages, offered.intersection(classes))


@cache
def chip_names() -> frozenset[str]:
    """Return the names that MicroPython's own modules use on any board."""
    listed = resources.files("doorward.firmware").joinpath("chip_names.txt").read_text().split()
    return frozenset([*listed, *dir(builtins), *keyword.kwlist])


def _pool(kept: frozenset[str]) -> Iterator[str]:
    letters = string.ascii_lowercase + string.ascii_uppercase
    for length in (1, 2):
        for letter in itertools.product(letters, repeat=length):
            if "".join(letter) not in kept:
                yield "".join(letter)


# --- what stays


def _keywords(nodes: Nodes) -> set[str]:
    """Return what calls name."""
    return {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg}


def _offered(nodes: Nodes) -> set[str]:
    """Return what a module is there for."""
    found: set[str] = set()
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=offered):
                found.update(ast.literal_eval(offered))
    return found


def _open_to_others(node: ast.ClassDef) -> set[str]:
    """Return what others may name of a class that is offered: what stands in it, and nothing of its bases."""
    found = {name for name in bound_in(node.body) if is_open(name)}
    for member in node.body:
        if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and is_open(member.name):
            found.update(one.arg for one in arguments(member))
    return found


def is_open(name: str) -> bool:
    """Whether others may use what has this name."""
    return not name.startswith("_") or name == "__init__"


def _kept(nodes: Nodes, packages: frozenset[str]) -> set[str]:
    found: set[str] = set()
    foreign = {name for node in nodes for name in _foreign_modules(node, packages)}
    for node in nodes:
        match node:
            case ast.Constant(value=str(text)):
                found.add(text)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="const"))):
                # With its underscore the compiler puts the number in its place.
                found.add(name)
            case ast.ClassDef(name=name) if name.endswith("Error"):
                found.add(name)  # it is told as text
            case ast.ImportFrom(module=str(module), names=names) if not _in(module, packages):
                found.update(alias.name for alias in names)
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in foreign:
                found.add(name)
    return found


def _foreign_modules(node: ast.AST, packages: frozenset[str]) -> list[str]:
    if not isinstance(node, ast.Import):
        return []
    outside = [alias for alias in node.names if not _in(alias.name, packages)]
    return [alias.asname or alias.name for alias in outside]


def _in(module: str, packages: frozenset[str]) -> bool:
    return module.partition(".")[0] in packages


def _identifiers(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                found.add(name)
            case ast.Constant(value=str(name)):
                found.add(name)
    return found


# --- what becomes of the rest


def _chosen(
    modules: list[Nodes], classes: Classes, kept: frozenset[str], pool: tuple[str, ...]
) -> dict[str, str]:
    """Return a short name for each: two that ever meet, on one object or in one module, get two."""
    apart: dict[str, set[str]] = defaultdict(set)
    loose: set[str] = set()
    for nodes in modules:
        places = [_module_names(nodes)]
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                places.append(_members(node, classes, set()))
            loose |= _set_from_outside(node)
        for place in places:
            changing = {name for name in place - kept if not name.startswith("__")}
            for name in changing:
                apart[name] |= changing
    loose -= kept
    found: dict[str, str] = {}
    # What may be on any object comes first, each with a name that no other has.
    for name in [*sorted(loose, key=_mixed), *sorted(set(apart) - loose, key=_mixed)]:
        others = set(found) if name in loose else apart[name] | loose
        taken = {found[other] for other in others if other in found}
        start = int(_mixed(name)[:8], 16) % _POOL
        tried = pool[start:_POOL] + pool[:start] + pool[_POOL:]
        found[name] = next(one for one in tried if one not in taken)
    return found


def _mixed(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _module_names(nodes: Nodes) -> set[str]:
    """Return what a module binds, and its functions and classes at any depth: so a traceback is told by them."""
    found: set[str] = set()
    for node in nodes:
        match node:
            case ast.Module(body=body):
                found |= bound_in(body)
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                found.add(name)
            case ast.Global(names=names):
                found.update(names)
    return found


def _members(node: ast.ClassDef, classes: Classes, seen: set[str]) -> set[str]:
    """Return what an object of this class can have: its own, and that of its bases."""
    found = bound_in(node.body) | _own_attributes(node)
    for base in _bases(node):
        for other in classes.get(base, ()) if base not in seen else ():
            found |= _members(other, classes, seen | {base})
    return found


def _own_attributes(node: ast.ClassDef) -> set[str]:
    found: set[str] = set()
    for inner in ast.walk(node):
        match inner:
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
    return found


def _bases(node: ast.ClassDef) -> list[str]:
    return [
        base.id if isinstance(base, ast.Name) else base.attr
        for base in node.bases
        if isinstance(base, ast.Name | ast.Attribute)
    ]


def _set_from_outside(node: ast.AST) -> set[str]:
    match node:
        case ast.Attribute(value=ast.Name(id="self")):
            return set()
        case ast.Attribute(attr=name, ctx=ast.Store() | ast.Del()):
            return {name}
    return set()
