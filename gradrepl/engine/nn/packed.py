"""Sequences of different lengths, padded or packed one step after the other: torch.nn.utils.rnn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from gradrepl.engine.api import SPACES
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.ops.recurrent import packed_steps, sizes_of
from gradrepl.engine.tensor import Tensor, make

NOT_SORTED = (
    "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
    "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not "
    "need ONNX exportability."
)


class PackedSequence(NamedTuple):
    """Sequences step by step (torch.nn.utils.rnn.PackedSequence).

    data: all first elements, then all second ones, ...; batch_sizes: how many sequences have each step;
    sorted_indices, unsorted_indices: how sequences were sorted by length, and back, or None.
    """

    data: Any
    batch_sizes: Any
    sorted_indices: Any = None
    unsorted_indices: Any = None

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Return the sequences in another dtype (PackedSequence.to)."""
        return self._replace(data=self.data.to(*args, **kwargs))


def inverted(order: Any) -> Any:
    """Return the permutation that undoes one; None for None (torch.nn.utils.rnn.invert_permutation)."""
    return None if order is None else make(np.argsort(order._data))


def pack_padded_sequence(input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True) -> Any:
    """Pack padded sequences (torch.nn.utils.rnn.pack_padded_sequence)."""
    counts = [int(length) for length in lengths]
    order = None
    if not enforce_sorted:
        order = make(np.argsort(-np.array(counts), kind="stable"))
        counts = [counts[i] for i in order._data]
        input = input.index_select(0 if batch_first else 1, order)
    if batch_first:
        input = input.transpose(0, 1)
    check_lengths(input, counts)
    data = packed_steps(input, tuple(counts))
    return PackedSequence(data, make(np.array(sizes_of(counts))), order, inverted(order))


def check_lengths(input: Any, counts: list[int]) -> None:
    """Raise RuntimeError in PyTorch's words for lengths that do not go with padded sequences."""
    batch = input.shape[1]
    if len(counts) != batch:
        found = f"{len(counts)} (batch_size={batch})"
        raise RuntimeError(f"Expected `len(lengths)` to be equal to batch_size, but got {found}")
    if counts[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if counts != sorted(counts, reverse=True):
        raise RuntimeError(NOT_SORTED)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Any, Any]:
    """Return padded sequences and their lengths (torch.nn.utils.rnn.pad_packed_sequence)."""
    sizes = [int(size) for size in sequence.batch_sizes]
    steps = len(sizes)
    if total_length is not None and total_length < steps:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {steps}"
        )
    shape = (total_length or steps, sizes[0], *sequence.data.shape[1:])
    padded: Any = make(np.full(shape, padding_value, sequence.data._data.dtype))
    for step, part in enumerate(sequence.data.split(sizes)):
        padded[step, : sizes[step]] = part
    lengths = make(np.array([sum(size > place for size in sizes) for place in range(sizes[0])]))
    if batch_first:
        padded = padded.transpose(0, 1)
    if sequence.unsorted_indices is not None:
        back = sequence.unsorted_indices
        return padded.index_select(0 if batch_first else 1, back), lengths[back]  # type: ignore[index]
    return padded, lengths


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Any:
    """Put sequences of different lengths into one tensor (torch.nn.utils.rnn.pad_sequence)."""
    sequences = as_sequences(sequences)
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    longest = max(one.shape[0] for one in sequences)
    rest, kind = sequences[0].shape[1:], sequences[0]._data.dtype
    padded: Any = make(np.full((len(sequences), longest, *rest), padding_value, kind))
    for place, one in enumerate(sequences):
        count = one.shape[0]
        part = padded[place, longest - count :] if padding_side == "left" else padded[place, :count]
        check_rest(tuple(part.shape), tuple(one.shape))
        part.copy_(one)
    return padded if batch_first else padded.transpose(0, 1)


def as_sequences(sequences: Any) -> tuple[Any, ...]:
    """Return the sequences to pad; raises PyTorch's RuntimeError or TypeError where they are none."""
    if isinstance(sequences, Tensor):
        sequences = sequences.unbind(0)  # type: ignore[attr-defined]
    elif not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    found = tuple(sequences)
    if not found:
        raise RuntimeError("received an empty list of sequences")
    for place, one in enumerate(found):
        if not isinstance(one, Tensor):
            raise TypeError(f"expected Tensor as element {place} in argument 0, but got {type(one).__name__}")
    if not all(one._data.ndim for one in found):
        raise RuntimeError("ArrayRef: invalid slice, N = 1; size = 0")
    return found


def check_rest(shape: tuple[int, ...], own: tuple[int, ...]) -> None:
    if len(own) > len(shape):
        raise RuntimeError(
            f"output with shape {list(shape)} doesn't match the broadcast shape {[*own[: -len(shape)], *shape]}"
        )
    for place, (wanted, found) in enumerate(zip(shape, own, strict=False)):
        if wanted != found:
            raise RuntimeError(
                f"The size of tensor a ({wanted}) must match the size of tensor b ({found}) at non-singleton "
                f"dimension {place}"
            )


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """Return the sequences of a padded tensor (torch.nn.utils.rnn.unpad_sequence)."""
    if not batch_first:
        padded_sequences.transpose_(0, 1)
    return [one[: int(length)] for one, length in zip(padded_sequences, lengths, strict=True)]


def pack_sequence(sequences: Any, enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (torch.nn.utils.rnn.pack_sequence)."""
    lengths = [one.shape[0] for one in sequences]
    packed: PackedSequence = pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)
    return packed


def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """Return the sequences of a packed one (torch.nn.utils.rnn.unpack_sequence)."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def run_packed(data: Any, state: tuple[Any, ...], sizes: list[int], step: Any, reverse: bool) -> tuple[Any, Any]:
    """Run steps over packed gates; return all outputs, packed, and the last state of every sequence.

    step: takes the gates of a step and the state of the sequences that have it, and returns their next state.
    """
    cat = SPACES["torch"]["cat"]
    parts = data.split(sizes)
    outs: list[Any] = []
    done: list[tuple[Any, ...]] = []
    current = tuple(one[: sizes[-1]] if reverse else one for one in state)
    for place in range(len(sizes) - 1, -1, -1) if reverse else range(len(sizes)):
        size, have = sizes[place], current[0].shape[0]
        if size < have:
            done.append(tuple(one[size:] for one in current))
            current = tuple(one[:size] for one in current)
        elif size > have:
            current = tuple(cat([one, first[have:size]], 0) for one, first in zip(current, state, strict=True))
        current = step(parts[place], current)
        outs.append(current[0])
    ends = tuple(cat([one, *(part[i] for part in reversed(done))], 0) for i, one in enumerate(current))
    return cat(outs[::-1] if reverse else outs, 0), ends


def invert_permutation(permutation: Any) -> Any:
    """Return the permutation that undoes one (torch.nn.utils.rnn.invert_permutation)."""
    return inverted(permutation)


export(
    "torch.nn.utils.rnn",
    *(PackedSequence, pack_padded_sequence, pad_packed_sequence, pad_sequence, unpad_sequence, pack_sequence),
    *(unpack_sequence, invert_permutation),
    also=(),
)
