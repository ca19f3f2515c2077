"""Which names of a function are its own: Python's scoping rules, on the syntax tree."""

import ast
from collections.abc import Iterable, Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def arguments(node: Function) -> list[ast.arg]:
    """Return all arguments of a function, in their order."""
    given = node.args
    found = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return found + [one for one in (given.vararg, given.kwarg) if one]


def own_names(node: Function | Comprehension) -> list[str]:
    """Return the names that this scope binds, each once: arguments first, then as they come."""
    found: dict[str, None] = {}
    outer: set[str] = set()
    if isinstance(node, Comprehension):
        start: list[ast.AST] = [part.target for part in node.generators]
    else:
        found = dict.fromkeys(one.arg for one in arguments(node))
        start = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    for part in start:
        for inner in _here(part):
            match inner:
                case ast.Global(names=names) | ast.Nonlocal(names=names):
                    outer.update(names)
                case _:
                    found.update(dict.fromkeys(_bound_by(inner)))
    return [name for name in found if name not in outer]


def bound_in(body: Iterable[ast.stmt]) -> set[str]:
    """Return the names that a module or a class binds."""
    return {name for part in body for inner in _here(part) for name in _bound_by(inner)}


def _here(node: ast.AST) -> Iterator[ast.AST]:
    """Go through what is in the same scope as `node`."""
    yield node
    if isinstance(node, Function | ast.ClassDef):
        return
    if isinstance(node, Comprehension):
        # A walrus in it binds outside of it.
        yield from (part for part in ast.walk(node) if isinstance(part, ast.NamedExpr))
        return
    for part in ast.iter_child_nodes(node):
        yield from _here(part)


def _bound_by(node: ast.AST) -> list[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return [name]
        case ast.NamedExpr(target=ast.Name(id=name)):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.ExceptHandler(name=str(name)):
            return [name]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [alias.asname or alias.name.partition(".")[0] for alias in names]
    return []
