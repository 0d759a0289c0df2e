"""The files of the prompt are where platformdirs has them, and it is not loaded for that on Linux."""

from __future__ import annotations

import sys
from pathlib import Path

import platformdirs
import pytest

from gradrepl.app import places


@pytest.mark.parametrize("set_to", [None, "", "  ", "/elsewhere", "/else where"])
def test_a_place_is_the_one_platformdirs_knows(monkeypatch: pytest.MonkeyPatch, set_to: str | None) -> None:
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
        if set_to is not None:
            monkeypatch.setenv(variable, set_to)
    config = Path(platformdirs.user_config_dir("gradrepl", appauthor=False)) / "config.toml"
    state = Path(platformdirs.user_state_dir("gradrepl", appauthor=False)) / "history"
    assert (Path(places.place("config", "config.toml")), Path(places.place("state", "history"))) == (config, state)


def test_other_systems_ask_platformdirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda *_args, **_more: "/windows")
    assert Path(places.place("config", "config.toml")) == Path("/windows/config.toml")


def test_what_may_not_be_looked_at_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    assert not places.is_missing(str(tmp_path / "file"))
    assert places.is_missing(str(tmp_path / "none"))
    assert places.is_missing(str(tmp_path / "file" / "none"))
    assert not places.is_missing(str(tmp_path / ("n" * 300)))
