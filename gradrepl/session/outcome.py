"""The frozen values that say what one statement did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Output:
    """A piece of what a statement showed, in the order in which it came.

    kind: "stdout" and "stderr" hold what the program printed, verbatim; "echo" holds the
    repr of a bare expression (no trailing newline), as Python's interactive mode prints it.
    """

    kind: Literal["stdout", "stderr", "echo"]
    text: str


@dataclass(frozen=True, slots=True)
class Warned:
    """A Python warning: the category's name, its message and the line it points at."""

    category: str
    message: str
    line: int


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception that ended a statement.

    type: the exception class's name as Python prints it ("RuntimeError").
    message: str(exception), with Python's own "Did you mean" suggestion where it has one.
    traceback: the whole text as Python prints it, without frames of gradrepl or of the engine.
    line: the line of the statement that raised, counted from 1 within the source.
    """

    type: str
    message: str
    traceback: str
    line: int | None


@dataclass(frozen=True, slots=True)
class GradMode:
    """Whether operations are recorded, and which switches made it so, outermost first.

    stack holds names as one reads them in code: "no_grad", "enable_grad", "inference_mode",
    "set_grad_enabled(False)"; empty when nothing has switched the mode.
    """

    enabled: bool
    stack: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModeSwitch:
    """One change of the grad mode while a statement ran.

    kind: "enter" and "exit" of a with-block or decorated call; "call" for the function form.
    line: the line in the learner's source that switched, where it is known.
    """

    kind: Literal["enter", "exit", "call"]
    name: str
    enabled: bool
    line: int | None


@dataclass(frozen=True, slots=True)
class TensorRow:
    """What the table shows of one named tensor: plain strings and numbers, never the tensor.

    value, grad: short one-line texts such as "[[0.2824, -0.3715, ...], ...]"; grad is None
    where `.grad` is None (it is read of a leaf, or of a tensor that retains its grad, only).
    grad_fn: the node's name ("MulBackward0") or None.
    changed: the fields that this statement changed; ("name",) for a name that is new.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    requires_grad: bool
    is_leaf: bool
    grad_fn: str | None
    grad: str | None
    value: str
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """Something true of the learner's own names; `id` names its sentence, `parameters` are what stands in it."""

    id: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of an error or warning: the id of its texts, what stands in them, and facts behind it.

    warning: the index of the warning in Outcome.warnings that it explains; None for the failure.
    """

    id: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    warning: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that happened in one statement.

    mode: the grad mode where the statement's stack of switches was deepest (its innermost
    block); mode_before and mode_after are the modes around it.
    rows: every named tensor after the statement, in the order in which names were bound.
    gone: names of tensors that the statement unbound.
    line: the statement's first line, counted from 1 within the input.
    bound: names that are another tensor than before, new ones included; it may look the same.
    exit_status: set when the statement raised SystemExit.
    explanations: of the warnings and the failure, where something is known of them.
    """

    source: str
    number: int
    outputs: tuple[Output, ...]
    warnings: tuple[Warned, ...]
    failure: Failure | None
    mode: GradMode
    mode_before: GradMode
    mode_after: GradMode
    switches: tuple[ModeSwitch, ...]
    rows: tuple[TensorRow, ...]
    gone: tuple[str, ...] = ()
    exit_status: int | None = None
    seconds: float = 0.0
    explanations: tuple[Explanation, ...] = ()
    line: int = 1
    bound: tuple[str, ...] = ()

    @property
    def ends(self) -> bool:
        """Whether nothing that stands behind the statement runs any more."""
        return self.failure is not None or self.exit_status is not None

    @property
    def stdout(self) -> str:
        """What the statement printed to standard output."""
        return "".join(output.text for output in self.outputs if output.kind == "stdout")

    @property
    def value(self) -> str | None:
        """The echo of a bare expression, or None; several echoes (in a block) are joined by newlines."""
        echoes = [output.text for output in self.outputs if output.kind == "echo"]
        return "\n".join(echoes) if echoes else None

    @property
    def changed_rows(self) -> tuple[TensorRow, ...]:
        """The rows that this statement added or changed."""
        return tuple(row for row in self.rows if row.changed)


@dataclass(frozen=True, slots=True)
class Saved:
    """What a node keeps for backward.

    argument: the operation's own name of it ("self", "other"); text: a tensor's name in the learner's code,
    its shape, or another value. version: that of the tensor when it was saved, now: its version today;
    both None where it has none. freed: backward has let go of it.
    """

    argument: str
    text: str
    version: int | None = None
    now: int | None = None
    freed: bool = False


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One line of a graph that is drawn as a tree.

    number: counted in the order of the tree, from 1 at the root of the whole graph. names: of the tensors that
    this node made, or of the leaf whose gradient it takes. shape: of the leaf, else None. uses: how many
    nodes lead to it. again: it stands further up already. branches: for each level whether more follows there.
    """

    number: int
    name: str
    names: tuple[str, ...]
    branches: tuple[bool, ...]
    shape: tuple[int, ...] | None = None
    saved: tuple[Saved, ...] = ()
    uses: int = 0
    again: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """The graph behind a tensor, as far as it is drawn.

    count: the nodes of the whole graph; exact: whether all of them were counted.
    hidden: how many are not among the rows; more: the number of the first of them.
    """

    rows: tuple[NodeRow, ...]
    count: int
    exact: bool
    hidden: int
    more: int | None
