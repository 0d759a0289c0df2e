"""The line below what is played: where it is, the time left, the keys."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len

from gradrepl.app.playback.machine import State
from gradrepl.i18n import Translate

BAR = 12
STROKES, ASCII_STROKES = ("━", "─", "▶", "‖", "×"), ("=", "-", ">", "|", "x")


def line(state: State, steps: int, columns: int, _: Translate, *, answers: int = 0, ascii_only: bool = False) -> str:
    """The line, as much of it as `columns` hold: the keys go first, then the bar; answers: to choose from now."""
    full, empty, plays, waits, times = ASCII_STROKES if ascii_only else STROKES
    done = state.beat.step + (1 if state.beat.kind == "end" else 0)
    filled = round(BAR * done / max(steps, 1))
    sign = waits if state.held else plays
    bar = full * filled + empty * (BAR - filled)
    where = f"{sign} {state.beat.step + 1}/{steps}"
    rest = f"{_clock(state.remaining)}  {times}{state.speed:g}"
    shown = f" {where}  {bar}  {rest}"
    if cell_len(shown) > columns:
        return f" {where}"[:columns]
    for text in _keys(state, answers, _):
        if cell_len(shown) + cell_len(text) + 2 > columns:
            break
        shown += f"  {text}"
    return shown


def _keys(state: State, answers: int, _: Translate) -> Iterable[str]:
    """The keys that work now, the ones that are needed most first."""
    if answers:
        yield f"1-{answers} {_('answer')}"
    yield f"Space {_('go on') if state.held else _('pause')}"
    yield f"← → {_('step')}"
    yield f"q {_('stop')}"
    yield f"Tab {_('try it')}"
    yield f"+ - {_('speed')}"
    if not state.held:
        yield f"Enter {_('skip')}"


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}"
