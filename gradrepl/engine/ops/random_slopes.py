"""rrelu: a relu whose slopes below 0 are drawn while training."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.dtype import Array
from gradrepl.engine.in_place import in_place
from gradrepl.engine.op import op
from gradrepl.engine.ops.nonlinearity import need_float
from gradrepl.engine.ops.refusing import here
from gradrepl.engine.ops.shape import zeros_of
from gradrepl.engine.values.random import default_generator
from gradrepl.engine.wanted import check_switch, wants

SLOPES = np.array([[0.2, 1.0, 0.3], [1.0, 0.25, 1.0]])


@op("RreluWithNoiseBackward0", samples=(((2, 3), SLOPES),))
def sloped(a: Array, slopes: Any) -> Any:
    """a times the slope of each element"""
    return a * slopes


@op("RreluWithNoiseBackwardBackward0", samples=(((2, 3), (2, 3), SLOPES),))
def sloped_gradient(g: Array, a: Array, slopes: Any) -> Any:
    """g times the slope of each element of a"""
    return g * slopes


sloped.grad(a=lambda g, a, slopes: sloped_gradient(g, a, slopes))
sloped_written = here(sloped, "RreluWithNoiseBackward1")
sloped_written.grad(a=lambda g, out, slopes: sloped_gradient(g, out, slopes))
sloped_gradient.grad(g=lambda gg, a, slopes: sloped_gradient(gg, a, slopes), a=lambda gg: zeros_of(gg))


def slopes_of(a: Array, lower: float, upper: float, training: bool) -> Any:
    """Return 1 where a is above 0, else a slope: drawn between lower and upper, or their mean."""
    below = ~(a > 0) if not training else a <= 0
    slopes = np.ones(a.shape, a.dtype)
    if training:
        slopes[below] = default_generator.uniform64(int(below.sum())) * (upper - lower) + lower
    else:
        slopes[below] = (lower + upper) / 2
    return slopes


@wants("rrelu", "input", "lower=Number", "upper=Number", "training=bool")
def rrelu(
    input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Any:
    """Draw the slopes below 0 while training, else take the mean slope (torch.nn.functional.rrelu)."""
    check_switch(training)
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    need_float(input._data, "rrelu_with_noise_out_cpu" if training else "leaky_relu_cpu")
    slopes = slopes_of(input._data, lower, upper, training)
    return in_place(sloped_written)(input, slopes) if inplace else sloped.call(input, slopes)


functions("torch.nn.functional", rrelu=rrelu)
functions(rrelu=rrelu)
