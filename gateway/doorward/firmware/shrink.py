"""Firmware as a board gets it: the same program with shorter names, in fewer modules.

A board keeps every name of its program on its heap: attributes, functions, arguments. Here those that only the program
itself uses become one or two letters, and names that never meet share one. What stays: names of MicroPython
(chip_names.txt), whatever also stands in the program as text or as a keyword in a call, names of modules and of errors,
and what a module's `__all__` offers to others. Nothing else of the program changes; what a compiler would drop anyway
(annotations, docstrings, `assert`) goes first.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from doorward.firmware import mpy
from doorward.firmware.link import Linked, link
from doorward.firmware.renamer import Renamer
from doorward.firmware.short_names import Names, plan


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What a board gets."""

    # By path in the firmware.
    sources: dict[str, str]
    # By module, then by short name, what its authors wrote: "Link.probe" for what a module defines, or for one that was
    # several "doorward_node.link:Link.probe"; and whatever else that may be there.
    called: dict[str, dict[str, list[str]]]
    # By function, or by class for its __init__: what became of the arguments, for each that has this name.
    arguments: dict[str, list[dict[str, str]]]
    # The modules that are one now, by its name.
    members: dict[str, list[str]]
    names: Names


def shrink(sources: Mapping[str, str], entries: Iterable[str] = (), *, join: bool = True) -> Shrunk:
    """Make a program small.

    sources: its modules by path; entries: the files that stay source and call it; join: whether modules that are
    always loaded together become one. Raises SyntaxError, and CannotLink.
    """
    trees = {path: _without_extras(ast.parse(sources[path], path)) for path in sorted(sources)}
    callers = [ast.parse(entry) for entry in entries]
    linked = link(trees, callers) if join else Linked(trees, {}, {})
    names = plan(linked.trees, callers)
    made: dict[str, str] = {}
    called: dict[str, dict[str, list[str]]] = {}
    given: dict[str, list[dict[str, str]]] = defaultdict(list)
    for path, tree in linked.trees.items():
        renamer = Renamer(names, given)
        made[path] = ast.unparse(_without_offer(renamer.visit(tree))) + "\n"
        called[mpy.module_name(PurePath(path))] = {
            short: [_owned(name, linked.owners) for name in own]
            for short, own in renamer.called.items()
        }
    return Shrunk(made, called, given, linked.members, names)


def _owned(name: str, owners: Mapping[str, str]) -> str:
    first, dot, rest = name.partition(".")
    return owners.get(first, first) + dot + rest


def _without_offer(tree: ast.Module) -> ast.Module:
    """Drop `__all__`: it was for us alone."""
    tree.body = [part for part in tree.body if not _is_offer(part)]
    return tree


def _is_offer(node: ast.stmt) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
    return False


def _without_extras(tree: ast.Module) -> ast.Module:
    """Drop what no board needs."""
    stripped: ast.Module = _Stripper().visit(tree)
    return stripped


class _Stripper(ast.NodeTransformer):
    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if getattr(node, "body", None) == []:
            node.body = [ast.Pass()]  # type: ignore[attr-defined]  # it was there
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        first = node.test.values[0] if isinstance(node.test, ast.BoolOp) else node.test
        if isinstance(first, ast.Name) and first.id == "MYPY":
            return [made for part in node.orelse if (made := self.visit(part))]
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        # The compiler has put the numbers in the place of what const() makes.
        if node.module in ("doorward_core.compat", "micropython"):
            node.names = [alias for alias in node.names if alias.name not in ("const", "MYPY")]
        return node if node.names else None

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        match node.targets:
            case [ast.Name(id="__slots__" | "MYPY")]:
                return None
        return self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        return None

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        return (
            ast.copy_location(ast.Assign([node.target], node.value), node) if node.value else None
        )

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node
