"""Where files of the prompt belong: what platformdirs says, which on Linux is known without loading it."""

from __future__ import annotations

import os
import sys
from typing import Literal

Kind = Literal["config", "state"]
_XDG: dict[Kind, tuple[str, str]] = {
    "config": ("XDG_CONFIG_HOME", "~/.config"),
    "state": ("XDG_STATE_HOME", "~/.local/state"),
}


def place(kind: Kind, name: str) -> str:
    """The path of gradrepl's file `name` in the user's folder for settings ("config") or for history ("state")."""
    # platformdirs and pathlib take a twentieth of the time until the prompt is there. Android calls itself Linux.
    if sys.platform == "linux" and "ANDROID_DATA" not in os.environ:
        variable, default = _XDG[kind]
        folder = os.environ.get(variable, "").strip() or os.path.expanduser(default)
        return f"{folder}/gradrepl/{name}"
    import platformdirs

    ask = platformdirs.user_config_dir if kind == "config" else platformdirs.user_state_dir
    return os.path.join(ask("gradrepl", appauthor=False), name)


def is_missing(path: str) -> bool:
    """Whether there is no such file; one that may not be looked at is there."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
