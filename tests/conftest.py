"""What tests of several rooms share: the engines, and examples that are the same in every run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import hypothesis
import pytest

from gradrepl.app import engines
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine

hypothesis.settings.register_profile("repeatable", derandomize=True)
if "GRADREPL_JUNK" not in os.environ:  # who asks for more examples wants others, too
    hypothesis.settings.load_profile("repeatable")


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


TOLD = pytest.StashKey[list[str]]()


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Say how much was compared: in the summary at the end, which shows it of tests that pass, too."""
    return request.config.stash.setdefault(TOLD, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if lines := config.stash.get(TOLD, []):
        terminalreporter.section("compared")
        terminalreporter.write_line("\n".join(lines))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Compare the operations first: PyTorch says some of its warnings once a process."""
    items.sort(key=lambda item: "test_entries_pytorch" not in item.nodeid)
