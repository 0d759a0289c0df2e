"""Recurrent networks as modules: RNN, GRU, LSTM and their cells."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gradrepl.engine.api import SPACES
from gradrepl.engine.dtype import float32
from gradrepl.engine.nn import init
from gradrepl.engine.nn.linear import new_parameter
from gradrepl.engine.nn.module import Module
from gradrepl.engine.nn.packed import PackedSequence, run_packed
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.ops.dropout import dropout as drop
from gradrepl.engine.ops.neural import linear
from gradrepl.engine.ops.recurrent import STEPS, steps_of_layer, swap_first
from gradrepl.engine.ops.view import transpose_dims
from gradrepl.engine.tensor import Tensor, make

ROLES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
PROJECTIONS = "LSTM with projections is not supported with oneDNN. Using default implementation."


def uniform_weights(module: Any) -> None:
    bound = 1.0 / math.sqrt(module.hidden_size) if module.hidden_size > 0 else 0
    for weight in module.parameters():
        init.uniform_(weight, -bound, bound)


def add_weights(
    module: Module, suffix: str, ins: int, hidden: int, gates: int, bias: bool, projected: int = 0, **factory: Any
) -> None:
    """Give a module the weights of one layer and direction; projected: the size of its outputs, 0 for `hidden`."""
    shapes = ((gates * hidden, ins), (gates * hidden, projected or hidden), (gates * hidden,), (gates * hidden,))
    for role, shape in zip(ROLES, shapes, strict=True):
        if bias or role.startswith("weight"):
            setattr(module, role + suffix, new_parameter(*shape, **factory))
        elif not suffix:
            module.register_parameter(role, None)
    if projected:
        setattr(module, f"weight_hr{suffix}", new_parameter(projected, hidden, **factory))


class RNNBase(Module):
    """What recurrent networks share (torch.nn.RNNBase); kind: their key in STEPS."""

    kind: ClassVar[str]
    nonlinearity = "tanh"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check_settings(input_size, hidden_size, num_layers, dropout, {"bias": bias, "batch_first": batch_first})
        check_projection(self.kind, proj_size, hidden_size)
        self.mode = self.kind
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        for layer in range(num_layers):
            for suffix in self.suffixes(layer):
                width = (proj_size or hidden_size) * (1 + bidirectional) if layer else input_size
                gates = STEPS[self.kind][0]
                add_weights(self, suffix, width, hidden_size, gates, bias, proj_size, device=device, dtype=dtype)
        self.reset_parameters()

    def suffixes(self, layer: int) -> tuple[str, ...]:
        """Return the ends of the names of a layer's weights, one for each direction."""
        return (f"_l{layer}", f"_l{layer}_reverse") if self.bidirectional else (f"_l{layer}",)

    def weights(self, suffix: str) -> list[Any]:
        weights = [getattr(self, role + suffix, None) if self.bias or i < 2 else None for i, role in enumerate(ROLES)]
        return [*weights, getattr(self, "weight_hr" + suffix)] if self.proj_size else weights

    @property
    def all_weights(self) -> list[list[Any]]:
        """The weights of every layer and direction."""
        suffixes = [suffix for layer in range(self.num_layers) for suffix in self.suffixes(layer)]
        return [[weight for weight in self.weights(suffix) if weight is not None] for suffix in suffixes]

    def reset_parameters(self) -> None:
        """Draw new numbers."""
        uniform_weights(self)

    def flatten_parameters(self) -> None:
        """Do nothing: on the CPU there is nothing to put together."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        if isinstance(input, PackedSequence):
            return self.forward_packed(input, hx)
        self.check_input(input)
        self.check_ranks(input.dim(), hx)
        single = input.dim() == 2
        if single:
            input = input.unsqueeze(1)
        elif self.batch_first:
            input = swap_first(input)
        states = self.states(input, input.size(1), hx, single)
        if self.proj_size and input._data.dtype == np.float32:
            warnings.warn(PROJECTIONS, UserWarning, stacklevel=4)
        input, last = self.layers(input, states, self.run)
        if single:
            input, last = input.squeeze(1), [state.squeeze(1) for state in last]
        elif self.batch_first:
            input = transpose_dims(input, 0, 1) if self.kind == "LSTM" else swap_first(input)
        return input, (tuple(last) if self.kind == "LSTM" else last[0])

    def layers(self, input: Any, states: list[Any], run: Callable[..., tuple[Any, Any]]) -> tuple[Any, list[Any]]:
        """Run all layers; return the outputs of the last one and the last states of all."""
        ends: list[Any] = []
        for layer in range(self.num_layers):
            runs = [run(suffix, input, states, len(ends) + i) for i, suffix in enumerate(self.suffixes(layer))]
            ends += [end for _, end in runs]
            input = runs[0][0] if len(runs) == 1 else SPACES["torch"]["cat"]([out for out, _ in runs], -1)
            if self.dropout and layer < self.num_layers - 1:
                input = drop(input, self.dropout, self.training)
        return input, [SPACES["torch"]["stack"](parts, 0) for parts in zip(*ends, strict=True)]

    def forward_packed(self, packed: PackedSequence, hx: Any) -> Any:
        """Run packed sequences; the states come and go in the order that the sequences had before."""
        sizes, step = [int(size) for size in packed.batch_sizes], STEPS[self.kind][2]
        states = self.states(packed.data, sizes[0], hx, False)
        if packed.sorted_indices is not None and hx is not None:
            states = [state.index_select(1, packed.sorted_indices) for state in states]

        def run(suffix: str, input: Any, states: list[Any], number: int) -> tuple[Any, Any]:
            weights = self.weights(suffix)
            gates = linear(input, weights[0], weights[2])
            start = tuple(part[number] for part in states)
            take = functools.partial(step, weights=weights, nonlinearity=self.nonlinearity)
            return run_packed(gates, start, sizes, take, suffix.endswith("reverse"))

        data, last = self.layers(packed.data, states, run)
        if packed.unsorted_indices is not None:
            last = [state.index_select(1, packed.unsorted_indices) for state in last]
        return packed._replace(data=data), (tuple(last) if self.kind == "LSTM" else last[0])

    def run(self, suffix: str, input: Any, states: list[Any], number: int) -> tuple[Any, Any]:
        """Run one layer in one direction; return all outputs and the last state."""
        weights, step = self.weights(suffix), STEPS[self.kind][2]
        state = tuple(part[number] for part in states)
        gates = linear(input, weights[0], weights[2]).unbind(0)
        outs = []
        for gate in gates[::-1] if suffix.endswith("reverse") else gates:
            state = step(gate, state, weights, self.nonlinearity)
            outs.append(state[0])
        in_one_go = self.kind == "LSTM" and input.dtype is float32 and not self.proj_size
        join = steps_of_layer if in_one_go else SPACES["torch"]["stack"]
        return join(outs[::-1] if suffix.endswith("reverse") else outs, 0), state

    def states(self, input: Any, batch: int, hx: Any, single: bool) -> list[Any]:
        """Return the first states, (layers · directions, batch, hidden) each; zeros where none were given."""
        layers = self.num_layers * (1 + self.bidirectional)
        sides = (self.proj_size or self.hidden_size, self.hidden_size)[: STEPS[self.kind][1]]
        shapes = [(layers, batch, side) for side in sides]
        if hx is None:
            return [make(np.zeros(shape, input._data.dtype)) for shape in shapes]
        given = list(hx) if self.kind == "LSTM" else [hx]
        if single:
            given = [state.unsqueeze(1) for state in given]
        for number, (state, shape) in enumerate(zip(given, shapes, strict=True)):
            if state._data.shape != shape:
                name = f"hidden[{number}]" if self.kind == "LSTM" else "hidden"
                raise RuntimeError(f"Expected {name} size {shape}, got {list(state._data.shape)}")
        return given

    def check_ranks(self, dims: int, hx: Any) -> None:
        """Raise what PyTorch raises for states that have not as many dimensions as the input."""
        if hx is None:
            return
        kind = "batched" if dims == 3 else "unbatched"
        if self.kind != "LSTM":
            if hx.dim() != dims:
                raise RuntimeError(f"For {kind} {dims}-D input, hx should also be {dims}-D but got {hx.dim()}-D tensor")
        elif (hx[0].dim(), hx[1].dim()) != (dims, dims):
            raise RuntimeError(
                f"For {kind} {dims}-D input, hx and cx should also be {dims}-D but got "
                f"({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
            )

    def check_input(self, input: Any) -> None:
        if input.dim() not in (2, 3):
            tail = " tensor" if self.kind == "RNN" else ""
            raise ValueError(f"{self.kind}: Expected input to be 2D or 3D, got {input.dim()}D{tail} instead")
        weight = self.weights("_l0")[0]
        if input.dtype != weight.dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). Convert input: "
                f"input.to({weight.dtype}), or convert model: model.to({input.dtype})"
            )
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}"
            )

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
        }
        changed = {name: getattr(self, name) for name, usual in defaults.items() if getattr(self, name) != usual}
        return text + "".join(f", {name}={value}" for name, value in changed.items())


def check_settings(input_size: Any, hidden_size: Any, num_layers: int, dropout: Any, switches: dict[str, Any]) -> None:
    """Raise what PyTorch raises for sizes, switches and a dropout that do not do."""
    if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
            f"greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            UserWarning,
            stacklevel=4,
        )
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise TypeError(f"{name} should be of type bool, got: {type(value).__name__}")
    for name, value in (("input_size", input_size), ("hidden_size", hidden_size)):
        if not isinstance(value, int):
            raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
    if input_size <= 0:
        raise ValueError("input_size must be greater than zero")
    if hidden_size <= 0:
        raise ValueError("hidden_size must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")


def check_projection(kind: str, proj_size: Any, hidden_size: int) -> None:
    """Raise what PyTorch raises for a size of projections that does not do."""
    if proj_size and kind != "LSTM":
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")


class RNN(RNNBase):
    """A simple recurrent network (torch.nn.RNN)."""

    kind = "RNN"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        nonlinearity = args[3] if len(args) > 3 else kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(*args[:3], *args[4:], **kwargs)
        self.nonlinearity = nonlinearity
        self.mode = f"RNN_{nonlinearity.upper()}"


class GRU(RNNBase):
    """A network of gated recurrent units (torch.nn.GRU)."""

    kind = "GRU"


class LSTM(RNNBase):
    """A network with long short-term memory (torch.nn.LSTM)."""

    kind = "LSTM"


class RNNCellBase(Module):
    """What single steps of recurrent networks share (torch.nn.RNNCellBase); kind: their key in STEPS."""

    kind: ClassVar[str]
    nonlinearity = "tanh"

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        add_weights(self, "", input_size, hidden_size, STEPS[self.kind][0], bias, device=device, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new numbers."""
        uniform_weights(self)

    def forward(self, input: Any, hx: Any = None) -> Any:
        name, count = type(self).__name__, STEPS[self.kind][1]
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        single = input.dim() == 1
        batch = input.unsqueeze(0) if single else input
        if count == 2 and isinstance(hx, Tensor):
            raise TypeError("lstm_cell(): argument 'hx' (position 2) must be tuple of Tensors, not Tensor")
        given = None if hx is None else list(hx) if count == 2 else [hx]
        for place, state in enumerate(given or ()):
            if state.dim() not in (1, 2):
                which = f"hx[{place}]" if count == 2 else "hidden"
                raise ValueError(f"{name}: Expected {which} to be 1D or 2D, got {state.dim()}D instead")
        if given is None:
            given = [make(np.zeros((batch.size(0), self.hidden_size), batch._data.dtype)) for _ in range(count)]
        elif single:
            given = [state.unsqueeze(0) for state in given]
        self.check_sizes(batch, given)
        weights = [getattr(self, role) for role in ROLES]
        out = STEPS[self.kind][2](linear(batch, weights[0], weights[2]), tuple(given), weights, self.nonlinearity)
        out = tuple(state.squeeze(0) for state in out) if single else out
        return out if count == 2 else out[0]

    def check_sizes(self, input: Any, states: list[Any]) -> None:
        if input.size(1) != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {input.size(1)} expected {self.input_size}")
        for number, state in enumerate(states):
            if state.size(0) != input.size(0):
                raise RuntimeError(
                    f"Input batch size {input.size(0)} doesn't match hidden{number} batch size {state.size(0)}"
                )
            if state.size(1) != self.hidden_size:
                raise RuntimeError(
                    f"hidden{number} has inconsistent hidden_size: got {state.size(1)}, expected {self.hidden_size}"
                )

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else f", bias={self.bias}")
        return text + (f", nonlinearity={self.nonlinearity}" if self.nonlinearity != "tanh" else "")


class RNNCell(RNNCellBase):
    """One step of a simple recurrent network (torch.nn.RNNCell)."""

    kind = "RNN"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Any:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return super().forward(input, hx)


class GRUCell(RNNCellBase):
    """One step of a network of gated recurrent units (torch.nn.GRUCell)."""

    kind = "GRU"


class LSTMCell(RNNCellBase):
    """One step of a network with long short-term memory (torch.nn.LSTMCell)."""

    kind = "LSTM"


export("torch.nn.modules.rnn", RNNBase, RNN, GRU, LSTM, RNNCellBase, RNNCell, GRUCell, LSTMCell)
