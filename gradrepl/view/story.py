"""Why a tensor is what it is, in sentences; and who switched the grad mode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gradrepl.session.chronicle import Switch
from gradrepl.session.outcome import GradMode
from gradrepl.session.why import Reason
from gradrepl.view import mode
from gradrepl.view.language import Translate, mark
from gradrepl.view.safe import one_line

SENTENCES: Mapping[str, str] = {
    "there_before": mark("`{name}` was there before the first input."),
    "bound": mark("`{name}` was made at input {input}: `{source}`"),
    "recorded": mark("{parents} required grad and grad mode was on, so the operation was recorded."),
    "recorded_somehow": mark(
        "Something that it was computed from required grad and grad mode was on, so the operation was recorded."
    ),
    "node_is": mark("`{node}` is the last operation of that statement; backward() begins there."),
    "no_leaf": mark("A recorded operation, `{node}`, made it; a leaf is made by none."),
    "without_recording": mark("Under `torch.no_grad()`, `{name}` would be a leaf without grad_fn."),
    "switched_on": mark("requires_grad was switched on at input {input}: `{source}`"),
    "switched_off": mark("requires_grad was switched off at input {input}: `{source}`"),
    "asked_for": mark("That statement asks for it: `requires_grad=True`."),
    "leaf_that_requires": mark("It was made to be learned: no recorded operation made it, and it requires grad."),
    "would_not_require": mark("`{name}.requires_grad_(False)` would switch it off."),
    "inference": mark(
        "It was made in inference mode: such a tensor never requires grad. `{name}.clone()` makes one that can."
    ),
    "not_differentiable": mark("Its dtype is {dtype}: only floating point and complex numbers can require grad."),
    "not_recorded": mark("Grad mode was {mode}: nothing is recorded then, although {parents} required grad."),
    "not_recorded_line": mark(
        "Grad mode was {mode}, switched in line {line}: nothing is recorded then, although {parents} required grad."
    ),
    "outside": mark("With grad mode on, the same line gives `{name}` a grad_fn; `:diff` shows both."),
    "detached": mark("That statement takes it out of the graph. Without that, `{name}` would have a grad_fn."),
    "cut_somewhere": mark(
        "{parents} required grad, but the operation has no derivative, or what was called switched grad mode off."
    ),
    "parents_do_not": mark(
        "It was computed from {parents}, and none of it required grad: there was nothing to record."
    ),
    "parent_would": mark("After `{parent}.requires_grad_()` the same line gives `{name}` a grad_fn."),
    "not_asked_for": mark(
        "Nobody asked for it. `requires_grad=True` where it is made, or `{name}.requires_grad_()`, would."
    ),
    "no_grad_fn": mark("No recorded operation made `{name}`, so its grad_fn is None."),
    "made_leaf": mark(
        "No recorded operation made `{name}`: it is a leaf, and backward() puts its gradient in `{name}.grad`."
    ),
    "leaf_by_convention": mark("A tensor that does not require grad is always a leaf."),
    "grad_filled": mark("`{name}.grad` was filled at input {input}: `{source}`"),
    "grad_before": mark("`{name}.grad` was filled before the first input."),
    "grad_adds_up": mark(
        "backward() adds to what is there: `{name}.grad` changed at inputs {inputs}. `{name}.grad = None` starts anew."
    ),
    "grad_needs_flag": mark("backward() gives gradients only to tensors that require grad."),
    "grad_of_inner": mark("`{name}` is no leaf (`{node}` made it); backward() keeps gradients of leaves only."),
    "retain": mark("`{name}.retain_grad()` before backward() would keep it."),
    "grad_dropped": mark("`{name}.grad` was set back to None at input {input}: `{source}`"),
    "no_backward_yet": mark(
        "No backward() has reached `{name}` since then; one from a result of it would fill `{name}.grad`."
    ),
}
LONGEST = 100


def tell(reasons: Iterable[Reason], say: Translate) -> Iterator[str]:
    """One sentence a reason."""
    for reason in reasons:
        values = {name: _value(value) for name, value in reason.values.items()}
        if "source" in values:
            # A backtick of the learner's would end the span of code that it stands in.
            values["source"] = values["source"].replace("`", "'")
        if reason.mode is not None:
            values["mode"] = mode.describe(reason.mode, say)
        yield say(SENTENCES[reason.id]).format(**values)


def switches(now: GradMode, entries: Iterable[Switch], _: Translate) -> Iterator[str]:
    """The grad mode, and for each switch in force, innermost first: who switched it, when it ends."""
    yield _("grad mode: {mode}").format(mode=mode.describe(now, _))
    found = list(entries)
    for entry in reversed(found):
        line = (
            _("{switch}: switched at input {input}, line {line}")
            if entry.line
            else _("{switch}: switched at input {input}")
        )
        end = _("until its block is left") if entry.block else _("until the next call of set_grad_enabled")
        yield f"  {line.format(switch=entry.name, input=entry.input, line=entry.line)}; {end}"
    if not found:
        yield "  " + _("nothing has switched it; operations are recorded")


def _value(value: str | int) -> str:
    text = one_line(" ".join(line.strip() for line in str(value).splitlines()))
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
