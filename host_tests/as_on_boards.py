"""Firmware as boards get it, with its shorter names, and its tests with the same ones."""

import ast
import shutil
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

from doorward.firmware import program
from doorward.firmware.renamer import Renamer
from doorward.firmware.scopes import arguments, bound_in
from doorward.firmware.shrink import Shrunk

REPOSITORY = Path(__file__).parents[1]
# What tests the firmware in MicroPython. The lab's chip is beside it, as it is.
CALLERS = ("host_tests/*.py", "host_tests/on_board/*.py", "lab/doorward_lab/pn532.py")
# Functions whose second argument is the name of an attribute; the last is that of the power cuts' mutants.
BY_NAME = ("getattr", "setattr", "hasattr", "delattr", "_changed")
SHIM = {path.stem for path in (REPOSITORY / "lab/shim").rglob("*.py")} | {"lab_parts"}


def put(folder: Path) -> None:
    """Fill `folder` with all of it, as it lies in the repository."""
    made = program.shrunk(REPOSITORY / "firmware", join=False)
    for name, source in made.sources.items():
        _write(folder / "firmware" / name, source)
    for entry in ("main.py", "boot.py"):
        shutil.copy(REPOSITORY / "firmware" / entry, folder / "firmware")
    shutil.copytree(REPOSITORY / "host_tests/vectors", folder / "host_tests/vectors")
    shutil.copytree(REPOSITORY / "lab/shim", folder / "lab/shim")
    files = [path for pattern in CALLERS for path in REPOSITORY.glob(pattern)]
    trees = {path: ast.parse(path.read_text()) for path in files}
    caller = _Caller(made, trees)
    for path, tree in trees.items():
        _write(folder / path.relative_to(REPOSITORY), ast.unparse(caller.visit(tree)))


def _write(path: Path, source: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)


class _Caller(Renamer):
    """Gives other code the program's names."""

    def __init__(self, made: Shrunk, trees: dict[Path, ast.Module]) -> None:
        nodes = [node for tree in trees.values() for node in ast.walk(tree)]
        said = {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg}
        names = replace(
            made.names,
            keywords=made.names.keywords | said,
            packages=made.names.packages | {path.stem for path in trees},
        )
        super().__init__(names, defaultdict(list))
        self._shim: set[str] = set()
        self._of_the_program = made.arguments
        self._their_own = {
            (node.name, one.arg)
            for node in nodes
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for one in arguments(node)
        }

    def visit_Module(self, node: ast.Module) -> ast.AST:  # noqa: N802 - as ast calls it
        self._shim = {
            alias.asname or alias.name
            for part in node.body
            if isinstance(part, ast.Import | ast.ImportFrom)
            and not (getattr(part, "module", None) or "").startswith("doorward_")
            for alias in part.names
            if alias.name in SHIM
        }
        self._scopes = [self._meeting(node)]
        return self.generic_visit(node)

    def _meeting(self, node: ast.Module) -> dict[str, str]:
        """What the file imports and the program never has in one place, so under one short name: each keeps its own."""
        own = bound_in(node.body)
        shared = Counter(self._names.short.get(name, name) for name in own)
        imports = [part for part in node.body if isinstance(part, ast.ImportFrom)]
        names = {alias.asname or alias.name for part in imports for alias in part.names}
        return {name: name for name in names if shared[self._names.short.get(name, name)] > 1}

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # noqa: N802 - as ast calls it
        root: ast.expr = node
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if isinstance(root, ast.Name) and root.id in self._shim:
            return self.generic_visit(node)
        return super().visit_Attribute(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:  # noqa: N802 - as ast calls it
        own = bound_in(node.body) | _set_on_self(node)
        given: dict[str, str] = {}
        for name in sorted(own):
            other = given.setdefault(self._names.short.get(name, name), name)
            assert other == name, f"{node.name}: {other} and {name} have one short name; rename one"
        return super().visit_ClassDef(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:  # noqa: N802 - as ast calls it
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        for keyword in node.keywords:
            if keyword.arg and (name, keyword.arg) not in self._their_own:
                keyword.arg = self._argument(name, keyword.arg)
        if name in BY_NAME:
            match node.args[1]:
                case ast.Constant(value=str(text)) as said:
                    said.value = self._names.short.get(text, text)
        return self.generic_visit(node)

    def _argument(self, name: str, own: str) -> str:
        found = {given[own] for given in self._of_the_program.get(name, ()) if own in given}
        assert len(found) < 2, f"{name}(): several have a {own}; pass it by its place"
        return found.pop() if found else own


def _set_on_self(node: ast.ClassDef) -> set[str]:
    return {
        each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute)
        and isinstance(each.ctx, ast.Store)
        and isinstance(each.value, ast.Name)
        and each.value.id == "self"
    }
