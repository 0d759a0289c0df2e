"""In which order examples come: samplers of torch.utils.data, with PyTorch's own numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from gradrepl.engine.api import SPACES
from gradrepl.engine.dtype import INT64
from gradrepl.engine.nn.parameter import export
from gradrepl.engine.tensor import make
from gradrepl.engine.values.random import Generator, default_generator

Item = TypeVar("Item")


def drawn_seed(generator: Any = None) -> int:
    """Draw a seed from a generator, as PyTorch does before each pass over the data."""
    empty: Any = make(np.zeros((), INT64))
    return int(empty.random_(generator=generator or default_generator).item())


class Sampler(Generic[Item]):
    """An order of numbers of examples (torch.utils.data.Sampler)."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError


class SequentialSampler(Sampler[Item]):
    """The order in which the examples are (torch.utils.data.SequentialSampler)."""

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


def check_count(count: Any) -> None:
    if not isinstance(count, int) or isinstance(count, bool) or count <= 0:
        raise ValueError(f"num_samples should be a positive integer value, but got num_samples={count}")


class RandomSampler(Sampler[Item]):
    """A random order (torch.utils.data.RandomSampler)."""

    def __init__(
        self, data_source: Any, replacement: bool = False, num_samples: int | None = None, generator: Any = None
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        check_count(self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many numbers there are in one pass."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        count = len(self.data_source)
        generator = self.generator or Generator().manual_seed(drawn_seed())
        draw = SPACES["torch"]
        if self.replacement:
            for start in range(0, self.num_samples, 32):
                size = (min(32, self.num_samples - start),)
                yield from draw["randint"](count, size, generator=generator).tolist()
            return
        for _ in range(self.num_samples // count):
            yield from draw["randperm"](count, generator=generator).tolist()
        # PyTorch draws an order for the rest even where there is none, which moves a given generator on
        yield from draw["randperm"](count, generator=generator).tolist()[: self.num_samples % count]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[Item]):
    """Given numbers in a random order (torch.utils.data.SubsetRandomSampler)."""

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for place in SPACES["torch"]["randperm"](
            len(self.indices), generator=self.generator or default_generator
        ).tolist():
            yield self.indices[place]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[Item]):
    """Numbers drawn with given weights (torch.utils.data.WeightedRandomSampler)."""

    def __init__(self, weights: Any, num_samples: int, replacement: bool = True, generator: Any = None) -> None:
        check_count(num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights: Any = make(np.asarray(getattr(weights, "_data", weights), np.float64))
        if self.weights.ndim != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        draw = SPACES["torch"]["multinomial"]
        yield from draw(
            self.weights, self.num_samples, self.replacement, generator=self.generator or default_generator
        ).tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[Item]):
    """Numbers of another sampler in batches (torch.utils.data.BatchSampler)."""

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        batch: list[int] = []
        for number in self.sampler:
            batch.append(number)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


for _kind in (
    Sampler,
    SequentialSampler,
    RandomSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
    BatchSampler,
):
    export("torch.utils.data.sampler", _kind, also=("torch.utils.data",))
