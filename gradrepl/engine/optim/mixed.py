"""What loops for mixed precision use: torch.autocast and torch.amp.GradScaler."""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gradrepl.engine.api import functions
from gradrepl.engine.device import parsed
from gradrepl.engine.dtype import FLOAT32, float16
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.optim import casting
from gradrepl.engine.tensor import Tensor, make

NO_CUDA = "CUDA is not available or torch_xla is imported. Disabling autocast."
NOT_SUPPORTED = (
    "In CPU autocast, but the target dtype is not supported. Disabling autocast.\nCPU Autocast only supports dtypes of "
    "torch.bfloat16, torch.float16 currently."
)
NO_CUDA_TO_SCALE = "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling."
OLD = "`torch.{0}.amp.{1}(args...)` is deprecated. Please use `torch.amp.{1}('{0}', args...)` instead."
OLD_QUESTION = "torch.is_autocast_cpu_enabled() is deprecated. Please use torch.is_autocast_enabled('cpu') instead."
UNSCALED_LOSS = (
    "Attempted {0} but _scale is None.  This may indicate your script did not use scaler.scale(loss or outputs) "
    "earlier in the iteration."
)
NO_CALLABLE = (
    "autocast()(func) requires a callable, but got {}. Did you mean to use autocast as a context manager? For "
    "example:\n    with torch.autocast(device_type=...):\n        output = model(input)"
)


class autocast:  # noqa: N801, PyTorch's name
    """A block or function in which products are computed in a dtype of 16 bits and losses in float32 (torch.autocast).

    For "cuda", which isn't there, and with enabled=False all is computed as ever.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if parsed(device_type)[0] not in ("cpu", "cuda"):
            raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        self.device, self._cache_enabled = device_type, cache_enabled is not False
        if enabled and device_type == "cuda":
            warnings.warn(NO_CUDA, UserWarning, stacklevel=2)
        elif enabled and self.fast_dtype not in casting.KINDS[1:]:
            warnings.warn(NOT_SUPPORTED, UserWarning, stacklevel=2)
        self._enabled = enabled and device_type == "cpu" and self.fast_dtype in casting.KINDS[1:]
        self._blocks: list[tuple[Any, Any, Any, bool]] = []

    def __enter__(self) -> autocast:
        state = casting.state
        self._blocks.append((state.dtype, state.chosen, state.depth, state.caches))
        if self.device == "cpu":
            state.dtype, state.chosen = (self.fast_dtype if self._enabled else None), self.fast_dtype
            state.caches = self._cache_enabled
        state.depth += 1
        if self._enabled:
            casting.install()
        return self

    def __exit__(self, *error: object) -> None:
        state = casting.state
        state.dtype, state.chosen, state.depth, state.caches = self._blocks.pop()
        if not state.depth:
            state.casts.clear()

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        if not callable(func):
            raise TypeError(NO_CALLABLE.format(type(func).__name__))

        @functools.wraps(func)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return decorated


class GradScaler:
    """Scales a loss up and its gradients down again, and leaves out steps with gradients that are not finite.

    Args: device: "cpu", or "cuda", which is not there and switches it off (torch.amp.GradScaler).
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device, self._enabled = device, enabled and device != "cuda"
        if enabled and device == "cuda":
            warnings.warn(NO_CUDA_TO_SCALE, UserWarning, stacklevel=2)
        if self._enabled and growth_factor <= 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if self._enabled and backoff_factor >= 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._init_scale, self._init_growth_tracker = init_scale, 0
        self._scale: Any = None
        self._growth_tracker: Any = None
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval = growth_interval
        self._stages: dict[int, str] = defaultdict(lambda: "ready")
        self._found: dict[int, bool] = {}

    def scale(self, outputs: Any) -> Any:
        """Return a loss, or several, times the scale; raises ValueError for anything else."""
        if not self._enabled:
            return outputs
        if self._scale is None:
            self._scale = make(np.array(self._init_scale, FLOAT32))
            self._growth_tracker = make(np.array(self._init_growth_tracker, np.int32))
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if not isinstance(outputs, Iterable):
            raise ValueError("outputs must be a Tensor or an iterable of Tensors")
        scaled = map(self.scale, outputs)
        return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else scaled

    def needs_scale(self, name: str) -> None:
        """Raise AssertionError where nothing was scaled yet."""
        if self._scale is None:
            raise AssertionError(UNSCALED_LOSS.format(name))

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimizer's parameters by the scale; raises RuntimeError the second time."""
        if not self._enabled:
            return
        self.needs_scale("unscale_")
        stage = self._stages[id(optimizer)]
        if stage == "unscaled":
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if stage == "stepped":
            raise RuntimeError("unscale_() is being called after step().")
        self.divide(optimizer)
        self._stages[id(optimizer)] = "unscaled"

    def divide(self, optimizer: Any) -> None:
        """Divide the gradients by the scale and note whether all of them are finite."""
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        if any(gradient._data.dtype == np.float16 for gradient in gradients):
            raise ValueError("Attempting to unscale FP16 gradients.")
        inverse = FLOAT32.type(1.0 / self._scale.item())
        if gradients:
            self._found[id(optimizer)] = not all(np.isfinite(gradient._data).all() for gradient in gradients)
        for gradient in gradients:
            gradient._data *= inverse

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Take an optimizer's step, unless a gradient is infinite or nan; returns what the step returns."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self.needs_scale("step")
        if self._stages[id(optimizer)] == "stepped":
            raise RuntimeError("step() has already been called since the last update().")
        if self._stages[id(optimizer)] == "ready":
            self.unscale_(optimizer)
        if id(optimizer) not in self._found:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        self._stages[id(optimizer)] = "stepped"
        return None if self._found[id(optimizer)] else optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Lower the scale after a step that was left out, raise it after many that were not, or set it."""
        if not self._enabled:
            return
        self.needs_scale("update")
        if new_scale is not None:
            self._scale.fill_(new_scale)
        elif not self._found:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif any(self._found.values()):
            self._scale._data *= FLOAT32.type(self._backoff_factor)
            self._growth_tracker._data[...] = 0
        else:
            self.count()
        self._stages.clear()
        self._found.clear()

    def count(self) -> None:
        """Count a step with finite gradients, and raise the scale when there were enough of them."""
        self._growth_tracker._data += 1
        if self._growth_tracker.item() != self._growth_interval:
            return
        larger = self._scale._data * FLOAT32.type(self._growth_factor)
        if np.isfinite(larger):
            self._scale._data[...] = larger
        self._growth_tracker._data[...] = 0

    def get_scale(self) -> float:
        """Return the scale, 1.0 when switched off."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale.item()

    def get_growth_factor(self) -> float:
        """Return the factor by which the scale grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set the factor by which the scale grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """Return the factor by which the scale shrinks."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set the factor by which the scale shrinks."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """Return after how many steps in a row the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set after how many steps in a row the scale grows."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Whether it scales at all."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """Return the scale and all that it depends on; nothing when switched off."""
        if not self._enabled:
            return {}
        counted = self._growth_tracker
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._init_growth_tracker if counted is None else counted.item(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what state_dict() returned; raises RuntimeError for what a disabled one returned."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._init_scale, self._init_growth_tracker = state_dict["scale"], state_dict["_growth_tracker"]
        if self._scale is not None:
            self._scale.fill_(self._init_scale)
            self._growth_tracker.fill_(self._init_growth_tracker)
        self._growth_factor, self._backoff_factor = state_dict["growth_factor"], state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]


def of_device(kind: type[Any], device: str) -> type[Any]:
    """Return the class as torch.cuda.amp and torch.cpu.amp have it: of one device, and deprecated."""

    def start(self: Any, *args: Any, **kwargs: Any) -> None:
        warnings.warn(OLD.format(device, kind.__name__), FutureWarning, stacklevel=2)
        if kind is autocast and args and isinstance(args[0], bool):
            args, kwargs = args[1:], {**kwargs, "enabled": args[0]}
        kind.__init__(self, device, *args, **kwargs)

    return type(kind.__name__, (kind,), {"__init__": start})


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether products are computed in a dtype of 16 bits now (torch.is_autocast_enabled)."""
    return device_type == "cpu" and casting.state.dtype is not None


def is_autocast_cpu_enabled() -> bool:
    """The old name of is_autocast_enabled("cpu")."""
    warnings.warn(OLD_QUESTION, DeprecationWarning, stacklevel=2)
    return is_autocast_enabled("cpu")


def get_autocast_dtype(device_type: str) -> Any:
    """Return the dtype in which products are computed in an enabled block (torch.get_autocast_dtype)."""
    return casting.state.chosen if device_type == "cpu" else float16


def is_autocast_available(device_type: str) -> bool:
    """Whether PyTorch knows autocast for a device (torch.amp.is_autocast_available)."""
    return device_type in ("cpu", "cuda")


export("torch.amp.autocast_mode", autocast, is_autocast_available, also=("torch.amp",))
export("torch.amp.grad_scaler", GradScaler, also=("torch.amp", "torch"))
functions(autocast=autocast, is_autocast_enabled=is_autocast_enabled, get_autocast_dtype=get_autocast_dtype)
functions(is_autocast_cpu_enabled=is_autocast_cpu_enabled)
for _device in ("cuda", "cpu"):
    for _kind, _file in ((autocast, "autocast_mode"), (GradScaler, "grad_scaler")):
        export(f"torch.{_device}.amp.{_file}", of_device(_kind, _device), also=(f"torch.{_device}.amp",))
