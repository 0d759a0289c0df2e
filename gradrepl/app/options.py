"""What the command line asked for, and what the streams can show."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TextIO

from gradrepl.i18n import Speech

LIGHT = ("7", "15")  # white and bright white, the background in the variable COLORFGBG of many terminals


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line and the config file ask for.

    big: for a projector. table: when the table shows. suggest: lines of the history are offered; history: they are
    kept.
    """

    speech: Speech = "en"
    engine: str = "builtin"
    plain: bool = False
    json: bool = False
    no_input: bool = False
    big: bool = False
    color: Literal["auto", "always", "never"] = "auto"
    theme: Literal["auto", "light", "dark"] = "auto"
    keys: Literal["emacs", "vi"] = "emacs"
    suggest: bool = True
    table: Literal["always", "changed", "off"] = "changed"
    history: bool = True


@dataclass(frozen=True, slots=True)
class Terminal:
    """What the streams are.

    drawn: tables and colours may be drawn (else plain lines); colored: with colours;
    keyboard: somebody is there to answer; light: it says that its background is.
    """

    drawn: bool
    colored: bool
    keyboard: bool
    light: bool = False


def survey(options: Options, environment: Mapping[str, str]) -> Terminal:
    """What this process's streams can do, as far as `options` want it used."""
    smart = environment.get("TERM", "") not in ("dumb", "unknown")
    screen = is_terminal(sys.stdout) or options.color == "always" or bool(environment.get("FORCE_COLOR"))
    wanted = options.color == "always" or not environment.get("NO_COLOR")
    return Terminal(
        drawn=screen and smart and not options.plain and not options.json,
        colored=screen and wanted and options.color != "never",
        keyboard=is_terminal(sys.stdin) and is_terminal(sys.stdout) and not options.no_input and not options.json,
        light=environment.get("COLORFGBG", "").rpartition(";")[2] in LIGHT,
    )


def theme(options: Options, terminal: Terminal) -> Literal["auto", "light", "dark"]:
    """The theme to draw in: the one asked for, else the light one where the terminal says that it is light."""
    return "light" if options.theme == "auto" and terminal.light else options.theme


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal; a stream that was closed before the start is None, and none."""
    return stream is not None and stream.isatty()


def never_fail_to_print(*streams: TextIO) -> None:
    """Letters that a stream's encoding doesn't have are written as escapes, not refused."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
