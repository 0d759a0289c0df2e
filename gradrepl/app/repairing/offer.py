"""The command `:repair` and damaged pastes: what is proposed is shown as a change, then run, edited or left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from gradrepl.app.asking import number_of
from gradrepl.app.repairing.proposal import Change, Proposal, propose
from gradrepl.app.repairing.report import stories
from gradrepl.app.repairing.vocabulary import vocabulary
from gradrepl.app.repairing.words import KINDS
from gradrepl.i18n import mark
from gradrepl.repair.model import Offer, Statement
from gradrepl.repair.python import statement_sources, tree_of
from gradrepl.view.change import ASKED, NEW, STYLES, Span, change, kept
from gradrepl.view.plain import source as with_prompts

if TYPE_CHECKING:
    from gradrepl.app.commands.state import PromptState
    from gradrepl.session.chronicle import Input

CONTEXT = 2
"""Unchanged statements that are shown before and behind a change."""
Act = Callable[["PromptState", Sequence[str]], bool]


def proposed(state: PromptState, text: str) -> Proposal | None:
    """Return what is proposed for a text at this prompt; None where there is nothing to propose.

    Raises EngineUnavailableError.
    """
    known = ("torch",) if "torch" in state.session.names else ()
    return propose(text, vocabulary(state.engine), known)


def command(state: PromptState, argument: str) -> bool:
    """`:repair`: a pasted text that is damaged, or else what of the last input has not run, repaired."""
    pasted, state.pasted = state.pasted, None
    inputs = state.chronicle.inputs
    if pasted is None and (not inputs or not has_failed(inputs[-1])):
        state.screen.note(state._("The last input ran as it is; there is nothing to repair."))
        return False
    proposal = pasted or proposed(state, not_run(inputs[-1]))
    if proposal is None:
        state.screen.note(state._("Nothing in it looks like damage that gradrepl knows. :explain may say more."))
        return False
    title = state._("What you pasted, repaired") if pasted else state._("Your last input, repaired")
    show(state, proposal, title)
    return decide(state, proposal, [pasted.text] if pasted else [])


def has_failed(entry: Input) -> bool:
    return any(outcome.failure is not None for outcome in entry.outcomes)


def not_run(entry: Input) -> str:
    """Return the statements of an input from the failed one on; all of it where it is no Python."""
    statements = statement_sources(entry.source)
    return "".join(f"{source.rstrip()}\n" for source in statements[len(entry.outcomes) - 1 :]) or entry.source


def show(state: PromptState, proposal: Proposal, title: str) -> None:
    """Show what would change, and why."""
    _, screen = state._, state.screen
    screen.heading(title)
    screen.hanging(list(lines(state, proposal)))
    if proposal.left_out:
        screen.note(_("lines of output and words, which don't run: {count}").format(count=proposal.left_out))
    if proposal.damages:
        screen.gap()
        screen.note(_("Why:"))
        screen.prose(stories(proposal.damages, _))
    screen.gap()


def lines(state: PromptState, proposal: Proposal) -> Iterator[Sequence[Span]]:
    """Yield the changes with what they are called; of what stays, what is next to a change, or all if nothing does."""
    changes, waiting = proposal.changes, 0
    shows_all = all(each.same for each in changes)
    for index, each in enumerate(changes):
        near = changes[max(index - CONTEXT, 0) : index + CONTEXT + 1]
        if not shows_all and all(other.same for other in near):
            waiting += 1
            continue
        if waiting:
            yield unchanged(state, waiting)
            waiting = 0
        yield from kept(each.after) if each.same else changed(state, each)
    if waiting:
        yield unchanged(state, waiting)


def unchanged(state: PromptState, count: int) -> Sequence[Span]:
    return [("  ", ""), (state._("... unchanged: {count}").format(count=count), STYLES["  "])]


def changed(state: PromptState, each: Change) -> Iterator[Sequence[Span]]:
    names = [state._(KINDS[id].name) for id in each.damages]
    names += [state._("still not Python")] * (each.broken and not each.offers)
    if each.mended:
        yield from change(() if each.before == each.after else each.before, each.after, ASKED if each.broken else NEW)
    else:
        yield from kept(each.after)
    if names:
        yield [("  ", ""), ("; ".join(names), "cyan")]
    if each.words:
        yield from change(each.words, ())
        yield [("  ", ""), (state._("output or words, not run"), "cyan")]


def decide(state: PromptState, proposal: Proposal, before: Sequence[str]) -> bool:
    """Let the learner choose what becomes of a proposal; returns whether it ended the prompt.

    before: what stands at the prompt if nothing does.
    """
    chosen = number_of(state, [state._(text) for text, _ in CHOICES])
    act = leave if chosen is None else CHOICES[chosen][1]
    sources = None if act is leave else decided(state, proposal)
    if sources is None:
        return leave(state, before)
    return act(state, sources)


def decided(state: PromptState, proposal: Proposal) -> list[str] | None:
    """Return the statements' sources, where they may be several things as the learner has chosen; None after Ctrl-C."""
    found = []
    for statement in proposal.statements:
        source = source_of(state, statement, offer_of(statement, proposal.offers))
        if source is None:
            return None
        found.append(source)
    return found


def source_of(state: PromptState, statement: Statement, offer: Offer | None) -> str | None:
    """Return a statement's source, asked for where it may be one of several; None after Ctrl-C."""
    _ = state._
    if offer is not None:
        state.screen.sentence(_("Something is missing in `{code}`. What was it?").format(code=offer.original))
        sources, shown = (*offer.choices, offer.original), [*offer.choices, _("none of these")]
    elif statement.readings:
        state.screen.note(_("Where a block ended was lost. Which of these was it?"))
        sources = (statement.source, *statement.readings)
        shown = [with_prompts(source) for source in sources]
    else:
        return statement.source
    chosen = number_of(state, shown)
    return None if chosen is None else sources[chosen].rstrip("\n") + "\n"


def offer_of(statement: Statement, offers: Sequence[Offer]) -> Offer | None:
    return next((o for o in offers if o.line == statement.line and o.original == statement.source.strip()), None)


def run(state: PromptState, sources: Sequence[str]) -> bool:
    """Run statements one after the other, each an input of its own; Ctrl-C stops them all."""
    for source in runnable(state, sources):
        state.screen.source(source)
        if state.execute(source):
            return True
        outcomes = state.chronicle.inputs[-1].outcomes if state.chronicle.inputs else ()
        if any(outcome.failure and outcome.failure.type == "KeyboardInterrupt" for outcome in outcomes):
            break
    return False


def step(state: PromptState, sources: Sequence[str]) -> bool:
    """Put statements at the next prompts, one at each."""
    state.proposals[:] = runnable(state, sources)
    return False


def runnable(state: PromptState, sources: Sequence[str]) -> list[str]:
    """Return the sources that are Python, and say which ones aren't."""
    for source in sources:
        if tree_of(source) is None:
            state.screen.note(state._("not Python, left out: {source}").format(source=" ".join(source.split())))
    return [source for source in sources if tree_of(source) is not None]


def edit(state: PromptState, sources: Sequence[str]) -> bool:
    """Put all statements at the next prompt."""
    state.proposals[:] = ["".join(sources)]
    return False


def leave(state: PromptState, sources: Sequence[str]) -> bool:
    """Put what was pasted at the next prompt, as it is."""
    state.proposals[:] = sources
    return False


CHOICES: tuple[tuple[str, Act], ...] = (
    (mark("run the repaired statements, one after the other"), run),
    (mark("step by step: each stands at the prompt, Enter runs it"), step),
    (mark("edit them at the prompt first"), edit),
    (mark("leave it as it was"), leave),
)
