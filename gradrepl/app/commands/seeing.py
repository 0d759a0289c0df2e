"""Commands that show what is there: tensors, graph, reasons, grad mode, two worlds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gradrepl.app.commands.table import Command
from gradrepl.i18n import mark

if TYPE_CHECKING:
    from gradrepl.app.commands.state import PromptState
    from gradrepl.session.outcome import TensorRow


def _table(repl: PromptState, argument: str) -> None:
    """`:t` and `:t a b`: the table now, all of it or these names."""
    wanted = argument.replace(",", " ").split()
    rows = repl.session.rows()
    if not rows:
        repl.screen.note(repl._("There are no tensors yet."))
    elif not wanted:
        repl.screen.rows(rows)
    else:
        repl.screen.rows([row for row in rows if row.name in wanted])
        for name in wanted:
            if all(row.name != name for row in rows):
                repl.screen.note(no_tensor(repl, name))


def no_tensor(repl: PromptState, name: str) -> str:
    """What to say where a name is no tensor's, with the names that are."""
    known = ", ".join(row.name for row in repl.session.rows()[-8:])
    if name in repl.session.names:
        return repl._("{name} is no tensor. Tensors: {names}").format(name=name, names=known or "-")
    return repl._("There is no {name}. Tensors: {names}").format(name=name, names=known or "-")


def _graph(repl: PromptState, argument: str) -> None:
    """`:g y`, `:g y 40`: the graph behind a tensor, from a node on."""
    from gradrepl.session.graph import graph
    from gradrepl.view import tree

    name, _, rest = argument.partition(" ")
    number = rest.strip().lstrip("#") or "1"
    tensor = _tensor(repl, name)
    if tensor is None:
        return
    if tensor.grad_fn is None:
        repl.screen.note(
            repl._("{name} has no graph: its grad_fn is None. :why {name}.grad_fn says why.").format(name=name)
        )
        return
    try:
        found = graph(repl.engine, tensor.grad_fn, repl.session.names, start=int(number))
    except (ValueError, IndexError):
        repl.screen.note(repl._("The graph of {name} has no node #{number}.").format(name=name, number=number))
        return
    repl.screen.spans(tree.lines(name, found, repl._))


def _tensor(repl: PromptState, name: str) -> Any:
    """The learner's tensor of that name; the newest where no name is given. None, and said so, where there is none."""
    rows = repl.session.rows()
    wanted = name or next((row.name for row in reversed(rows) if row.grad_fn), "")
    value = repl.session.names.get(wanted)
    if isinstance(value, repl.engine.torch.Tensor):
        return value
    repl.screen.note(no_tensor(repl, wanted or "?"))
    return None


def _why(repl: PromptState, argument: str) -> None:
    """`:why y.grad_fn`: the story of a field; of a name alone, why it requires grad or not."""
    from gradrepl.session.why import FIELDS

    name, _, field = argument.rstrip("?").strip().partition(".")
    rows: dict[str, TensorRow] = {row.name: row for row in repl.session.rows()}
    if name not in rows:
        repl.screen.note(no_tensor(repl, name or "?"))
        return
    if (field or FIELDS[0]) not in FIELDS:
        asked = ", ".join(f"{name}.{known}" for known in FIELDS)
        repl.screen.note(repl._("Ask for one of these: {fields}.").format(fields=asked))
        return
    asked = field or FIELDS[0]
    repl.screen.spans([[(f"{name}.{asked} = {getattr(rows[name], asked)}", "bold")]])
    _tell(repl, rows[name], asked)


def tell_why(repl: PromptState, cell: str) -> None:
    """Tell the story of a cell such as "y.grad_fn"; nothing of what is no cell of the table."""
    from gradrepl.session.why import FIELDS

    name, _, field = cell.rpartition(".")
    row = next((row for row in repl.session.rows() if row.name == name), None)
    if row is not None and field in FIELDS:
        _tell(repl, row, field)


def _tell(repl: PromptState, row: TensorRow, field: str) -> None:
    from gradrepl.session.why import Subject, why
    from gradrepl.view import story

    tensor = repl.session.names[row.name]
    origin = repl.chronicle.origins.get(row.name)
    subject = Subject(row, origin, bool(tensor.is_inference()), bool(tensor.retains_grad))
    for sentence in story.tell(why(subject, field, repl.chronicle), repl._):
        repl.screen.sentence(sentence)


def _mode(repl: PromptState, argument: str) -> None:
    """`:mode`: the grad mode, who switched it and when that ends."""
    from gradrepl.view import story

    for line in story.switches(repl.session.grad_mode(), repl.chronicle.switches, repl._):
        repl.screen.note(line)


def _watch(repl: PromptState, argument: str) -> None:
    """`:watch a b`: rows shown after each input; `:watch off` ends it."""
    wanted = argument.replace(",", " ").split()
    if wanted == ["off"]:
        repl.watched = ()
    elif wanted:
        repl.watched = tuple(dict.fromkeys(wanted))
    if repl.watched:
        repl.screen.note(repl._("watched: {names}; :watch off ends it").format(names=", ".join(repl.watched)))
    else:
        repl.screen.note(repl._("Nothing is watched. :watch NAMES shows these tensors after each input."))


def watched(repl: PromptState, shown: Sequence[TensorRow]) -> None:
    """Show the watched tensors that the table of this input didn't show."""
    there = {row.name for row in shown}
    rows = [row for row in repl.session.rows() if row.name in repl.watched and row.name not in there]
    if rows:
        repl.screen.rows(rows)


def _diff(repl: PromptState, argument: str) -> None:
    """`:diff CODE`: what the code does with grad mode on and off."""
    from gradrepl.app.commands.replay import NotReplayableError, worlds
    from gradrepl.view.worlds import compare

    if not argument:
        repl.screen.note(repl._("Which code? Such as :diff y = x * 2"))
        return
    try:
        on, off = worlds(repl.session, repl.chronicle, argument)
    except NotReplayableError as error:
        repl.screen.note(error.said(repl._))
        return
    repl.screen.spans(compare(on, off, repl._))


def _operation(repl: PromptState, argument: str) -> None:
    """`:op mul`: an operation's forward, rules and formula."""
    from gradrepl.app.commands.operation import card

    repl.screen.spans(card(argument.strip(), repl.session, repl._))


GROUP = mark("see")
COMMANDS: tuple[Command[PromptState], ...] = (
    Command(("t", "bang"), "[NAMES]", mark("the table of tensors as they are now"), _table, GROUP, ":t x y"),
    Command(("g", "dothi"), "NAME [NODE]", mark("the graph behind a tensor, as a tree"), _graph, GROUP, ":g y"),
    Command(
        ("why", "taisao"),
        "NAME.FIELD",
        mark("why requires_grad, grad_fn, grad or is_leaf is so"),
        _why,
        GROUP,
        ":why y.grad_fn",
    ),
    Command(("mode", "chedo"), "", mark("the grad mode: who switched it, when that ends"), _mode, GROUP, ":mode"),
    Command(
        ("diff", "sosanh"), "CODE", mark("the same code with grad mode on and off"), _diff, GROUP, ":diff y = x * 2"
    ),
    Command(
        ("op", "phep"), "OPERATION", mark("an operation: forward, gradient rule, formula"), _operation, GROUP, ":op mul"
    ),
    Command(
        ("watch", "theodoi"), "NAMES|off", mark("show these tensors after each input"), _watch, GROUP, ":watch x w"
    ),
)
