"""einsum: sums of products by an equation, computed pair by pair as batches of matrix products."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from gradrepl.engine.api import functions
from gradrepl.engine.arguments import type_name
from gradrepl.engine.ops.arithmetic import mul
from gradrepl.engine.ops.linear import bmm
from gradrepl.engine.ops.reshaping import reshape
from gradrepl.engine.ops.view import permute_dims, unsqueeze_at
from gradrepl.engine.tensor import Tensor

NOTHING = (
    "einsum(): must specify the equation string and at least one operand, or at least one operand and its subscripts "
    "list"
)
ELLIPSIS = "..."


class Equation(NamedTuple):
    """An equation taken apart: the subscripts of each operand and of the result, ELLIPSIS among them."""

    operands: list[list[str]]
    output: list[str] | None


def einsum(*args: Any) -> Any:
    """Sum products of elements by an equation such as "ij,jk->ik" (torch.einsum)."""
    if len(args) < 2:
        raise ValueError(NOTHING)
    if isinstance(args[0], Tensor):
        equation, operands = from_lists(args)
    else:
        equation, operands = args[0], args[1:]
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        return einsum(equation, *operands[0])
    if not isinstance(equation, str):
        raise TypeError(f"einsum(): argument 'equation' (position 1) must be str, not {type_name(equation)}")
    for index, operand in enumerate(operands):
        if not isinstance(operand, Tensor):
            raise TypeError(f"expected Tensor as element {index} in argument 1, but got {type_name(operand)}")
    return evaluated(parsed(equation, len(operands)), list(operands))


def from_lists(args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Return the equation and the operands of the form einsum(x, [0, 1], y, [1, 2], [0, 2])."""
    equation = ",".join("".join(letter(number) for number in subscripts) for subscripts in args[1::2])
    if len(args) % 2:
        return equation + "->" + "".join(letter(number) for number in args[-1]), args[:-1:2]
    return equation, args[::2]


def letter(number: Any) -> str:
    if number is Ellipsis:
        return ELLIPSIS
    if not 0 <= number < 52:
        raise ValueError("einsum(): subscript in subscript list is not within the valid range [0, 52)")
    return chr(ord("A") + number) if number < 26 else chr(ord("a") + number - 26)


def parsed(equation: str, count: int) -> Equation:
    """Take an equation apart; raises RuntimeError in PyTorch's words for what does not make sense."""
    arrow = equation.find("->")
    left = equation if arrow < 0 else equation[:arrow]
    operands = []
    offset = 0
    for index, text in enumerate(left.split(",")):
        operands.append(subscripts_of(text, offset, f"operand {index}", "for which an ellipsis was already found"))
        offset += len(text) + 1
    if len(operands) > count:
        raise RuntimeError("einsum(): fewer operands were provided than specified in the equation")
    if len(operands) < count:
        raise RuntimeError("einsum(): more operands were provided than specified in the equation")
    if arrow < 0:
        return Equation(operands, None)
    output = subscripts_of(equation[arrow + 2 :], arrow + 2, "output", "but an ellipsis (...) was already found")
    known = {subscript for operand in operands for subscript in operand}
    for subscript in output:
        if subscript != ELLIPSIS and output.count(subscript) > 1:
            raise RuntimeError(f"einsum(): output subscript {subscript} appears more than once in the output")
        if subscript != ELLIPSIS and subscript not in known:
            raise RuntimeError(
                f"einsum(): output subscript {subscript} does not appear in the equation for any input operand"
            )
    return Equation(operands, output)


def subscripts_of(text: str, offset: int, name: str, twice: str) -> list[str]:
    """Return the subscripts of one operand or of the output."""
    found: list[str] = []
    position = 0
    while position < len(text):
        sign = text[position]
        if sign == ".":
            if ELLIPSIS in found:
                raise RuntimeError(f"einsum(): found '.' for {name} {twice}")
            if text[position : position + 3] != ELLIPSIS:
                suffix = " (...)" if name == "output" else ""
                raise RuntimeError(f"einsum(): found '.' for {name} that is not part of any ellipsis{suffix}")
            found.append(ELLIPSIS)
            position += 3
            continue
        if sign != " ":
            if not re.match("[a-zA-Z]", sign):
                raise RuntimeError(
                    f"einsum(): invalid subscript given at index {offset + position} in the equation string, "
                    "subscripts must be in [a-zA-Z]"
                )
            found.append(sign)
        position += 1
    return found


def rest_of(index: int, subscripts: list[str], ndim: int) -> int:
    """Return how many dimensions an operand's ellipsis stands for."""
    named = len(subscripts) - (ELLIPSIS in subscripts)
    if ELLIPSIS in subscripts and named <= ndim:
        return ndim - named
    if ELLIPSIS not in subscripts and named == ndim:
        return 0
    relation = "is more than" if ELLIPSIS in subscripts else "does not match"
    end = "" if ELLIPSIS in subscripts else " and no ellipsis was given"
    raise RuntimeError(
        f"einsum(): the number of subscripts in the equation ({named}) {relation} the number of dimensions ({ndim}) "
        f"for operand {index}{end}"
    )


def evaluated(equation: Equation, operands: list[Any]) -> Any:
    rests = [
        rest_of(index, subscripts, operand.ndim)
        for index, (subscripts, operand) in enumerate(zip(equation.operands, operands, strict=True))
    ]
    widest = max((rest for rest, names in zip(rests, equation.operands, strict=True) if ELLIPSIS in names), default=0)
    dots = [f".{i}" for i in range(widest)]
    spelled = [
        [name for sign in names for name in (dots[widest - rest :] if sign == ELLIPSIS else [sign])]
        for names, rest in zip(equation.operands, rests, strict=True)
    ]
    order, kept = order_of(equation, spelled, dots)
    aligned = [
        lined_up(i, operand, names, order) for i, (operand, names) in enumerate(zip(operands, spelled, strict=True))
    ]
    check_sizes(aligned, order)
    return contracted(aligned, kept)


def order_of(equation: Equation, spelled: list[list[str]], dots: list[str]) -> tuple[list[str], int]:
    """Return all subscripts, first those of the result, and how many these are."""
    counts: dict[str, int] = {}
    for names in spelled:
        for name in names:
            counts[name] = counts.get(name, 0) + 1
    letters = sorted(name for name in counts if not name.startswith("."))
    if equation.output is None:
        first = [*dots, *(name for name in letters if counts[name] == 1)]
    else:
        first = [name for sign in equation.output for name in (dots if sign == ELLIPSIS else [sign])]
    others = [name for name in (*dots, *letters) if name not in first]
    return first + others, len(first)


def lined_up(index: int, operand: Any, names: list[str], order: list[str]) -> Any:
    """Return an operand with a dimension for each subscript, in order; its diagonal where one is repeated."""
    names = list(names)
    for name in dict.fromkeys(names):
        while names.count(name) > 1:
            one = names.index(name)
            two = names.index(name, one + 1)
            sizes = operand.shape[two], operand.shape[one]
            if sizes[0] != sizes[1]:
                raise RuntimeError(
                    f"einsum(): subscript {name} is repeated for operand {index} but the sizes don't match, "
                    f"{sizes[0]} != {sizes[1]}"
                )
            operand = operand.diagonal(0, one, two).movedim(-1, one)
            names.pop(two)
    for name in order:
        if name not in names:
            operand = unsqueeze_at(operand, operand.ndim)
            names.append(name)
    return permute_dims(operand, tuple(names.index(name) for name in order))


def check_sizes(operands: list[Any], order: list[str]) -> None:
    for position, name in enumerate(order):
        seen = 1
        for index, operand in enumerate(operands):
            side = operand.shape[position]
            if side != 1 and seen not in (1, side):
                raise RuntimeError(
                    f"einsum(): subscript {name} has size {side} for operand {index} which does not broadcast with "
                    f"previously seen size {seen}"
                )
            seen = side if side != 1 else seen


def contracted(operands: list[Any], kept: int) -> Any:
    """Multiply the operands from left to right, each time summing over what no later operand needs."""
    total = operands[0].ndim
    result, *others = operands
    users = [sum(operand.shape[i] != 1 for operand in operands) for i in range(total)]
    for other in others:
        both: list[int] = []
        only_result: list[int] = []
        only_other: list[int] = []
        for i in range(kept, total):
            mine, its = result.shape[i] != 1, other.shape[i] != 1
            if mine and its:
                users[i] -= 1
                if users[i] == 1:
                    both.append(i)
                    users[i] = 0
            elif users[i] == 1 and (mine or its):
                (only_result if mine else only_other).append(i)
                users[i] = 0
        result = result.sum(only_result, True) if only_result else result
        other = other.sum(only_other, True) if only_other else other
        result = product(result, other, both) if both else mul(result, other)
    if total == kept:
        return result
    return reshape(result, shape=tuple(result.shape[:kept])) if others else result.sum(list(range(kept, total)))


def product(left: Any, right: Any, summed: Sequence[int]) -> Any:
    """Multiply and sum over some dimensions, which stay with size 1, as one batch of matrix products."""
    batch: list[int] = []
    mine: list[int] = []
    its: list[int] = []
    for i in range(left.ndim):
        if i in summed:
            continue
        one, two = left.shape[i] != 1, right.shape[i] != 1
        (batch if one and two else mine if one else its).append(i)
    sizes = [
        math.prod(x.shape[i] for i in dims) for x, dims in ((left, batch), (left, mine), (left, summed), (right, its))
    ]
    a = reshape(permute_dims(left, (*batch, *mine, *summed, *its)), shape=(sizes[0], sizes[1], sizes[2]))
    b = reshape(permute_dims(right, (*batch, *summed, *its, *mine)), shape=(sizes[0], sizes[2], sizes[3]))
    out = (*batch, *mine, *summed, *its)
    whole = tuple(1 if i in summed else (right if i in its else left).shape[i] for i in out)
    return permute_dims(reshape(bmm(a, b), shape=whole), tuple(out.index(i) for i in range(len(out))))


functions(einsum=einsum)
