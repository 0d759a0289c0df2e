"""Why a tensor's requires_grad, grad_fn, grad or is_leaf is what it is: reasons by id, for a view to put into words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gradrepl.session.chronicle import Chronicle, Origin
from gradrepl.session.outcome import GradMode, TensorRow

FIELDS = ("requires_grad", "grad_fn", "grad", "is_leaf")
DETACHED = re.compile(r"\.detach_?\(|\.data\b|\.item\(|\.numpy\(|\.tolist\(")
DIFFERENTIABLE = ("float", "bfloat", "complex")


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence of a story: its id, and what stands in its gaps; mode: the grad mode that it speaks of."""

    id: str
    values: Mapping[str, str | int] = field(default_factory=dict)
    mode: GradMode | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A named tensor as it is now, and where it comes from; origin: None for one that was there at the start."""

    row: TensorRow
    origin: Origin | None
    inference: bool = False
    retains_grad: bool = False

    @property
    def parents(self) -> tuple[TensorRow, ...]:
        """The tensors that it was computed from, as far as they have names."""
        return () if self.origin is None else self.origin.parents


def why(subject: Subject, asked: str, chronicle: Chronicle) -> tuple[Reason, ...]:
    """Return the story of a field, one of FIELDS: where it comes from, then what would have changed it."""
    name, origin = subject.row.name, subject.origin
    if origin is None:
        start = Reason("there_before", {"name": name})
    else:
        start = Reason("bound", {"name": name, "input": origin.input, "source": origin.source.strip()})
    teller = of_grad if asked == "grad" else of_flags
    return (start, *teller(subject, asked, chronicle))


def of_flags(subject: Subject, asked: str, chronicle: Chronicle) -> Iterator[Reason]:
    """Tell why a tensor requires grad or doesn't; grad_fn and is_leaf follow from that."""
    row = subject.row
    if row.grad_fn is not None:
        yield from recorded(subject, asked)
        return
    yield from required(subject, chronicle) if row.requires_grad else not_required(subject, chronicle)
    if asked == "grad_fn":
        yield Reason("no_grad_fn", {"name": row.name})
    elif asked == "is_leaf":
        yield Reason("made_leaf" if row.requires_grad else "leaf_by_convention", {"name": row.name})


def recorded(subject: Subject, asked: str) -> Iterator[Reason]:
    """Tell of the result of a recorded operation."""
    row = subject.row
    needed = joined(parent for parent in subject.parents if parent.requires_grad)
    yield Reason("recorded", {"parents": needed}) if needed else Reason("recorded_somehow")
    values = {"name": row.name, "node": str(row.grad_fn)}
    if asked != "requires_grad":
        yield Reason("node_is" if asked == "grad_fn" else "no_leaf", values)
    if needed:
        yield Reason("without_recording", values)


def required(subject: Subject, chronicle: Chronicle) -> Iterator[Reason]:
    """Tell of a leaf that requires grad."""
    name = subject.row.name
    switched = later(subject, "requires_grad", chronicle)
    if switched is not None:
        yield changed("switched_on", name, switched)
    elif subject.origin is not None and "requires_grad" in subject.origin.source:
        yield Reason("asked_for", {"name": name})
    else:
        yield Reason("leaf_that_requires", {"name": name})
    yield Reason("would_not_require", {"name": name})


def not_required(subject: Subject, chronicle: Chronicle) -> Iterator[Reason]:
    """Tell why a tensor does not require grad, and what would make it."""
    row, origin = subject.row, subject.origin
    switched = later(subject, "requires_grad", chronicle)
    needed = joined(parent for parent in subject.parents if parent.requires_grad)
    if switched is not None:
        yield changed("switched_off", row.name, switched)
    elif subject.inference:
        yield Reason("inference", {"name": row.name})
    elif not row.dtype.startswith(DIFFERENTIABLE):
        yield Reason("not_differentiable", {"name": row.name, "dtype": row.dtype})
    elif origin is not None and not origin.mode.enabled and needed:
        line = Reason("not_recorded", {"parents": needed}, origin.mode)
        yield (
            line
            if origin.line is None
            else Reason("not_recorded_line", {**line.values, "line": origin.line}, line.mode)
        )
        yield Reason("outside", {"name": row.name})
    elif origin is not None and DETACHED.search(origin.source):
        yield Reason("detached", {"name": row.name})
    elif needed:
        yield Reason("cut_somewhere", {"parents": needed})
    elif subject.parents:
        yield Reason("parents_do_not", {"parents": joined(iter(subject.parents))})
        yield Reason("parent_would", {"parent": subject.parents[0].name, "name": row.name})
    else:
        yield Reason("not_asked_for", {"name": row.name})


def of_grad(subject: Subject, asked: str, chronicle: Chronicle) -> Iterator[Reason]:
    """Tell why `.grad` holds what it holds."""
    row = subject.row
    past = chronicle.past(row.name, "grad")
    if row.grad is not None:
        yield from filled(row.name, past)
    elif not row.requires_grad:
        yield Reason("grad_needs_flag", {"name": row.name})
        yield from not_required(subject, chronicle)
    elif not row.is_leaf and not subject.retains_grad:
        yield Reason("grad_of_inner", {"name": row.name, "node": str(row.grad_fn)})
        yield Reason("retain", {"name": row.name})
    elif past:
        yield changed("grad_dropped", row.name, past[-1])
    else:
        yield Reason("no_backward_yet", {"name": row.name})


def filled(name: str, past: tuple[Origin, ...]) -> Iterator[Reason]:
    """Tell which inputs gave a gradient, and that they add up."""
    if not past:
        yield Reason("grad_before", {"name": name})
        return
    yield changed("grad_filled", name, past[-1])
    if len(past) > 1:
        inputs = ", ".join(str(origin.input) for origin in past)
        yield Reason("grad_adds_up", {"name": name, "inputs": inputs})


def later(subject: Subject, changed_field: str, chronicle: Chronicle) -> Origin | None:
    """Return where a field of the same tensor was changed last, after it was bound."""
    past = chronicle.past(subject.row.name, changed_field)
    if not past or (subject.origin is not None and past[-1].source == subject.origin.source):
        return None
    return past[-1]


def changed(identity: str, name: str, origin: Origin) -> Reason:
    return Reason(identity, {"name": name, "input": origin.input, "source": origin.source.strip()})


def joined(rows: Iterator[TensorRow]) -> str:
    """Return names as code: `a`, `b`."""
    return ", ".join(f"`{row.name}`" for row in rows)
