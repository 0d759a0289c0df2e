"""What a session remembers of its inputs: the source of each, and where every name and mode comes from."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gradrepl.session.outcome import GradMode, ModeSwitch, Outcome, TensorRow

MOST_INPUTS, MOST_KEPT, MOST_PRINTS = 10_000, 1_000, 21
MOST_PRINTED, MOST_PIECES = 10_000, 10
PLAIN = (bool, int, float, complex, str)


@dataclass(frozen=True, slots=True)
class Input:
    """One input: its number, counted from 1, its source, and what its statements did.

    The outcomes hold rows that changed only; of older inputs none are kept.
    """

    number: int
    source: str
    outcomes: tuple[Outcome, ...]

    @property
    def seconds(self) -> float:
        """How long its statements ran."""
        return sum(outcome.seconds for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a tensor's name was bound, or a field of it was changed last.

    source: the statement. mode: what it was computed under; line: of the switch, if any is known.
    parents: the tensors that the statement reads, as they were before it.
    """

    input: int
    source: str
    mode: GradMode
    line: int | None
    parents: tuple[TensorRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch of the grad mode that is still in force; block: it ends with a with-block."""

    name: str
    input: int
    line: int | None
    block: bool


class Chronicle:
    """Remembers inputs as they are noted; of names only those that there are.

    lost: how many of the first inputs are not kept, so that no replay from the start is possible.
    prints: what the names were like after each of the last inputs, to tell whether a replay was exact.
    dice: what a replay needs of the session's beginning; None where it can't begin again.
    """

    def __init__(self, dice: object = None) -> None:
        self.dice = dice
        self.prints: deque[dict[str, str]] = deque([{}], maxlen=MOST_PRINTS)
        self.inputs: list[Input] = []
        self.lost = 0
        self.origins: dict[str, Origin] = {}
        self.changes: dict[str, dict[str, tuple[Origin, ...]]] = {}
        self.switches: list[Switch] = []
        self.rows: dict[str, TensorRow] = {}

    @property
    def number(self) -> int:
        """The number of the last input; 0 before the first."""
        return self.lost + len(self.inputs)

    def past(self, name: str, field: str) -> tuple[Origin, ...]:
        """The last changes of a field of the tensor that has this name now, the oldest first."""
        return self.changes.get(name, {}).get(field, ())

    def note(self, source: str, outcomes: Sequence[Outcome], names: Mapping[str, object]) -> None:
        """Remember an input, what its statements did, and the names as they are after it."""
        number = self.number + 1
        for outcome in outcomes:
            self._note_names(number, outcome)
            self._note_switches(number, outcome)
        slim = tuple(replace(outcome, rows=outcome.changed_rows) for outcome in outcomes)
        if self.inputs:
            self.inputs[-1] = shortened(self.inputs[-1])
        self.inputs.append(Input(number, source, slim))
        if len(self.inputs) > MOST_KEPT:
            old = self.inputs[-MOST_KEPT - 1]
            self.inputs[-MOST_KEPT - 1] = replace(old, outcomes=())
        if len(self.inputs) > MOST_INPUTS:
            self.inputs.pop(0)
            self.lost += 1
        self.prints.append({name: fingerprint(self.rows.get(name), value) for name, value in list(names.items())})

    def _note_names(self, number: int, outcome: Outcome) -> None:
        parents = tuple(self.rows[name] for name in read_names(outcome.source) if name in self.rows)
        for row in outcome.changed_rows:
            origin = origin_of(number, outcome, row.name, parents)
            fields = self.changes.setdefault(row.name, {})
            for field in row.changed:
                fields[field] = (*fields.get(field, ())[-9:], origin)
        for name in outcome.bound:
            self.origins[name] = origin_of(number, outcome, name, parents)
            self._forget(name, keep=number)
        for name in outcome.gone:
            self.origins.pop(name, None)
            self.changes.pop(name, None)
        self.rows = {row.name: row for row in outcome.rows}

    def _forget(self, name: str, keep: int) -> None:
        """Drop what an earlier tensor of that name went through, from before input `keep`."""
        fields = self.changes.get(name, {})
        for field, origins in fields.items():
            fields[field] = tuple(origin for origin in origins if origin.input >= keep)

    def _note_switches(self, number: int, outcome: Outcome) -> None:
        for switch in outcome.switches:
            self._switch(number, switch)
        labels = outcome.mode_after.stack
        if tuple(entry.name for entry in self.switches) != labels:  # more than are kept of one statement
            self.switches = [Switch(name, number, None, not name.startswith("set_")) for name in labels]

    def _switch(self, number: int, switch: ModeSwitch) -> None:
        entry = Switch(switch.name, number, switch.line, switch.kind == "enter")
        if switch.kind == "exit":
            places = [i for i, known in enumerate(self.switches) if known.block and known.name == switch.name]
            if places:
                self.switches[places[-1] :] = [known for known in self.switches[places[-1] + 1 :] if known.block]
            return
        if switch.kind == "call" and self.switches and not self.switches[-1].block:
            self.switches.pop()
        self.switches.append(entry)


def shortened(entry: Input) -> Input:
    """Return an input with less of a long output: only of the last input is all kept that there is."""
    if sum(len(output.text) for outcome in entry.outcomes for output in outcome.outputs) <= MOST_PRINTED:
        return entry
    outcomes = tuple(
        replace(outcome, outputs=tuple(replace(o, text=shorter(o.text)) for o in outcome.outputs[:MOST_PIECES]))
        for outcome in entry.outcomes
    )
    return replace(entry, outcomes=outcomes)


def shorter(text: str) -> str:
    """Return the beginning of a long text, and how much is left out."""
    return text if len(text) <= MOST_PRINTED else f"{text[:MOST_PRINTED]}\n[... {len(text) - MOST_PRINTED} ...]\n"


def fingerprint(row: TensorRow | None, value: object) -> str:
    """Return what tells two values of a name apart, as far as that can be told."""
    if row is not None:
        return repr(replace(row, changed=()))
    if isinstance(value, PLAIN):
        return str(hash(value)) if isinstance(value, str) else repr(value)[:80]
    return type(value).__name__


def origin_of(number: int, outcome: Outcome, name: str, parents: tuple[TensorRow, ...]) -> Origin:
    """Return where a name comes from, with the mode of the block in which its assignment stands."""
    opened = enclosing(outcome.source, name)
    switched = [switch for switch in outcome.switches if switch.kind != "exit"]
    if opened is None:
        line = switched[-1].line if switched else None
        return Origin(number, outcome.source, outcome.mode, line, parents)
    inside = [switch for switch in switched if switch.line is not None and switch.line - outcome.line + 1 in opened]
    labels = tuple(name for _, name in dict.fromkeys((switch.line, switch.name) for switch in inside))
    enabled = inside[-1].enabled if inside else outcome.mode_before.enabled
    mode = GradMode(enabled, (*outcome.mode_before.stack, *labels))
    return Origin(number, outcome.source, mode, inside[-1].line if inside else None, parents)


def enclosing(source: str, name: str) -> frozenset[int] | None:
    """Return the lines of the with-statements around the last assignment to a name in a block.

    None where the statement is no block that assigns it: its mode is that of the whole statement.
    """
    found: tuple[int, frozenset[int]] | None = None
    waiting: list[tuple[ast.AST, frozenset[int]]] = [(parsed(source), frozenset())]
    while waiting:
        node, lines = waiting.pop()
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store) and lines:
            found = max(found or (0, lines), (node.lineno, lines), key=lambda place: place[0])
        if isinstance(node, ast.With):
            last = node.items[-1].context_expr
            lines = lines | set(range(node.lineno, (last.end_lineno or last.lineno) + 1))
        waiting.extend((child, lines) for child in ast.iter_child_nodes(node))
    return None if found is None else found[1]


def read_names(source: str) -> tuple[str, ...]:
    """Return the names that a statement reads, each once."""
    nodes = [node for node in ast.walk(parsed(source)) if isinstance(node, ast.Name)]
    return tuple(dict.fromkeys(node.id for node in nodes if isinstance(node.ctx, ast.Load)))


def parsed(source: str) -> ast.AST:
    """Return a statement's tree; an empty one where the source is none."""
    try:
        return ast.parse(source.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])
