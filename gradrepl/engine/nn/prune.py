"""Pruning: masks that set a part of a module's parameters to 0 (torch.nn.utils.prune)."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gradrepl.engine.api import SPACES
from gradrepl.engine.nn.parameter import export

torch = SPACES["torch"]
NOT_PRUNED = "Parameter '{}' of module {} has to be pruned before pruning can be removed"
NO_AMOUNT = "amount={} should either be a float in the range [0, 1] or a non-negative integer"


class BasePruningMethod:
    """Masks a parameter before each forward; a subclass says which elements stay (compute_mask)."""

    PRUNING_TYPE: str
    _tensor_name: Any = None

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return the mask for a tensor of importances, out of the mask that there is."""
        raise NotImplementedError

    def apply_mask(self, module: Any) -> Any:
        """Return a module's parameter times its mask."""
        whole = getattr(module, f"{self._tensor_name}_orig")
        return getattr(module, f"{self._tensor_name}_mask").to(dtype=whole.dtype) * whole

    @classmethod
    def apply(cls, module: Any, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any) -> Any:
        """Prune a module's parameter, further where it is pruned already; returns the method."""
        fresh = cls(*args, **kwargs)
        fresh._tensor_name = name
        method = joined(taken_out(module, name), fresh)
        return attach(method, module, name, importance_scores)

    def prune(self, t: Any, default_mask: Any = None, importance_scores: Any = None) -> Any:
        """Return a tensor with a part of it set to 0."""
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as tensor t, got {scores.shape} vs {t.shape}"
            )
        return t * self.compute_mask(scores, torch["ones_like"](t) if default_mask is None else default_mask)

    def remove(self, module: Any) -> None:
        """Make the masked values the module's parameter."""
        weight, name = self.apply_mask(module), self._tensor_name
        if hasattr(module, name):
            delattr(module, name)
        parameter = module._parameters.pop(f"{name}_orig")
        parameter.data = weight.data
        del module._buffers[f"{name}_mask"]
        setattr(module, name, parameter)


def taken_out(module: Any, name: str) -> Any:
    """Take the hook that prunes a parameter out of a module and return it, or None."""
    keys = [key for key, hook in module._forward_pre_hooks.items() if prunes(hook, name)]
    if len(keys) > 1:
        raise AssertionError(
            f"Avoid adding multiple pruning hooks to the same tensor {name} of module {module}. Use a PruningContainer."
        )
    return module._forward_pre_hooks.pop(keys[0]) if keys else None


def prunes(hook: Any, name: str) -> bool:
    return isinstance(hook, BasePruningMethod) and hook._tensor_name == name


def joined(old: Any, fresh: BasePruningMethod) -> BasePruningMethod:
    """Return a method alone, or behind those that were there."""
    if old is None:
        return fresh
    container = old if isinstance(old, PruningContainer) else PruningContainer(old)
    container.add_pruning_method(fresh)
    return container


def attach(method: BasePruningMethod, module: Any, name: str, scores: Any) -> BasePruningMethod:
    """Put the mask beside the parameter, under another name, and have it applied before each forward."""
    whole, again = getattr(module, name), isinstance(method, PruningContainer)
    if scores is not None and scores.shape != whole.shape:
        raise AssertionError(
            f"importance_scores should have the same shape as parameter {name} of {module}, got {scores.shape} vs "
            f"{whole.shape}"
        )
    if again:
        mask = getattr(module, f"{name}_mask").detach().clone()
    else:
        module.register_parameter(f"{name}_orig", whole)
        del module._parameters[name]
        mask = torch["ones_like"](whole)
    try:
        module.register_buffer(f"{name}_mask", method.compute_mask(whole if scores is None else scores, mask))
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
    except Exception:
        if not again:
            module.register_parameter(name, module._parameters.pop(f"{name}_orig"))
        raise
    return method


class PruningContainer(BasePruningMethod):
    """Several methods, one after the other; the last one prunes what the others left."""

    def __init__(self, *args: Any) -> None:
        self._pruning_methods: tuple[Any, ...] = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Put a method behind the others."""
        if not isinstance(method, BasePruningMethod) and method is not None:
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                f"Can only add pruning methods acting on the parameter named '{self._tensor_name}' to "
                f"PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        method = self._pruning_methods[-1]
        if method.PRUNING_TYPE not in LEFT:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        place = LEFT[method.PRUNING_TYPE](method, default_mask)
        mask = default_mask.to(dtype=t.dtype, copy=True)
        mask[place] = method.compute_mask(t[place], default_mask=default_mask[place]).to(dtype=mask.dtype)
        return mask


def channels_left(method: Any, mask: Any) -> tuple[Any, ...]:
    """Return the index of the channels of which something is left."""
    dim, count = method.dim % mask.dim(), mask.dim()
    left = mask.sum(dim=[other for other in range(count) if other != dim]) != 0
    return (*[slice(None)] * dim, left, *[slice(None)] * (count - dim - 1))


LEFT: dict[str, Callable[[Any, Any], Any]] = {
    "unstructured": lambda method, mask: mask == 1,
    "structured": channels_left,
    "global": lambda method, mask: (slice(None),) * mask.dim(),
}
"""What is left for a method of a kind to prune, as an index."""


class Identity(BasePruningMethod):
    """Prunes nothing."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        return default_mask


class Amount(BasePruningMethod):
    """Methods that prune an amount: a share between 0 and 1, or a number of elements or channels."""

    def __init__(self, amount: Any) -> None:
        if not isinstance(amount, numbers.Real):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        whole = isinstance(amount, numbers.Integral)
        if amount < 0 or (not whole and float(amount) > 1.0):
            raise ValueError(NO_AMOUNT.format(amount))
        self.amount: Any = amount

    def count_of(self, size: int) -> int:
        """Return how many of `size` are pruned; raises ValueError where there are fewer."""
        count: Any = self.amount if isinstance(self.amount, numbers.Integral) else round(self.amount * size)
        if count > size:
            raise ValueError(f"amount={count} should be smaller than the number of parameters to prune={size}")
        return int(count)


class Unstructured(Amount):
    """Methods that prune single elements."""

    PRUNING_TYPE = "unstructured"
    largest = True

    def scores(self, t: Any) -> Any:
        """Return by what the elements are chosen."""
        raise NotImplementedError

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        count, mask = self.count_of(t.nelement()), default_mask.clone()
        if count:
            chosen = torch["topk"](self.scores(t).view(-1), k=count, largest=self.largest)
            mask.view(-1)[chosen.indices] = 0
        return mask


class RandomUnstructured(Unstructured):
    """Prunes elements by chance."""

    def scores(self, t: Any) -> Any:
        return torch["rand_like"](t)


class L1Unstructured(Unstructured):
    """Prunes the elements closest to 0."""

    largest = False

    def scores(self, t: Any) -> Any:
        return t.abs()


class Structured(Amount):
    """Methods that prune whole channels along a dimension."""

    PRUNING_TYPE = "structured"
    dim: int

    def kept(self, t: Any, size: int, count: int) -> Any:
        """Return the index of the channels that stay."""
        raise NotImplementedError

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        if len(t.shape) <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                f"{t.shape} with {len(t.shape)} dims"
            )
        if self.dim >= t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        size = t.shape[self.dim]
        count = self.count_of(size)
        if not count:
            return default_mask
        mask, place = torch["zeros_like"](t), [slice(None)] * t.dim()
        place[self.dim] = self.kept(t, size, count)
        mask[tuple(place)] = 1
        mask *= default_mask.to(dtype=mask.dtype)
        return mask


class RandomStructured(Structured):
    """Prunes channels by chance."""

    def __init__(self, amount: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def kept(self, t: Any, size: int, count: int) -> Any:
        chances = torch["rand"](size)
        return chances > torch["kthvalue"](chances, k=count).values


class LnStructured(Structured):
    """Prunes the channels with the smallest norms."""

    def __init__(self, amount: Any, n: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.n, self.dim = n, dim

    def kept(self, t: Any, size: int, count: int) -> Any:
        others = [other for other in range(t.dim()) if other != self.dim % t.dim()]
        return torch["topk"](torch["norm"](t, p=self.n, dim=others), k=size - count).indices


class CustomFromMask(BasePruningMethod):
    """Prunes what a mask says."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Any) -> None:
        self.mask = mask

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)


def identity(module: Any, name: str) -> Any:
    """Give a parameter a mask that leaves all of it (torch.nn.utils.prune.identity)."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Any, name: str, amount: Any) -> Any:
    """Set elements to 0 by chance (torch.nn.utils.prune.random_unstructured)."""
    RandomUnstructured.apply(module, name, amount=amount)
    return module


def l1_unstructured(module: Any, name: str, amount: Any, importance_scores: Any = None) -> Any:
    """Set the smallest elements to 0 (torch.nn.utils.prune.l1_unstructured)."""
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Any, name: str, amount: Any, dim: int) -> Any:
    """Set channels to 0 by chance (torch.nn.utils.prune.random_structured)."""
    RandomStructured.apply(module, name, amount=amount, dim=dim)
    return module


def ln_structured(module: Any, name: str, amount: Any, n: Any, dim: int, importance_scores: Any = None) -> Any:
    """Set the channels with the smallest norms to 0 (torch.nn.utils.prune.ln_structured)."""
    LnStructured.apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Any, name: str, mask: Any) -> Any:
    """Set to 0 what a mask says (torch.nn.utils.prune.custom_from_mask)."""
    CustomFromMask.apply(module, name, mask=mask)
    return module


def global_unstructured(parameters: Any, pruning_method: Any, importance_scores: Any = None, **kwargs: Any) -> None:
    """Prune several parameters as if they were one (torch.nn.utils.prune.global_unstructured)."""
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    given = {} if importance_scores is None else importance_scores
    if not isinstance(given, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    method, container, pairs = pruning_method(**kwargs), PruningContainer(), list(parameters)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method {pruning_method} of '
            f"type {method.PRUNING_TYPE}"
        )
    container.add_pruning_method(method)
    weights = [getattr(module, name) for module, name in pairs]
    scores = [given.get(pair, weight) for pair, weight in zip(pairs, weights, strict=True)]
    masks = [getattr(m, f"{name}_mask", torch["ones_like"](w)) for (m, name), w in zip(pairs, weights, strict=True)]
    in_a_row = SPACES["torch.nn.utils"]["parameters_to_vector"]
    whole = container.compute_mask(in_a_row(scores), in_a_row(masks))
    parts = whole.split([weight.numel() for weight in weights])
    for (module, name), weight, part in zip(pairs, weights, parts, strict=True):
        custom_from_mask(module, name, mask=part.view_as(weight))


def remove(module: Any, name: str) -> Any:
    """Make what is left a parameter again; raises ValueError where nothing is pruned (torch.nn.utils.prune.remove)."""
    for key, hook in module._forward_pre_hooks.items():
        if prunes(hook, name):
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(NOT_PRUNED.format(name, module))


def is_pruned(module: Any) -> bool:
    """Whether a module or one within it is pruned (torch.nn.utils.prune.is_pruned)."""
    hooks = (hook for _, part in module.named_modules() for hook in part._forward_pre_hooks.values())
    return any(isinstance(hook, BasePruningMethod) for hook in hooks)


_kinds = (BasePruningMethod, PruningContainer, Identity, RandomUnstructured, L1Unstructured)
_more = (RandomStructured, LnStructured, CustomFromMask)
_functions = (identity, random_unstructured, l1_unstructured, random_structured, ln_structured, custom_from_mask)
_rest = (global_unstructured, remove, is_pruned)
export("torch.nn.utils.prune", *_kinds, *_more, *_functions, *_rest, also=())
