"""The use cases on a stage: real rules and real seals, with a clock, a store and a board that do as the test says."""

from stage.board import ScriptedBoard
from stage.clock import FakeClock
from stage.scene import CARDS, WIRINGS, Scene
from stage.store import MemoryStore

__all__ = ["CARDS", "WIRINGS", "FakeClock", "MemoryStore", "Scene", "ScriptedBoard"]
