"""What many tests begin with is made once: the world, and desks built on it, in transactions that stay open between the tests.

A fixture says with `@begins_with(scene)` what it needs. Before a test that wants it, whatever is missing is made; the test gets
a copy of its own of the Python objects, and what it writes is rolled back to where it began, as always. Tests that commit, and
tests without a world, find the database empty.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction


@dataclass(frozen=True)
class Scene:
    """Something to begin with: made from the scene below it, or from nothing."""

    make: Callable[..., Any]
    below: Scene | None = None

    def layers(self) -> list[Scene]:
        """It and what it stands on, lowest first."""
        return [*(self.below.layers() if self.below else ()), self]


@dataclass
class _Layer:
    """A scene that is there: its transaction, and all made so far, as bytes that each test takes its copy from."""

    scene: Scene
    atomic: transaction.Atomic
    made: bytes


@dataclass
class Keeper:
    """Holds the layers in the one connection of the tests."""

    _layers: list[_Layer] = field(default_factory=list)
    _copy: dict[Scene, Any] = field(default_factory=dict)

    def prepare(self, scene: Scene | None) -> None:
        """Leave exactly this scene in the database, and take a new copy of it."""
        wanted = scene.layers() if scene else []
        self._check()
        while self._layers and [layer.scene for layer in self._layers] != wanted[: len(self._layers)]:
            self._take_down()
        for missing in wanted[len(self._layers) :]:
            self._put_up(missing)
        self._copy = pickle.loads(self._layers[-1].made) if self._layers else {}

    def copy(self, scene: Scene) -> Any:
        """The test's own copy; made anew, and not kept, for a test that commits."""
        if scene not in self._copy:
            self._copy[scene] = _made(scene, self.copy)
        return self._copy[scene]

    def _check(self) -> None:
        """Begin again when a test broke the connection."""
        connection = transaction.get_connection()
        if connection.needs_rollback or connection.closed_in_transaction:
            while self._layers:
                self._take_down()
        assert len(connection.atomic_blocks) == len(self._layers), "a test left a transaction open"

    def _put_up(self, scene: Scene) -> None:
        so_far = pickle.loads(self._layers[-1].made) if self._layers else {}
        atomic = transaction.atomic()
        atomic._from_testcase = True  # type: ignore[attr-defined]  # what is durable may begin inside, as in any test
        atomic.__enter__()
        try:
            so_far[scene] = _made(scene, so_far.__getitem__)
        except BaseException:
            _roll_back(atomic)
            raise
        self._layers.append(_Layer(scene, atomic, pickle.dumps(so_far)))

    def _take_down(self) -> None:
        _roll_back(self._layers.pop().atomic)


def _made(scene: Scene, of: Callable[[Scene], Any]) -> Any:
    return scene.make(of(scene.below)) if scene.below else scene.make()


def _roll_back(atomic: transaction.Atomic) -> None:
    transaction.set_rollback(True)
    atomic.__exit__(None, None, None)


def begins_with(scene: Scene) -> Callable[[Any], Any]:
    """Mark a fixture: tests that want it begin with this scene."""

    def marked(function: Any) -> Any:
        function.scene = scene
        return function

    return marked


def wanted(request: pytest.FixtureRequest) -> Scene | None:
    """The scene a test begins with: the highest that its fixtures name."""
    definitions = request.node._fixtureinfo.name2fixturedefs.values()
    scenes = [scene for found in definitions for each in found if (scene := getattr(each.func, "scene", None))]
    return max(scenes, key=lambda scene: len(scene.layers()), default=None)
