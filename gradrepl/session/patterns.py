"""Python's and PyTorch's own words for errors and warnings, and the explanation that each one has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gradrepl.session import facts, foreign, misspelt
from gradrepl.session.case import Case
from gradrepl.session.facts import Find
from gradrepl.session.outcome import Fact


def no_facts(case: Case) -> Iterator[Fact]:
    """Tell nothing: the words of the explanation are enough."""
    return iter(())


@dataclass(frozen=True, slots=True)
class Pattern:
    """A row of the table.

    id: of the explanation; types: classes of errors or warnings, by name; words: what the message begins with, a
    regular expression whose named groups are parameters of the text, compiled when an error of such a class comes.
    find: what the learner's code adds; needed: without such a fact nothing is said.
    """

    id: str
    types: tuple[str, ...]
    words: str
    find: Find = no_facts
    needed: bool = False

    def match(self, type: str, message: str) -> re.Match[str] | None:
        """The match of an error's or warning's message, if it is one of this row."""
        return re.match(self.words, message, re.DOTALL) if type in self.types else None


def row(id: str, types: str, words: str, find: Find = no_facts, *, needed: bool = False) -> Pattern:
    return Pattern(id, tuple(types.split()), words, find, needed)


PATTERNS: tuple[Pattern, ...] = (
    # The graph and backward()
    row("no-graph", "RuntimeError", r"element \d+ of tensors does not require grad", facts.ungraphed),
    row("no-graph", "RuntimeError", r"One of the differentiated Tensors does not require grad", facts.ungraphed),
    row("non-leaf-grad", "UserWarning", r"The \.grad attribute of a Tensor that is not a leaf", facts.non_leaf),
    row("second-time", "RuntimeError", r"Trying to backward through the graph a second", facts.earlier_backward),
    row("not-scalar", "RuntimeError", r"grad can be implicitly created only for scalar outputs", facts.root_shape),
    row(
        "gradient-shape",
        "RuntimeError",
        r"Mismatch in shape: grad_output\[\d+\] has a shape of torch\.Size\((?P<got>[^)]*)\)"
        r".*? has a shape of torch\.Size\((?P<want>[^)]*)\)",
    ),
    row(
        "unused",
        "RuntimeError",
        r"(One of the differentiated Tensors|The differentiated Tensor at index \d+) appears to",
    ),
    row(
        "retain-grad", "RuntimeError", r"can't retain_grad on Tensor that has requires_grad=False", facts.no_grad_needed
    ),
    row("hook-no-grad", "RuntimeError", r"cannot register a hook on a tensor that doesn't", facts.no_grad_needed),
    row("leaf-flag", "RuntimeError", r"you can only change requires_grad flags of leaf", facts.non_leaf),
    row("integer-grad", "RuntimeError", r"[Oo]nly Tensors of floating point", facts.dtypes),
    row("grad-is-none", "AttributeError", r"'NoneType' object has no attribute", facts.no_grad_yet, needed=True),
    row("grad-is-none", "TypeError", r"unsupported operand type\(s\) for .*'NoneType'", facts.no_grad_yet, needed=True),
    row(
        "grad-size",
        "RuntimeError",
        r"attempting to assign a gradient of size '(?P<got>[^']*)' to a tensor of size '(?P<want>[^']*)'",
    ),
    row("grad-type", "TypeError", r"assigned grad expected to be a Tensor or None but got grad of type (?P<type>\w+)"),
    row(
        "grad-dtype",
        "RuntimeError",
        r"attempting to assign a gradient with dtype '(?P<got>\w+)' to a tensor with grad_dtype '(?P<want>\w+)'",
    ),
    row("hook-size", "RuntimeError", r"hook '[^']*' has changed the size of value"),
    row("not-writable", "AttributeError", r"attribute '(?P<name>\w+)' of '[^']*' objects is not writable"),
    row("numpy-grad", "RuntimeError", r"Can't call numpy\(\) on Tensor that requires grad", facts.requires_grad),
    row(
        "scalar-warning", "UserWarning", r"Converting a tensor with requires_grad=True to a scalar", facts.requires_grad
    ),
    row("copy-warning", "UserWarning", r"To copy construct from a tensor"),
    row("deepcopy", "RuntimeError", r"Only Tensors created explicitly by the user", facts.non_leaf_in),
    row("anomaly", "UserWarning", r"Anomaly Detection has been enabled"),
    # In-place operations, views, inference mode
    row(
        "leaf-in-place", "RuntimeError", r"a leaf Variable that requires grad is being used in an in-place", facts.leaf
    ),
    row(
        "leaf-view-in-place", "RuntimeError", r"a view of a leaf Variable that requires grad is being used", facts.leaf
    ),
    row(
        "modified-in-place",
        "RuntimeError",
        r"one of the variables needed for gradient computation has been modified by an "
        r"inplace operation: \[\S+ \[(?P<shape>[^\]]*)\]\]"
        r"(?:, which is output \d+ of (?P<node>[\w:]+?)(?:Backward\d*)?,)? "
        r"is at version (?P<now>\d+); expected version (?P<then>\d+)",
        facts.written,
    ),
    row("no-grad-view", "RuntimeError", r"A view was created in no_grad mode and is being modified inplace"),
    row("multi-view", "RuntimeError", r"Output \d+ of \w+ is a view and is being modified inplace"),
    row("inference-saved", "RuntimeError", r"Inference tensors cannot be saved for backward", facts.inference),
    row("inference-version", "RuntimeError", r"Inference tensors do not track version counter", facts.inference),
    row(
        "inference-in-place",
        "RuntimeError",
        r"Inplace update to inference tensor outside InferenceMode",
        facts.inference,
    ),
    row("inference-flag", "RuntimeError", r"Setting requires_grad=True on inference tensor outside", facts.inference),
    row("resize-grad", "RuntimeError", r"cannot resize variables that require grad", facts.requires_grad),
    row("out-grad", "RuntimeError", r"\w+\(\): functions with out=\.\.\. arguments don't support"),
    # Grad modes
    row(
        "no-parentheses",
        "TypeError",
        r"'type' object does not support the context manager",
        facts.parentheses,
        needed=True,
    ),
    row("mode-missing", "TypeError", r"set_grad_enabled\.__init__\(\) missing 1 required positional argument"),
    row(
        "mode-not-bool",
        "TypeError",
        r"set_grad_enabled\(\): argument 'enabled' \(position 1\) must be bool, not (?P<type>\w+)",
    ),
    # Optimizers, layers, losses
    row("optimizer-non-leaf", "ValueError", r"can't optimize a non-leaf Tensor", facts.non_leaf_in),
    row("optimizer-empty", "ValueError", r"optimizer got an empty parameter list"),
    row("scheduler-order", "UserWarning", r"Detected call of `lr_scheduler\.step\(\)` before"),
    row(
        "target-shape",
        "UserWarning",
        r"Using a target size \(torch\.Size\((?P<target>[^)]*)\)\) that is different to the input "
        r"size \(torch\.Size\((?P<input>[^)]*)\)\)",
    ),
    row(
        "batch-size",
        "ValueError",
        r"Expected input batch_size \((?P<input>\d+)\) to match target batch_size \((?P<target>\d+)\)",
    ),
    row("target-class", "IndexError", r"Target (?P<target>-?\d+) is out of bounds"),
    row("target-dtype", "RuntimeError", r"expected target dtype to be Long or Byte, but got (?P<dtype>\w+)"),
    # Shapes
    row(
        "sizes",
        "RuntimeError",
        r"The size of tensor a \((?P<a>\d+)\) must match the size of tensor b \((?P<b>\d+)\) at "
        r"non-singleton dimension (?P<dim>\d+)",
        facts.shapes,
    ),
    row(
        "matmul",
        "RuntimeError",
        r"mat1 and mat2 shapes cannot be multiplied \((?P<a>\w+) and (?P<b>\w+)\)",
        facts.shapes,
    ),
    row("matmul-vector", "RuntimeError", r"size mismatch, got input", facts.shapes),
    row(
        "dot-sizes",
        "RuntimeError",
        r"inconsistent tensor size, expected tensor \[(?P<a>\d+)\] and src \[(?P<b>\d+)\]",
        facts.shapes,
    ),
    row(
        "reshape", "RuntimeError", r"shape '(?P<shape>[^']*)' is invalid for input of size (?P<count>\d+)", facts.shapes
    ),
    row("view-stride", "RuntimeError", r"view size is not compatible with input tensor's size and stride"),
    row(
        "expand",
        "RuntimeError",
        r"The expanded size of the tensor \((?P<want>\d+)\) must match the existing size \((?P<size>\d+)\)",
        facts.shapes,
    ),
    row("cat-sizes", "RuntimeError", r"Sizes of tensors must match except in dimension (?P<dim>\d+)", facts.shapes),
    row("stack-sizes", "RuntimeError", r"stack expects each tensor to be equal size", facts.shapes),
    row("ragged", "ValueError", r"expected sequence of length (?P<want>\d+) at dim (?P<dim>\d+) \(got (?P<got>\d+)\)"),
    row(
        "index",
        "IndexError",
        r"index (?P<index>-?\d+) is out of bounds for dimension (?P<dim>\d+) with size (?P<size>\d+)",
        facts.shapes,
    ),
    row("index-type", "IndexError", r"only integers, slices"),
    row("many-indices", "IndexError", r"too many indices for tensor of dimension (?P<dim>\d+)", facts.shapes),
    row(
        "dimension",
        "IndexError",
        r"Dimension out of range \(expected to be in range of \[(?P<low>-?\d+), (?P<high>-?\d+)\], but got "
        r"(?P<dim>-?\d+)\)",
        facts.shapes,
    ),
    row("no-dimensions", "TypeError", r"(len\(\) of|iteration over) a 0-d tensor"),
    row("no-dimensions", "IndexError", r"invalid index of a 0-dim tensor"),
    # Values and dtypes
    row("item", "RuntimeError", r"a Tensor with (?P<count>\d+) elements cannot be converted to Scalar", facts.shapes),
    row("item", "ValueError", r"only one element tensors can be converted to Python scalars", facts.shapes),
    row("truth", "RuntimeError", r"Boolean value of Tensor with more than one value is ambiguous", facts.shapes),
    row(
        "dtypes",
        "RuntimeError",
        r"(expected m1 and m2 to have the same dtype|mat1 and mat2 must have the same dtype|dot : expected "
        r"both vectors to have same dtype|expected scalar type|Found dtype \w+ but expected)",
        facts.dtypes,
    ),
    row(
        "in-place-dtype",
        "RuntimeError",
        r"result type (?P<result>\w+) can't be cast to the desired output type (?P<want>\w+)",
        facts.dtypes,
    ),
    row("integer-mean", "RuntimeError", r"mean\(\): could not infer output dtype", facts.dtypes),
    row(
        "not-implemented-dtype",
        "NotImplementedError RuntimeError",
        r'"\w+" not implemented for \'(?P<dtype>\w+)\'',
        facts.dtypes,
    ),
    row("none-attribute", "AttributeError", r"'NoneType' object has no attribute '(?P<name>[^']+)'"),
    row(
        "operands",
        "TypeError",
        r"unsupported operand type\(s\) for (?P<sign>[^:]+): '(?P<left>[\w.]+)' and '(?P<right>[\w.]+)'",
    ),
    row("text-tensor", "ValueError", r"too many dimensions 'str'"),
    row("none-tensor", "RuntimeError", r"Could not infer dtype of (?P<type>\w+)"),
    row(
        "not-a-tensor",
        "TypeError",
        r"(?P<function>\w+)\(\): argument '\w+' \(position \d+\) must be Tensor, not (?P<type>\w+)",
    ),
    row("cuda", "AssertionError RuntimeError", r"(Torch not compiled with CUDA enabled|Found no NVIDIA driver)"),
    # Names and arguments
    row(
        "only-here",
        "AttributeError",
        r"(?P<name>torch[\w.]*) is part of PyTorch, but gradrepl's builtin engine does not have",
    ),
    row(
        "attribute",
        "AttributeError",
        r"module '(?P<owner>[\w.]+)' has no attribute '(?P<name>[^']+)'",
        misspelt.module_attribute,
        needed=True,
    ),
    row(
        "attribute",
        "AttributeError",
        r"'(?P<owner>\w+)' object has no attribute '(?P<name>[^']+)'",
        misspelt.attribute,
        needed=True,
    ),
    row(
        "decimal-comma",
        "TypeError",
        r"tensor\(\) takes 1 positional argument but \d+ were given",
        foreign.decimal_comma,
        needed=True,
    ),
    row(
        "argument",
        "TypeError",
        r"[\w.]+\(\) got an unexpected keyword argument '(?P<name>[^']+)'",
        misspelt.argument,
        needed=True,
    ),
    row(
        "argument",
        "TypeError",
        r"\w+\(\) received an invalid combination of arguments - got \((?P<got>[^)]*)\)",
        misspelt.argument,
        needed=True,
    ),
    row(
        "not-callable",
        "TypeError",
        r"'(?P<type>Tensor|bool|NoneType|Size|torch\.Size|int|float|dtype)' object is not callable",
        facts.called,
        needed=True,
    ),
    row(
        "missing-argument",
        "TypeError",
        r"(?P<function>[\w.]+)\(\) missing \d+ required (positional|keyword-only) arguments?: (?P<names>[^\n]+)",
    ),
    row("local-name", "UnboundLocalError", r"cannot access local variable '(?P<name>[^']+)'"),
    row("name", "NameError", r"name '(?P<name>[^']+)' is not defined", misspelt.name),
    row("module", "ModuleNotFoundError", r"No module named '(?P<name>[\w.]+)'", misspelt.module),
    row(
        "import-name",
        "ImportError",
        r"cannot import name '(?P<name>[^']+)' from '(?P<owner>[\w.]+)'",
        misspelt.imported,
        needed=True,
    ),
    # Python's grammar
    row("translated", "SyntaxError IndentationError", r"", foreign.translated, needed=True),
    row("quotes", "SyntaxError", r"invalid character '[“”‘’„‟«»`´]'"),
    row("sign", "SyntaxError", r"invalid character '(?P<sign>.)'", foreign.sign, needed=True),
    row("hidden-sign", "SyntaxError", r"invalid non-printable character (?P<code>U\+\w+)"),
    row(
        "decimal-comma",
        "SyntaxError",
        r"(leading zeros in decimal integer|positional argument follows)",
        foreign.decimal_comma,
        needed=True,
    ),
    row("colon", "SyntaxError", r"expected ':'"),
    row("bracket", "SyntaxError", r"'(?P<bracket>.)' was never closed|closing parenthesis|unmatched"),
    row("open-text", "SyntaxError", r"unterminated (triple-quoted )?f?-?string literal"),
    row(
        "assign",
        "SyntaxError",
        r"cannot assign to|expression cannot contain assignment|invalid syntax\. Maybe you meant '=='",
    ),
    row("magic", "SyntaxError", r"", foreign.magic, needed=True),
    row("comma", "SyntaxError", r"invalid syntax\. Perhaps you forgot a comma"),
    row("comma", "SyntaxError", r"invalid syntax$", foreign.side_by_side, needed=True),
    row("glued", "SyntaxError", r"invalid syntax$", foreign.glued, needed=True),
    row("number-name", "SyntaxError", r"invalid decimal literal"),
    row("print", "SyntaxError", r"Missing parentheses in call to 'print'"),
    row("no-block", "IndentationError", r"expected an indented block"),
    row("indent", "IndentationError TabError", r"unexpected indent|unindent does not match|inconsistent use of tabs"),
    # The program itself
    row("interrupted", "KeyboardInterrupt", r""),
    row("recursion", "RecursionError", r"maximum recursion depth exceeded"),
    row("division", "ZeroDivisionError", r""),
)
