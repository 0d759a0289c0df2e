"""Data sets: Dataset, TensorDataset, Subset, ConcatDataset, random_split."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, TypeVar

from gradrepl.engine.api import SPACES
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.values.random import default_generator

Item = TypeVar("Item")


class Dataset(Generic[Item]):
    """Examples by their numbers (torch.utils.data.Dataset)."""

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Any) -> ConcatDataset[Any]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[Item]):
    """Examples that come one after another (torch.utils.data.IterableDataset)."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")

    def __add__(self, other: Any) -> Any:
        return ChainDataset([self, other])


class ChainDataset(IterableDataset[Item]):
    """Data sets whose examples come one data set after the other (torch.utils.data.ChainDataset)."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            check_iterable(dataset)
            yield from dataset

    def __len__(self) -> int:
        total = 0
        for dataset in self.datasets:
            check_iterable(dataset)
            total += len(dataset)
        return total


def check_iterable(dataset: Any) -> None:
    if not isinstance(dataset, IterableDataset):
        raise AssertionError("ChainDataset only supports IterableDataset")


class TensorDataset(Dataset[Item]):
    """Tensors whose first dimension counts the examples (torch.utils.data.TensorDataset)."""

    def __init__(self, *tensors: Any) -> None:
        if any(tensors[0].size(0) != tensor.size(0) for tensor in tensors):
            raise AssertionError("Size mismatch between tensors")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> Any:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].size(0))


class StackDataset(Dataset[Item]):
    """Data sets whose examples come side by side, as tuples or dicts (torch.utils.data.StackDataset)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError(
                "Supported either ``tuple``- (via ``args``) or``dict``- (via ``kwargs``) like input/output, but both "
                "types are given."
            )
        if not args and not kwargs:
            raise ValueError("At least one dataset should be passed")
        self.datasets: Any = args or kwargs
        lengths = {len(dataset) for dataset in args or kwargs.values()}
        if len(lengths) > 1:
            raise ValueError("Size mismatch between datasets")
        self._length = lengths.pop()

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __len__(self) -> int:
        return self._length


class Subset(Dataset[Item]):
    """Some of the examples of another data set (torch.utils.data.Subset)."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[Item]):
    """Data sets put one behind another (torch.utils.data.ConcatDataset)."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(accumulate(len(dataset) for dataset in self.datasets))

    @property
    def cummulative_sizes(self) -> list[int]:
        """The old name of cumulative_sizes."""
        warnings.warn("`cummulative_sizes` attribute is renamed to `cumulative_sizes`", FutureWarning, stacklevel=2)
        return self.cumulative_sizes

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        if index < 0:
            if -index > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            index += len(self)
        which = bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]


def whole_lengths(lengths: Sequence[Any], count: int) -> list[int]:
    """Return lengths that were given as shares of 1 as numbers of examples."""
    total = sum(lengths)
    if not (math.isclose(total, 1) and total <= 1):
        return list(lengths)
    for number, share in enumerate(lengths):
        if share < 0 or share > 1:
            raise ValueError(f"Fraction at index {number} is not between 0 and 1")
    whole = [math.floor(count * share) for share in lengths]
    for number in range(count - sum(whole)):
        whole[number % len(whole)] += 1
    for number, length in enumerate(whole):
        if length == 0:
            warnings.warn(
                f"Length of split at index {number} is 0. This might result in an empty dataset.",
                UserWarning,
                stacklevel=3,
            )
    return whole


def random_split(dataset: Any, lengths: Sequence[Any], generator: Any = default_generator) -> list[Subset[Any]]:
    """Split a data set at random into parts of given lengths (torch.utils.data.random_split)."""
    parts = whole_lengths(lengths, len(dataset))
    if sum(parts) != len(dataset):
        raise ValueError("Sum of input lengths does not equal the length of the input dataset!")
    order = SPACES["torch"]["randperm"](len(dataset), generator=generator or default_generator).tolist()
    ends = list(accumulate(parts))
    return [Subset(dataset, order[end - length : end]) for end, length in zip(ends, parts, strict=True)]


def get_worker_info() -> None:
    """Return None: everything runs in the main process (torch.utils.data.get_worker_info)."""


export("torch.utils.data._utils.worker", get_worker_info, also=("torch.utils.data",))
for _thing in (
    Dataset,
    IterableDataset,
    ChainDataset,
    StackDataset,
    TensorDataset,
    Subset,
    ConcatDataset,
    random_split,
):
    export("torch.utils.data.dataset", _thing, also=("torch.utils.data",))
