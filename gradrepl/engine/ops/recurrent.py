"""Steps of recurrent networks: the simple cell, the gated cell and the cell with long memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradrepl.engine.dtype import Array
from gradrepl.engine.op import op
from gradrepl.engine.ops.neural import linear
from gradrepl.engine.ops.view import at, embed, look_at

Arrays = Sequence[Array]

Weights = Sequence[Any]
"""Of one layer: weight_ih, weight_hh, bias_ih and bias_hh or None, and weight_hr where outputs are projected."""


@op("UnsafeSplitBackward0", several=True, samples=(((2, 6), 3),))
def split_gates(a: Array, count: int) -> Any:
    """Equal parts of a along its last dimension"""
    return tuple(np.split(a, count, axis=-1))


def gates_rule(parts: Any, shape: tuple[int, ...], count: int) -> Any:
    width = shape[-1] // count
    placed = [
        embed(part, shape, at(len(shape) - 1, slice(i * width, (i + 1) * width)))
        for i, part in enumerate(parts)
        if part is not None
    ]
    total = placed[0]
    for part in placed[1:]:
        total = total + part
    return total


split_gates.grad(a=lambda g, a_shape, count: gates_rule(g, a_shape, count))


@op("TransposeBackward1", view=True, samples=(((2, 3, 4),),))
def swap_first(a: Array) -> Any:
    """a, with its first two dimensions swapped"""
    return a.swapaxes(0, 1)


swap_first.grad(a=lambda g: swap_first(g))


@op("MkldnnRnnLayerBackward0")
def steps_of_layer(tensors: Arrays, dim: int) -> Any:
    """The outputs of a layer's steps, one behind the other: in PyTorch one operation, by oneDNN"""
    return np.stack(tensors, axis=dim)


steps_of_layer.grad(
    tensors=lambda g, tensors_shape, dim: [look_at(g, at(dim, i)) for i in range(len(tensors_shape))],
)


def simple_step(gates: Any, state: Any, weights: Weights, nonlinearity: str) -> Any:
    """Return the next state of a simple cell; gates: what the input gives."""
    total = linear(state[0], weights[1], weights[3]) + gates
    return (total.tanh() if nonlinearity == "tanh" else total.relu(),)


def gated_step(gates: Any, state: Any, weights: Weights, nonlinearity: str) -> Any:
    """Return the next state of a gated recurrent unit."""
    from_input = split_gates(gates, 3)
    from_state = split_gates(linear(state[0], weights[1], weights[3]), 3)
    reset = (from_state[0] + from_input[0]).sigmoid_()
    update = (from_state[1] + from_input[1]).sigmoid_()
    new = (from_input[2] + from_state[2] * reset).tanh_()
    return ((state[0] - new) * update + new,)


def memory_step(gates: Any, state: Any, weights: Weights, nonlinearity: str) -> Any:
    """Return the next state and memory of a cell with long short-term memory."""
    chunks = split_gates(linear(state[0], weights[1], weights[3]) + gates, 4)
    enter, forget, out = (chunks[i].sigmoid() for i in (0, 1, 3))
    memory = forget * state[1] + enter * chunks[2].tanh()
    state = out * memory.tanh()
    return (linear(state, weights[4], None) if len(weights) > 4 else state), memory


STEPS: dict[str, tuple[int, int, Callable[..., Any]]] = {
    "RNN": (1, 1, simple_step),
    "GRU": (3, 1, gated_step),
    "LSTM": (4, 2, memory_step),
}
"""For each kind of network the number of gates and of states, and its step."""


def step_index(lengths: Sequence[int]) -> tuple[Array, Array]:
    """Return the steps and the sequences of the elements in the order in which they are packed."""
    sizes = sizes_of(lengths)
    steps = np.repeat(np.arange(len(sizes)), sizes)
    return steps, np.concatenate([np.arange(size) for size in sizes])


def sizes_of(lengths: Sequence[int]) -> list[int]:
    """Return how many sequences have each step."""
    return [sum(length > step for length in lengths) for step in range(max(lengths))]


@op("PackPaddedSequenceBackward0", samples=(((3, 2, 2), (3, 1)),))
def packed_steps(a: Array, lengths: tuple[int, ...]) -> Any:
    """The steps of sequences that are padded in a, those of the padding left out"""
    return a[step_index(lengths)]


@op("PackPaddedSequenceBackwardBackward0", samples=(((4, 2), (3, 2, 2), (3, 1)),))
def unpacked_steps(g: Array, shape: tuple[int, ...], lengths: tuple[int, ...]) -> Any:
    """Zeros of a shape, with g at the steps of sequences"""
    whole = np.zeros(shape, g.dtype)
    whole[step_index(lengths)] = g
    return whole


packed_steps.grad(a=lambda g, a_shape, lengths: unpacked_steps(g, a_shape, lengths))
unpacked_steps.grad(g=lambda gg, lengths: packed_steps(gg, lengths))
