"""What tests of several rooms share: the engines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gradrepl.app import engines
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine


def loaded(name: str) -> Engine:
    """The engine of this name; skips the test, with the reason, where it can't be had."""
    try:
        return engines.load(name)
    except engines.EngineUnavailableError as error:
        pytest.skip(f"{name} is not available: {error}")


@pytest.fixture(params=engines.NAMES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    return loaded(request.param)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A fresh session on each engine in turn, in which torch is imported."""
    with Session(engine) as fresh:
        assert [outcome.failure for outcome in fresh.run("import torch")] == [None]
        yield fresh


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Compare the operations first: PyTorch says some of its warnings once a process."""
    items.sort(key=lambda item: "test_entries_pytorch" not in item.nodeid)
