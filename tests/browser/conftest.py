"""A browser without a network, and pages of lessons opened in it."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gradrepl.app import engines, lessons
from gradrepl.app.recording.forms import FORMS, take
from gradrepl.i18n import Speech, english
from gradrepl.record.writer import Setting

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
Open = Callable[..., Any]


# Not for the whole session: Playwright keeps an event loop running in this thread, in which asyncio.run() is refused.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser: Playwright is not installed")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@cache
def html(name: str, speech: Speech) -> str:
    """The page of a lesson that is named by its id or path."""
    (lesson,) = lessons.named([name], english)
    setting = Setting(engines.load("builtin"), speech, lambda _: ())
    out = io.StringIO()
    writer = FORMS[".html"].writer(out, setting)
    for event in take(lesson, setting.engine):
        writer.add(event)
    writer.end()
    return out.getvalue()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Opens the page of a lesson; whatever its script raises fails the test."""
    contexts = []

    def open_page(name: str, speech: Speech = "en", **options: Any) -> Any:
        context = browser.new_context(offline=True, **{"viewport": {"width": 1280, "height": 800}, **options})
        context.set_default_timeout(5000)
        contexts.append(context)
        shown = context.new_page()
        shown.errors = []
        shown.on("pageerror", lambda error: shown.errors.append(str(error)))
        file = tmp_path / f"{len(contexts)}.html"
        file.write_text(html(str(name), speech), "utf-8")
        shown.goto(file.as_uri())
        return shown

    yield open_page
    errors = [error for context in contexts for shown in context.pages for error in shown.errors]
    for context in contexts:
        context.close()
    assert errors == []
