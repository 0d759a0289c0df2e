"""The table of operations, grouped as a reader would look for them."""

from gradrepl.engine.ops import activation, arithmetic, comparison, reduction, shape

__all__ = ["activation", "arithmetic", "comparison", "reduction", "shape"]
