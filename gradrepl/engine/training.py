"""All that a training loop needs beside operations: torch.nn, torch.optim, torch.utils.data."""

from __future__ import annotations

from gradrepl.engine.data import datasets, loader, samplers
from gradrepl.engine.nn import (
    activations,
    attention,
    containers,
    convolutions,
    dropout,
    images,
    init,
    lazy,
    linear,
    losses,
    module,
    naming,
    normalization,
    packed,
    paddings,
    parameter,
    parametrize,
    recurrent,
    transformer,
    utils,
    weight_hooks,
)
from gradrepl.engine.nn import pooling as pools
from gradrepl.engine.ops import attention as attending
from gradrepl.engine.ops import (
    bags,
    classification,
    convolution,
    criterion,
    gating,
    image_blocks,
    loss,
    neural,
    nonlinearity,
    padding,
    pooling,
    resampling,
    softmax,
    volumes,
)
from gradrepl.engine.optim import algorithms, averaging, cycles, lbfgs, optimizer, schedules, variants, warm_restarts
from gradrepl.engine.values import serialization

PARTS = (
    *(
        padding,
        convolution,
        pooling,
        image_blocks,
        resampling,
        volumes,
        loss,
        neural,
        nonlinearity,
        gating,
        softmax,
        criterion,
        classification,
        attending,
        bags,
    ),
    *(
        parameter,
        module,
        init,
        linear,
        activations,
        attention,
        dropout,
        convolutions,
        pools,
        images,
        paddings,
        lazy,
        normalization,
        containers,
        losses,
        packed,
        recurrent,
        transformer,
        utils,
        parametrize,
        weight_hooks,
        naming,
    ),
    *(optimizer, algorithms, variants, lbfgs, schedules, cycles, warm_restarts, averaging),
    *(datasets, samplers, loader),
    serialization,
)
"""The modules that put their functions and classes into SPACES when they are imported."""
