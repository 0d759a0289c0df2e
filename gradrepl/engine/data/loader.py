"""Batches out of data sets: DataLoader and default_collate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from gradrepl.engine.api import SPACES, functions
from gradrepl.engine.data.datasets import IterableDataset
from gradrepl.engine.data.samplers import BatchSampler, RandomSampler, SequentialSampler, drawn_seed
from gradrepl.engine.dtype import FLOAT64
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.tensor import Tensor, make

Item = TypeVar("Item")

PREFETCH = (
    "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 to enable multiprocessing, "
    "otherwise set prefetch_factor to None."
)
FOREIGN = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"


def default_collate(batch: Any) -> Any:
    """Put examples together: tensors are stacked, numbers become tensors (torch.utils.data.default_collate)."""
    first = batch[0]
    if isinstance(first, Tensor):
        return SPACES["torch"]["stack"](batch, 0)
    if isinstance(first, (np.ndarray, np.generic)):
        if first.dtype.kind in "SaUO":
            raise TypeError(FOREIGN.format(first.dtype))
        return make(np.stack(batch))
    if isinstance(first, float):
        return make(np.array(batch, FLOAT64))
    if isinstance(first, int):
        return SPACES["torch"]["tensor"](batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([item[key] for item in batch]) for key in first}
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(items) for items in zip(*batch, strict=True)))
    if isinstance(first, Sequence):
        if any(len(item) != len(first) for item in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        return [default_collate(items) for items in zip(*batch, strict=True)]
    raise TypeError(FOREIGN.format(type(first)))


def default_convert(data: Any) -> Any:
    """Turn arrays within data into tensors (torch.utils.data.default_convert)."""
    if isinstance(data, (np.ndarray, np.generic)) and data.dtype.kind not in "SaUO":
        return make(np.asarray(data))
    if isinstance(data, Mapping):
        return {key: default_convert(value) for key, value in data.items()}
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return [default_convert(value) for value in data]
    return data


class DataLoader(Generic[Item]):
    """Goes through a data set in batches (torch.utils.data.DataLoader); everything runs in this process."""

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Any = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError(PREFETCH)
        if persistent_workers and num_workers == 0:
            raise ValueError("persistent_workers option needs num_workers > 0")
        check_order(dataset, batch_size, shuffle, sampler, batch_sampler, drop_last)
        self.dataset = dataset
        self.num_workers = num_workers
        self.pin_memory = pin_memory
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.drop_last = drop_last
        self.generator = generator
        self.iterable = isinstance(dataset, IterableDataset)
        if batch_sampler is not None:
            batch_size = None
        if sampler is None and not self.iterable:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None and not self.iterable:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        if self.iterable and batch_size is not None:
            BatchSampler([], batch_size, drop_last)
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        batched = batch_size is not None or batch_sampler is not None
        self.collate_fn = collate_fn or (default_collate if batched else default_convert)
        self._initialized = True

    _initialized = False

    def __setattr__(self, name: str, value: Any) -> None:
        fixed = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")
        if self._initialized and name in fixed:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __iter__(self) -> Any:
        return _SingleProcessDataLoaderIter(self)

    def __len__(self) -> int:
        if self.iterable:
            count = len(self.dataset)
            if self.batch_size is None:
                return count
            return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)


def check_order(
    dataset: Any, batch_size: int | None, shuffle: bool | None, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    """Raise what PyTorch raises for options that exclude one another."""
    if isinstance(dataset, IterableDataset):
        for name, value in (("shuffle", shuffle), ("sampler", sampler), ("batch_sampler", batch_sampler)):
            if value is not None and value is not False:
                raise ValueError(
                    f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                )
    if sampler is not None and shuffle:
        raise ValueError("sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        raise ValueError("batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last")
    if batch_sampler is None and batch_size is None and drop_last:
        raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")


class _SingleProcessDataLoaderIter:
    """One pass over a DataLoader; a seed is drawn at its start, for the workers that PyTorch could have."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self.loader = loader
        self.base_seed = drawn_seed(loader.generator)
        self.batches = iterable_batches(loader) if loader.iterable else batches(loader)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self.batches)

    def __len__(self) -> int:
        return len(self.loader)


def batches(loader: DataLoader[Any]) -> Iterator[Any]:
    dataset, collate = loader.dataset, loader.collate_fn
    if loader.batch_sampler is None:
        for number in loader.sampler:
            yield collate(dataset[number])
        return
    fetch_all = getattr(dataset, "__getitems__", None)
    for numbers in loader.batch_sampler:
        yield collate(fetch_all(numbers) if fetch_all else [dataset[number] for number in numbers])


def iterable_batches(loader: DataLoader[Any]) -> Iterator[Any]:
    if loader.batch_size is None:
        yield from map(loader.collate_fn, loader.dataset)
        return
    batch: list[Any] = []
    for item in loader.dataset:
        batch.append(item)
        if len(batch) == loader.batch_size:
            yield loader.collate_fn(batch)
            batch = []
    if batch and not loader.drop_last:
        yield loader.collate_fn(batch)


export("torch.utils.data.dataloader", DataLoader, _SingleProcessDataLoaderIter, also=())
export("torch.utils.data.dataloader", DataLoader, also=("torch.utils.data",))
export("torch.utils.data._utils.collate", default_collate, default_convert, also=("torch.utils.data",))
functions("torch.utils.data._utils")
