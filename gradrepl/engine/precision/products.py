"""Products of float32 matrices, added up in the order of PyTorch's library: in another, last digits would be others."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from gradrepl.engine.dtype import INT64, Array

reduce: Any = np.add.reduce
accumulate: Any = np.add.accumulate
matmul = np.matmul
einsum: Any = np.einsum
"""Multiplies and adds in two roundings, one product after the other where the last side of the result is no sum's."""

MANY = 1 << 13
"""From so many products on, speed counts more than the last digit."""
FEW = 400
"""Stacks of matrices with fewer products each are added up one after the other."""
TALL, WIDE = 4, 12
"""From so many rows and columns on, products are multiplied and added in one step, as in numpy's library."""
DEEP, BROAD = 32, 1280
"""From so many terms on, numpy's library does so only for left matrices by columns, or for so many results."""

Lanes = tuple[int, int, int]
"""How many terms are added in the first lane, how many lanes there are, and how many terms are then added in them."""


def multiplied(a: Array, b: Array, item: int = 0) -> Any:
    """Return a @ b for float32 arrays of one or two dimensions, or for stacks of matrices; or for an item of stacks."""
    if b.ndim == 2:
        (rows, depth), columns = a.shape, b.shape[1]
        if rows >= TALL and columns >= WIDE:
            if columns >= 2 * rows and a.size > MANY and b.strides[0] == b.itemsize and a.strides[1] == a.itemsize:
                return np.ascontiguousarray(matmul(b.T, a.T).T)  # a wide layer: numpy's library is faster this way
            return matmul(a if depth < DEEP else by_columns(a, b), b)
        if depth < 2 or not 0 < rows * columns * depth < MANY:
            return matmul(a, b)
        if depth < 4:
            return einsum("ij,jk", a, b, order="C")
        if columns == 1:
            by_rows = a.strides[0] > a.itemsize and (rows > 1 or b.strides[1] > b.itemsize)
            return along_rows(a, b[:, 0])[:, None] if by_rows else one_by_one(a, b)
        if b.strides[0] > b.itemsize or a.strides[1] > a.itemsize:
            return one_by_one(a, b, item)
        return along_rows(b.T, a[0])[None] if rows == 1 else turned_over(a, b, item)
    if a.ndim > 2:
        return of_stacks(a, b)
    if not 1 < a.size < MANY:
        return matmul(a, b)
    if a.ndim == 1:
        return of_vectors(a, b)
    return along_rows(a, b) if a.strides[0] > a.itemsize else one_by_one(a, b[:, None])[:, 0]


def of_stacks(a: Array, b: Array) -> Any:
    size = a.shape[1] * a.shape[2] * b.shape[2]
    if not 0 < size * len(a) < MANY:
        return matmul(a, b)
    if size < FEW:
        if b.shape[2] == 1:
            return accumulate(a * b[:, None, :, 0], 2)[..., -1:] + 0
        return einsum("bij,bjk->bik", a, np.ascontiguousarray(b), order="C")
    return np.stack([multiplied(left, right, item) for item, (left, right) in enumerate(zip(a, b, strict=True))])


def by_columns(a: Array, b: Array) -> Array:
    """Return a matrix, laid out by columns if numpy's library would add up in another order otherwise."""
    columns = b.shape[1]
    known = columns % 16 in (0, 12, 13, 14, 15) if b.strides[1] == b.itemsize else len(a) * columns >= BROAD
    return a if known or a.size > MANY else np.asfortranarray(a)


def one_by_one(a: Array, b: Array, item: int = 0) -> Any:
    """Return a @ b, one product added after the other; those before an edge of 16 bytes partly by fours."""
    (rows, depth), columns = a.shape, b.shape[1]
    if columns == 1:
        return accumulate(a * b[:, 0], 1)[:, -1:] + 0
    out = einsum("ij,jk", a, b, order="C")
    if depth > 7 and columns > 4 and columns & 3 and (rows > 1 or item) and b.strides[0] > b.itemsize:
        row, column = before_edges(rows, columns, item * rows * columns % 4)
        out[row, column] = by_fours((a[row] * b.T[column]).T)
    return out


@functools.lru_cache(maxsize=64)
def before_edges(rows: int, columns: int, start: int) -> tuple[Array, Array]:
    """Return where the results lie that come before the first 16 bytes in their row which the processor has at once."""
    before = -(start + np.arange(rows) * columns) % 4
    places = (np.arange(columns) < before[:, None]) & (columns - before[:, None] > 3)
    row, column = np.nonzero(places)
    return row, column


def by_fours(terms: Array) -> Any:
    """Return the sums of terms over axis 0: one after the other, but every second whole four as one."""
    depth = len(terms)
    for place in range(5, 8):
        terms[4 : depth - 3 : 8] += terms[place : depth - 7 + place : 8]
    return accumulate(terms[fours(depth)])[-1]


@functools.lru_cache(maxsize=64)
def fours(depth: int) -> Array:
    """Return the places of terms but those in a second whole four, of which only the first is there."""
    return np.array([place for place in range(depth) if place % 8 < 5 or depth - place // 4 * 4 < 4])


def along_rows(a: Array, b: Array) -> Any:
    """Return the product of a matrix, laid out by rows, and a vector."""
    if a.shape[1] < 5:
        return accumulate(a * b, 1)[:, -1] + 0
    return in_table(a, b, row_table(*a.shape))


def turned_over(a: Array, b: Array, item: int) -> Any:
    """Return a @ b for a matrix `b` that is laid out by columns."""
    (rows, depth), columns = a.shape, b.shape[1]
    if not depth & 3 and (depth == 8 or not columns & 3):
        return np.ascontiguousarray(in_four_lanes(b.T, a).T) if rows > columns else in_four_lanes(a, b.T)
    return in_table(a[:, None], b.T, matrix_table(rows, columns, depth, item * rows * depth % 4)).reshape(rows, columns)


def in_four_lanes(a: Array, b: Array) -> Any:
    """Return a @ b.T, every fourth product added in one lane."""
    left, right = (np.ascontiguousarray(matrix.T).reshape(-1, 4, len(matrix)) for matrix in (a, b))
    lanes = einsum("sli,slj->lij", left, right, order="C")
    halves = lanes[:2] + lanes[2:]
    return halves[0] + halves[1]


def of_vectors(a: Array, b: Array) -> Any:
    """Return the product of two vectors: four times four lanes, of which whole ones of the rest are filled again."""
    depth, terms = len(a), a * b
    if depth < 4:
        return accumulate(terms)[-1]
    places, size = vector_table(depth)
    table = np.zeros(size, terms.dtype)
    table[places] = terms
    lanes = accumulate(reduce(table.reshape(-1, 4, 4), 0))[-1]
    return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]) + 0


@functools.lru_cache(maxsize=256)
def vector_table(depth: int) -> tuple[Array, int]:
    """Return where the products of two vectors go in a table of rows of 16, and the size of the table."""
    places, rest = np.arange(depth), depth % 16
    whole = depth - rest
    if rest > 11:
        places[whole + 8 : whole + 12] += 8
    if rest & 3:
        start, row = depth - (rest & 3), -(-depth // 16)
        places[start:] = 16 * (row + (rest > 11) + np.arange(rest & 3))
    return places, int(places.max()) // 16 * 16 + 16


class Table:
    """Which products are added up for each result: in lanes, which are added up by halves, then in rows after them."""

    def __init__(self, ways: list[tuple[Any, Lanes]], shape: tuple[int, ...], depth: int) -> None:
        self.lanes = max(lanes for _, (_, lanes, _) in ways)
        firsts = [first + -(-terms // lanes) for _, (first, lanes, terms) in ways]
        self.steps = max(firsts)
        self.rows = self.steps * self.lanes + max(depth - first - terms for _, (first, _, terms) in ways)
        places = np.empty((*shape, depth), INT64)
        for where, way in ways:
            places[where] = self.slots(way, depth)
        self.count = places.size // depth
        self.terms = np.full((self.rows, self.count), places.size)
        self.terms[places.reshape(self.count, depth), np.arange(self.count)[:, None]] = np.arange(places.size).reshape(
            self.count, depth
        )

    def slots(self, way: Lanes, depth: int) -> Array:
        first, lanes, terms = way
        places = np.arange(depth)
        places[:first] *= self.lanes
        inner = np.arange(terms)
        places[first : first + terms] = (first + inner // lanes) * self.lanes + inner % lanes
        places[first + terms :] += self.steps * self.lanes - first - terms
        return places


def in_table(a: Array, b: Array, table: Table) -> Any:
    """Return the sums of the products a * b over the last axis, one after the other."""
    products = a * b
    padded = np.zeros(products.size + 1, a.dtype)
    padded[:-1] = products.reshape(-1)
    slots = padded.take(table.terms)
    lanes, steps = table.lanes, table.steps
    sums = reduce(slots[: steps * lanes].reshape(steps, -1), 0)
    while lanes > 1:
        lanes //= 2
        half = lanes * table.count
        sums = sums[:half] + sums[half:]
    for row in slots[steps * table.lanes :]:
        sums += row
    return sums


@functools.lru_cache(maxsize=256)
def row_table(rows: int, depth: int) -> Table:
    """Return the table for a matrix and a vector: four rows at a time, and the rest one by one."""
    whole = rows // 4 * 4
    first = (depth - 1) % 4 + 1
    ways: list[tuple[Any, Lanes]] = [(slice(whole), (first, 4, depth - first))] if whole else []
    inner = max(0, (depth - 4) // 8 * 8)
    for row in range(whole, rows):
        ways.append((row, (4, 8 - (row & 1) * 4, inner) if inner else (1, 1, 0)))
    return Table(ways, (rows,), depth)


@functools.lru_cache(maxsize=256)
def matrix_table(rows: int, columns: int, depth: int, start: int) -> Table:
    """Return the table for a matrix and one turned over: what lies before an edge of 16 bytes in a row comes first."""
    whole = columns // 4 * 4
    ways: list[tuple[Any, Lanes]] = []
    for row in range(min(rows, 4)):
        first = -(start + row * depth) % 4
        for part, lanes in ((slice(whole), 4), (slice(whole, None), 8)):
            inner = max(0, (depth - first) // lanes * lanes)
            ways.append(((slice(row, None, 4), part), (first, lanes, inner) if inner else (1, 1, 0)))
    return Table(ways, (rows, columns), depth)
