"""Every entry of the table of operations against PyTorch in the same process: results, graphs, gradients, errors.

`calls/TOPIC.txt` holds the calls; support/calls.py makes the variants of each (dtypes, values, shapes, what requires
grad) and its misuses (arguments missing, too many, of the wrong type). What is known to differ is in
`known_calls.txt`, by kind of difference (tests/tools/write_known_calls.py); everything else is equal to the character.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from support.calls import calls, cases, difference, known, misuses, told, watched
from support.running import has_torch

from gradrepl.app import engines
from gradrepl.engine import torch as namespace
from gradrepl.engine.op import TABLE

pytestmark = pytest.mark.skipif(not has_torch(), reason="PyTorch is not installed: there is nothing to compare with")

namespace.load_rest()
CODES = {entry.forward.__code__: name for name, entry in TABLE.items()}
CALLS = calls()
TEXTS = [*dict.fromkeys(call.text for call in CALLS)]
"""The expressions; several calls may share one, with tensors of other shapes."""

UNSEEN = {
    *("binomial_each", "dirichlet_each", "gamma_each", "poisson_each"),
    *("attend", "ctc", "ctc_gradient", "primal_of", "scatter_result", "swap_first"),
    *("swapped_polygamma", "weight_normed"),
}
"""Entries whose forward no call runs: draws, and what is reached in rare shapes or by programs (snippets) alone."""


class Compared(NamedTuple):
    """What the comparison of a call found: (case, kind) of each difference, and how much was compared."""

    differences: frozenset[tuple[str, str]]
    examples: tuple[str, ...]
    counts: Counter[str]
    reached: frozenset[str]


@functools.cache
def compared(index: int) -> Compared:
    """Run a call's variants and misuses on both engines."""
    own, other = engines.load("builtin").torch, engines.load("torch").torch
    differences, examples, counts, reached = set(), [], Counter[str](), set[str]()
    listed = known().get(CALLS[index].text, set())
    for kind, every in (("samples", cases(CALLS[index])), ("misuses", misuses(CALLS[index]))):
        for case in every:
            theirs = told(other, case)
            ours = watched(lambda case=case: told(own, case), CODES, reached)
            found = difference(ours, theirs)
            if found is not None:
                differences.add((case.name, found))
                if (case.name, found) not in listed:
                    both = (*ours.lines, "-- PyTorch", *theirs.lines)
                    examples.append("\n".join((f"{case.text}  [{case.name}]", *both)))
            counts[kind] += 1
            counts["errors"] += theirs.failed
            counts["gradients"] += sum(line.startswith("d/d") for line in theirs.lines)
            counts["equal"] += found is None
    return Compared(frozenset(differences), tuple(examples), counts, frozenset(reached))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Several threads of PyTorch's would race for which of two wrong targets a message names."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("text", TEXTS)
def test_a_call_is_pytorchs(text: str) -> None:
    results = [compared(index) for index, call in enumerate(CALLS) if call.text == text]
    listed = known().get(text, set())
    found = {pair for result in results for pair in result.differences}
    assert found <= listed, "\n\n".join([example for result in results for example in result.examples][:5])
    assert not listed - found, f"equal now, run python tests/tools/write_known_calls.py: {sorted(listed - found)}"


def test_every_entry_is_reached_and_counted(tell: Callable[[str], None]) -> None:
    counts, reached = Counter[str](), set[str]()
    for index in range(len(CALLS)):
        result = compared(index)
        counts.update(result.counts)
        reached |= result.reached
    alike = {name for name, entry in TABLE.items() if CODES[entry.forward.__code__] in reached}  # made in one loop
    counted = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    tell(f"{len(alike)} of {len(TABLE)} operations with PyTorch in {len(CALLS)} calls: {counted}")
    assert not TABLE.keys() - alike - UNSEEN, "operations that no call reaches"
    assert counts["samples"] >= 20_000
    assert counts["misuses"] >= 10_000
    assert counts["errors"] >= 15_000
    assert counts["gradients"] >= 45_000
