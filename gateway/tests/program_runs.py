"""A board's program, run here: its modules by path, as a board would have them."""

import sys
import types
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from typing import Any


def ran(sources: dict[str, str], module: str, function: str, *arguments: object) -> Any:
    """What a function of the program returns. Whatever it imports is compiled when it is wanted."""
    named = {
        path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): source
        for path, source in sources.items()
    }
    finder = _Finder(named)
    before = set(sys.modules)
    sys.meta_path.insert(0, finder)
    hidden = {name: sys.modules.pop(name) for name in named if name in sys.modules}
    try:
        __import__(module)
        return getattr(sys.modules[module], function)(*arguments)
    finally:
        sys.meta_path.remove(finder)
        for name in set(sys.modules) - before | set(named):
            sys.modules.pop(name, None)
        sys.modules.update(hidden)


class _Finder(Loader):
    def __init__(self, sources: dict[str, str]) -> None:
        self._sources = sources

    def find_spec(
        self, name: str, _path: object = None, _target: object = None
    ) -> ModuleSpec | None:
        if name not in self._sources:
            return None
        inside = any(other.startswith(name + ".") for other in self._sources)
        return ModuleSpec(name, self, is_package=inside)

    def create_module(self, _spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["const"] = lambda value: value
        exec(compile(self._sources[module.__name__], module.__name__, "exec"), module.__dict__)
