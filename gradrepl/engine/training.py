"""All that a training loop needs beside operations: torch.nn, torch.optim, torch.utils.data."""

from __future__ import annotations

from gradrepl.engine.nn import activations, containers, dropout, init, linear, losses, module, parameter, utils
from gradrepl.engine.ops import classification, criterion, loss, neural, nonlinearity, softmax
from gradrepl.engine.optim import algorithms, cycles, optimizer, schedules

PARTS = (
    *(loss, neural, nonlinearity, softmax, criterion, classification),
    *(parameter, module, init, linear, activations, dropout, containers, losses, utils),
    *(optimizer, algorithms, schedules, cycles),
)
"""The modules that put their functions and classes into SPACES when they are imported."""
