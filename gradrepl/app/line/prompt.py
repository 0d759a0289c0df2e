"""The prompt on a real terminal, with editing, history, highlighting and a toolbar."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import cached_property

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.formatted_text import FormattedText, StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindingsBase, merge_key_bindings
from prompt_toolkit.layout.screen import Char
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.styles import Style

from gradrepl.app.commands.scope import Scope
from gradrepl.app.line.coloring import STYLES, CodeLexer
from gradrepl.app.line.completing import ScopeCompleter
from gradrepl.app.line.history import QuietHistory
from gradrepl.app.line.keys import bindings, is_complete
from gradrepl.app.line.reader import REPAIR, never
from gradrepl.app.line.shortcut import Shortcut, footer
from gradrepl.app.line.shortcut_keys import command_binding, live, shortcut_bindings
from gradrepl.app.line.suggesting import LineSuggest
from gradrepl.view.safe import REORDERING, one_line
from gradrepl.view.theme import repainted

# The terminal's own colours, readable on light and on dark; the toolbar turns the terminal's two around.
_STYLES = {
    **STYLES,
    "prompt": "ansibrightblack",
    "question": "ansicyan bold",
    "bottom-toolbar": "reverse",
    "argument": "bold underline",
    "auto-suggestion": "ansibrightblack",
}
_MENU_LINES = 8
_PAUSE = 0.1  # seconds
# What prompt_toolkit does for control characters: they are seen, and don't reach the terminal.
Char.display_mappings.update({mark: f"<{ord(mark):04x}>" for mark in REORDERING})


class PromptReader:
    """Asks on a terminal with prompt_toolkit."""

    def __init__(
        self,
        history: QuietHistory,
        *,
        colored: bool = True,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self.toolbar: Callable[[], str] = str
        self.idle: Callable[[], object] = str
        self.damaged: Callable[[str], bool] = never
        self.scope = Scope()
        self.shortcuts: Sequence[Shortcut] = ()
        self.suggests = True
        self._offered = ""
        self._history = history
        self._loss_said = False
        self._theme = "auto"
        depth = ColorDepth.DEPTH_4_BIT if colored else ColorDepth.DEPTH_1_BIT
        self._code = self._code_session(depth, input, output)
        self._code.app.after_render += self._rendered
        self._pause: asyncio.TimerHandle | None = None

    def _code_session(self, depth: ColorDepth, input: Input | None, output: Output | None) -> PromptSession[str]:
        session: PromptSession[str] = PromptSession(
            FormattedText([("class:prompt", ">>> ")]),
            prompt_continuation=FormattedText([("class:prompt", "... ")]),
            multiline=True,
            history=self._history,
            enable_history_search=True,
            auto_suggest=LineSuggest(self._history, lambda: self.suggests),
            completer=ScopeCompleter(lambda: self.scope),
            key_bindings=merge_key_bindings([bindings(self._taken), self._shortcut_bindings()]),
            lexer=CodeLexer(),
            style=_style("auto"),
            include_default_pygments_style=False,
            bottom_toolbar=self._toolbar,
            reserve_space_for_menu=_MENU_LINES,
            color_depth=depth,
            input=input,
            output=output,
        )
        # A terminal that doesn't say where its cursor is shows no toolbar; that needs no warning.
        session.app.renderer.cpr_not_supported_callback = None
        return session

    @cached_property
    def _line(self) -> PromptSession[str]:
        """The prompt for a single line; a session costs as much as a fifth of gradrepl, and few ask for one."""
        code = self._code
        session: PromptSession[str] = PromptSession(
            key_bindings=self._shortcut_bindings(),
            input=code.app.input,
            output=code.app.output,
            reserve_space_for_menu=0,
        )
        session.app.renderer.cpr_not_supported_callback = None
        return session

    @property
    def vi(self) -> bool:
        """Whether keys are vi's rather than Emacs'."""
        return self._code.editing_mode is EditingMode.VI

    @vi.setter
    def vi(self, wanted: bool) -> None:
        self._code.editing_mode = EditingMode.VI if wanted else EditingMode.EMACS

    @property
    def theme(self) -> str:
        """The theme of the colours: auto, light or dark."""
        return self._theme

    @theme.setter
    def theme(self, wanted: str) -> None:
        self._theme = wanted
        self._code.style = _style(wanted)

    @property
    def keeps(self) -> bool:
        """Whether what is typed is kept for next time."""
        return self._history.kept

    @keeps.setter
    def keeps(self, wanted: bool) -> None:
        self._history.kept = wanted

    @property
    def colored(self) -> bool:
        """Whether code and toolbar are coloured."""
        return self._code.color_depth is not ColorDepth.DEPTH_1_BIT

    @colored.setter
    def colored(self, wanted: bool) -> None:
        self._code.color_depth = ColorDepth.DEPTH_4_BIT if wanted else ColorDepth.DEPTH_1_BIT

    @property
    def footer(self) -> bool:
        """Whether the line below the input is shown."""
        return self._code.bottom_toolbar is not None

    @footer.setter
    def footer(self, wanted: bool) -> None:
        self._code.bottom_toolbar = self._toolbar if wanted else None

    def _taken(self, text: str) -> bool:
        """Whether a pasted text goes to `:repair`; the prompt is then taken off the screen."""
        try:
            damaged = self.damaged(text)
        except Exception:  # an exception would end the prompt, and what was pasted would be lost
            damaged = False
        if damaged:
            self._code.app.erase_when_done = True
            self._code.app.exit(result=REPAIR)
        return damaged

    def _shortcut_bindings(self) -> KeyBindingsBase:
        return merge_key_bindings([shortcut_bindings(self._live), command_binding(lambda: self._offered)])

    def _live(self) -> Sequence[Shortcut]:
        return live(self.shortcuts, self._offered)

    def _toolbar(self) -> StyleAndTextTuples:
        """The call that is being typed, where there is one, before the line that the owner gives."""
        state = self.toolbar()
        before_cursor = get_app().current_buffer.document.text_before_cursor
        if "(" not in before_cursor or self._live():
            lines = footer(state, self._live(), get_app().output.get_size().columns)
            return [("", "\n".join(f" {line} " for line in lines))]
        from gradrepl.app.line.hints import hint

        width = max(get_app().output.get_size().columns - len(state) - 5, 30)
        try:
            call = hint(before_cursor, self.scope.names(), width)
        except Exception:  # an exception would end the prompt with the learner's line in it
            call = None
        if call is None:
            return [("", f" {state} ")]
        before, current, behind = map(one_line, call)
        return [("", f" {before}"), ("class:argument", current), ("", f"{behind} | {state} ")]

    def _rendered(self, app: object) -> None:
        """What goes on while nobody types begins after a pause: the next key isn't to wait for it."""
        if self._pause is not None:
            self._pause.cancel()
        self._pause = asyncio.get_running_loop().call_later(_PAUSE, self.idle)

    def code(self, offered: str = "") -> str:
        """The next complete input; `offered` stands at the prompt already, for Enter to run or to be edited."""
        bare = offered.rstrip("\n")
        self._offered = bare if offered and is_complete(bare) else offered
        self._code.app.erase_when_done = False
        return self._code.prompt(default=self._offered, in_thread=_is_inside_event_loop())

    def loss(self) -> str | None:
        """Why input isn't kept for next time, said once; None while it is."""
        if self._history.failure is None or self._loss_said:
            return None
        self._loss_said = True
        return self._history.failure.strerror or type(self._history.failure).__name__

    def line(self, prompt: str, offered: str = "") -> str:
        """One line, behind a prompt; `offered` stands there already."""
        self._offered = offered
        shown = FormattedText([("class:question", prompt)])
        code = self._code
        self._line.style, self._line.color_depth = code.style, code.color_depth
        self._line.bottom_toolbar = code.bottom_toolbar
        return self._line.prompt(shown, default=offered, in_thread=_is_inside_event_loop())


def _style(theme: str) -> Style:
    return Style.from_dict({name: repainted(style, theme) for name, style in _STYLES.items()})


def _is_inside_event_loop() -> bool:
    """Whether the program that asks runs in an event loop, where no other can be started."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
