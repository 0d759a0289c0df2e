"""Where equal elements end up when C++'s standard library sorts or selects, as PyTorch has it do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradrepl.engine.dtype import INT64, Array

Items = list[tuple[int, int]]
"""Rank and place of each element; only ranks are compared."""

SHORT = 16
"""So many elements are sorted by insertion, which keeps the order of equal ones."""
LONG = 20_000
"""From so many elements on, speed counts more than the order of equal ones."""

Place = Callable[[Array], Any]
"""From a row to places in it."""


def redo_ties(places: Place, found: Array, a: Array, order: Array, dim: int) -> Array:
    """Return the places found in rows along a dimension, found anew in rows some of whose elements are equal.

    order: all places, as a stable sort gives them. Rows of LONG elements stay as they are.
    """
    if not a.ndim or a.shape[dim] >= LONG:
        return found
    values = np.moveaxis(np.take_along_axis(a, order, dim), dim, -1)
    same = (values[..., 1:] == values[..., :-1]) | (values[..., :-1] != values[..., :-1])
    rows, results = np.moveaxis(a, dim, -1), np.moveaxis(found, dim, -1)
    for index in map(tuple, np.argwhere(same.any(axis=-1))):
        results[index] = places(rows[index])
    return found


def ranked(row: Array, descending: bool) -> Items:
    """Return numbers that are ordered as the elements are to be, nan as the greatest of them, and their places."""
    _, rising = np.unique(row, return_inverse=True)
    return list(zip((-rising if descending else rising).tolist(), range(len(row)), strict=True))


def places_of(items: Items) -> Any:
    return np.array([place for _, place in items], INT64)


def sorted_places(row: Array, descending: bool) -> Any:
    """Return the places of the elements of a row in the order in which std::sort leaves them."""
    items = ranked(row, descending)
    sort(items, len(items))
    return places_of(items)


def top_places(row: Array, k: int, largest: bool, in_order: bool) -> Any:
    """Return the places of the k first elements of a row as torch.topk finds them; sorted, if they are to be."""
    items = ranked(row, largest)
    if k * 64 <= len(items):
        heap_select(items, 0, k, len(items))
        sort_heap(items, 0, k)
    elif k:
        nth_element(items, k - 1)
        sort(items, (k - 1) * in_order)
    return places_of(items[:k])


def quickly_selected(row: Array, nth: int) -> int:
    """Return the place of the element that torch.kthvalue finds at a position of the sorted row."""
    items = ranked(row, False)
    low, high = 0, len(items) - 1
    while high > low + 1:
        greater, cut = quick_partition(items, low, high)
        low, high = (greater if cut <= nth else low), (cut - 1 if cut >= nth else high)
    if high == low + 1:
        swap_if_greater(items, low, high)
    return items[nth][1]


def quick_partition(items: Items, low: int, high: int) -> tuple[int, int]:
    """Part the elements by the median of three; return where the greater ones start and where the median lies."""
    middle, second = (low + high) // 2, low + 1
    items[middle], items[second] = items[second], items[middle]
    swap_if_greater(items, second, high)
    swap_if_greater(items, low, high)
    swap_if_greater(items, second, low)
    pivot, i, j = items[low][0], second, high
    while True:
        i += 1
        while pivot > items[i][0]:
            i += 1
        j -= 1
        while items[j][0] > pivot:
            j -= 1
        if j < i:
            items[low], items[j] = items[j], items[low]
            return i, j
        items[i], items[j] = items[j], items[i]


def swap_if_greater(items: Items, first: int, second: int) -> None:
    if items[first][0] > items[second][0]:
        items[first], items[second] = items[second], items[first]


def sort(items: Items, end: int) -> None:
    """Sort the first elements (std::sort): into parts of up to 16, which insertion then puts in order."""
    parts = [(0, end, 2 * (end.bit_length() - 1))]
    while parts:
        start, stop, depth = parts.pop()
        while stop - start > SHORT:
            if not depth:
                heap_select(items, start, stop, stop)
                sort_heap(items, start, stop)
                break
            depth -= 1
            cut = partition(items, start, stop)
            parts.append((cut, stop, depth))
            stop = cut
    items[:end] = sorted(items[:end], key=rank)


def nth_element(items: Items, nth: int) -> None:
    """Put at a position what belongs there, and nothing greater before it (std::nth_element)."""
    start, stop = 0, len(items)
    depth = 2 * (stop.bit_length() - 1)
    while stop - start > 3:
        if not depth:
            heap_select(items, start, nth + 1, stop)
            items[start], items[nth] = items[nth], items[start]
            return
        depth -= 1
        cut = partition(items, start, stop)
        start, stop = (cut, stop) if cut <= nth else (start, cut)
    items[start:stop] = sorted(items[start:stop], key=rank)


def rank(item: tuple[int, int]) -> int:
    return item[0]


def partition(items: Items, start: int, stop: int) -> int:
    """Bring the smaller elements before the others, by the median of three; return where the others start."""
    median_first(items, start, start + 1, start + (stop - start) // 2, stop - 1)
    pivot, low, high = items[start][0], start + 1, stop
    while True:
        while items[low][0] < pivot:
            low += 1
        high -= 1
        while pivot < items[high][0]:
            high -= 1
        if low >= high:
            return low
        items[low], items[high] = items[high], items[low]
        low += 1


def median_first(items: Items, first: int, one: int, other: int, last: int) -> None:
    """Swap the median of three elements to the first place."""
    low, high = (one, other) if items[one][0] < items[other][0] else (other, one)
    end = items[last][0]
    found = high if items[high][0] < end else last if items[low][0] < end else low
    items[first], items[found] = items[found], items[first]


def heap_select(items: Items, start: int, middle: int, stop: int) -> None:
    """Leave the smallest elements before the middle, as a heap (std::__heap_select)."""
    size = middle - start
    for parent in range((size - 2) // 2, -1, -1):
        sift(items, start, parent, size, items[start + parent])
    for place in range(middle, stop):
        if items[place][0] < items[start][0]:
            item, items[place] = items[place], items[start]
            sift(items, start, 0, size, item)


def sort_heap(items: Items, start: int, stop: int) -> None:
    """Sort a heap (std::sort_heap)."""
    for last in range(stop - 1, start, -1):
        item, items[last] = items[last], items[start]
        sift(items, start, 0, last - start, item)


def sift(items: Items, start: int, hole: int, size: int, item: tuple[int, int]) -> None:
    """Put an element into a heap with a hole (std::__adjust_heap): down to a leaf, then up to its place."""
    top, child = hole, hole
    while child < (size - 1) // 2:
        child = 2 * child + 2
        if items[start + child][0] < items[start + child - 1][0]:
            child -= 1
        items[start + hole] = items[start + child]
        hole = child
    if size % 2 == 0 and child == (size - 2) // 2:
        child = 2 * child + 1
        items[start + hole] = items[start + child]
        hole = child
    while hole > top and items[start + (hole - 1) // 2][0] < item[0]:
        items[start + hole] = items[start + (hole - 1) // 2]
        hole = (hole - 1) // 2
    items[start + hole] = item
