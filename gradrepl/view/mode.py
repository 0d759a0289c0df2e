"""The grad mode that a statement ran under, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradrepl.session.outcome import GradMode, Outcome
    from gradrepl.view.language import Translate


def describe(mode: GradMode, _: Translate) -> str:
    """Such as "on", "off (no_grad)" or "on (no_grad > enable_grad)", the innermost switch last."""
    state = _("on") if mode.enabled else _("off")
    return f"{state} ({' > '.join(mode.stack)})" if mode.stack else state


def sentence(outcome: Outcome, _: Translate) -> str:
    """Such as "grad mode: off (no_grad), then on": the mode inside, then what it is now if that differs."""
    inside = describe(outcome.mode, _)
    after = describe(outcome.mode_after, _)
    if inside == after:
        return _("grad mode: {mode}").format(mode=inside)
    return _("grad mode: {mode}, then {after}").format(mode=inside, after=after)


def worth_saying(outcome: Outcome) -> bool:
    """Whether the statement switched the mode, or changed tensors under another than plain "on"."""
    unusual = bool(outcome.mode.stack) or not outcome.mode.enabled
    return bool(outcome.switches) or (unusual and bool(outcome.changed_rows))


def style(mode: GradMode) -> str:
    """The colour of a mode: one where operations are recorded, another where they are not."""
    return "cyan" if mode.enabled else "magenta"
