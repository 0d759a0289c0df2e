"""Where the builtin engine is known to differ from PyTorch 2.13 on CPU, each with a program that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Difference(NamedTuple):
    """A difference: what it is, why it stays, and a program whose output shows it."""

    title: str
    reason: str
    program: str


DIFFERENCES = (
    Difference(
        "Where a warning comes from",
        "PyTorch's C++ code adds the place that warned, `(Triggered internally at ...)`. There is no such place here.",
        "import warnings\n\n"
        "with warnings.catch_warnings(record=True) as seen:\n"
        '    warnings.simplefilter("always")\n'
        "    (torch.ones(1, requires_grad=True) * 2).grad\n"
        'print("internally" in str(seen[0].message))\n',
    ),
    Difference(
        "The version of a fresh gradient",
        "PyTorch copies an expanded gradient into `.grad` (version 1) and takes over others (version 0). Here it is "
        "always a copy of version 0.",
        "x = torch.ones(2, 3, requires_grad=True)\nx.sum().backward()\nprint(x.grad._version)\n",
    ),
    Difference(
        "Names of `dir(torch)`",
        "The engine has what a first course on autograd uses. What it lacks raises an AttributeError that names "
        "`--engine torch`.",
        'print(hasattr(torch, "jit"))\n',
    ),
    Difference(
        "The attributes of `torch.Tensor.__dict__`",
        "Tensors are Python objects here; their own fields are visible there.",
        'print("_data" in dir(torch.Tensor))\n',
    ),
    Difference(
        "A mean, product, norm or running sum in another dtype",
        "The conversion is a node of its own here; in PyTorch it is part of the reduction's. Values and gradients are "
        "the same.",
        "x = torch.ones(2, requires_grad=True)\n"
        "print(x.mean(dtype=torch.float64).grad_fn.next_functions[0][0].name())\n",
    ),
    Difference(
        "Gradients in bfloat16 of what PyTorch computes in one go",
        "Every operation of a rule is rounded, as in PyTorch; but the gradients of mse_loss, log_softmax and silu "
        "PyTorch computes in float32 and rounds once, so the last bit may differ.",
        "x = torch.tensor([1.7], dtype=torch.bfloat16, requires_grad=True)\n"
        "torch.nn.functional.silu(x).backward()\n"
        "print(x.grad)\n",
    ),
    Difference(
        "Normals written into tensors of bfloat16, 16 and more at a time",
        "PyTorch draws fewer numbers for the last ones of bfloat16. `torch.randn` gives its numbers in every dtype.",
        "torch.manual_seed(0)\nprint(torch.empty(20, dtype=torch.bfloat16).normal_())\n",
    ),
    Difference(
        "How some methods print without parentheses",
        "`x.item`, `x.size` and others print as built-in methods. The most frequent ones (`x.sum`, `x.view`) "
        "print as Python's own methods, because telling them apart would slow every call.",
        "print(torch.ones(1).sum)\n",
    ),
    Difference(
        "scatter with `reduce` of what requires grad",
        "PyTorch gives it a grad_fn that can't run. Here it raises at once.",
        "x = torch.ones(2, requires_grad=True)\n"
        'try:\n    print(x.scatter(0, torch.tensor([0]), 2.0, reduce="add"))\n'
        "except NotImplementedError as error:\n    print(error)\n",
    ),
    Difference(
        "Conjugates are copies",
        "PyTorch's `conj()` is a view with a bit that says so. Here it is a new tensor with the same numbers.",
        "print(torch.tensor([1j]).conj().is_conj())\n",
    ),
    Difference(
        "What some nodes keep",
        "PyTorch's nodes keep a few things that the rules here have no use for, as the LU factors of a determinant: "
        "they are listed by `dir(node)`, and looking at one raises an AttributeError that names `--engine torch`.",
        "x = torch.eye(2, requires_grad=True)\n"
        "try:\n    print(torch.det(x).grad_fn._saved_LU)\nexcept AttributeError as error:\n    print(error)\n",
    ),
    Difference(
        "The graph behind an LSTM",
        "PyTorch computes a layer of an LSTM in float32 in one go, by oneDNN: one node leads from the outputs to the "
        "weights. Here the node of that name puts the outputs of the steps together, each of which has its own nodes.",
        "out, _ = torch.nn.LSTM(1, 1)(torch.ones(2, 1, 1))\nprint(len(out.grad_fn.next_functions))\n",
    ),
    Difference(
        "vmap calls the function once for each row",
        "PyTorch calls it once, on BatchedTensors; results are the same. So what the function prints comes once for "
        "each row here, and the result's grad_fn is that of stacking the rows. What would give other results, as "
        "writing to a tensor from outside, raises.",
        "torch.func.vmap(lambda x: (print(x), x * 2)[1])(torch.ones(2))\n",
    ),
    Difference(
        "How a tangent came about",
        "Tangents come from the rules of the gradients, by going back twice. Values are the same up to rounding; where "
        "one is part of a graph itself, its nodes are others.",
        "import warnings\n\n"
        'warnings.simplefilter("ignore")\n'
        "import torch.autograd.forward_ad as forward_ad\n\n"
        "x = torch.ones(1, requires_grad=True)\n"
        "with forward_ad.dual_level():\n"
        "    out = forward_ad.make_dual(x, torch.ones(1)) * x\n"
        "    print(forward_ad.unpack_dual(out).tangent.grad_fn.name())\n",
    ),
)

HEAD = """# Known differences from PyTorch

Made by `python tests/tools/write_differences.py` from `tests/engine/known_differences.py`; the tests see that each
of them is still there and that this page is up to date. Everything else that the tests compare is equal: outputs of
programs to the character, gradients, second gradients, dtypes, names of nodes, warnings and errors.
"""


CALLS = Path(__file__).parent / "known_calls.txt"
KINDS = {
    "refused here": "PyTorch takes the call, the engine raises: empty tensors, uncommon dtypes and padding modes.",
    "values": "Both answer, with another value, dtype or gradient: complex and half precision, infinities and nan, "
    "the last digit of float32, and gradients that are None on one side and zeros on the other.",
    "refused there": "PyTorch has no code for this dtype or no second derivative and raises; the engine answers.",
    "words": "Both raise, with other words or another check first: mostly dtypes and arguments of the wrong type.",
    "nodes": "The same values; nodes in the graph of a *gradient* (create_graph=True) have other names or places, "
    "because the engine's rules are written with other operations than PyTorch's C++ code.",
}
"""The kinds of difference in known_calls.txt, and why they are there."""


def calls_section() -> str:
    """Return the part of the page on calls that are compared in every variant and still differ in some."""
    counts = dict.fromkeys(KINDS, 0)
    kind = ""
    for line in CALLS.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            kind = line.removeprefix("## ")
        elif line.startswith("    "):
            counts[kind] += 1
    rows = "".join(f"| {name} | {counts[name]} | {reason} |\n" for name, reason in KINDS.items())
    return (
        "\n## Variants of calls\n\nEvery operation is called with many dtypes, values, shapes and wrong arguments, and "
        "compared with PyTorch in full. These variants still differ; `tests/engine/known_calls.txt` names each.\n\n"
        f"| kind | variants | what |\n|---|---|---|\n{rows}"
    )


def page() -> str:
    """Return docs/differences.md."""
    parts = [HEAD]
    for number, entry in enumerate(DIFFERENCES, 1):
        parts.append(f"\n## {number}. {entry.title}\n\n{entry.reason}\n\n```python\n{entry.program}```\n")
    parts.append(calls_section())
    return "".join(parts)
