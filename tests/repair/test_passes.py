"""Each pass alone: what it repairs, what is listed of it, and what looks nearly the same and stays."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repair.corpus import meaning, words

from gradrepl.repair import characters, glue, margins, prompts, unprompted, wrapped
from gradrepl.repair.code import LINE_REPAIRS, dunders, print_function
from gradrepl.repair.model import Line, Notes, Pass, Recovered, Repair
from gradrepl.repair.pages import UnreadablePageError, decoded, text_of
from gradrepl.repair.pipeline import PASSES, recover
from gradrepl.repair.python import tree_of
from gradrepl.repair.unprompted import as_prompts
from gradrepl.repair.words import english, with_call

Row = tuple[str, str, str]
"""A page, what a pass makes of it, and the classes of damage that are listed, in their order; "" for none."""


def same(text: str) -> Row:
    return text, text, ""


TABLE: dict[Pass, list[Row]] = {
    characters.mojibake: [
        ("vÃ¡Â»â€ºi", "vá»›i", "D03"),
        ("vá»›i torch", "với torch", "D03"),
        ("lĂ\u00a0 gĂ¬", "là gì", "D03"),
        ("寮犻噺寮犻噺", "张量张量", "D03"),
        same("với torch.no_grad():"),
        same("Ärger, Ça va, ÂN, Đà Nẵng"),
        same("张量的梯度是一个张量"),
    ],
    characters.entities: [
        ("&gt;&gt;&gt; x = &quot;a&quot;", '>>> x = "a"', "D10"),
        ("a &amp;lt; b", "a < b", "D10"),
        ("(False, &#39;AddBackward0&#39;)", "(False, 'AddBackward0')", "D10"),
        same('print("&gt; and &amp;")'),
        same("a & b; gt = 1"),
        same("x &= y"),
    ],
    characters.invisible: [
        (">>> x\u00a0=\u00a01", ">>> x = 1", "D03"),
        ("re\u00adquires\u200b_grad", "requires_grad", "D03"),
        ("\ufeff>>> \tx", ">>>     x", "D03"),
        same('>>> s = "a\u00a0b\u200d"'),
        same('>>> s = "a\tb"  # \u00a0'),
    ],
    margins.quoted: [
        ("> >>> x = 1\n> >>> x\n> 1\nso.", ">>> x = 1\n>>> x\n1\nso.", "D14"),
        same("> A quotation\n> of two lines\n>>> x = 1"),
        same(">>> x >>> y"),
    ],
    margins.gutters: [
        ("a = 1\nb = 2\nc = 3\nd = 4\ne = 5\n1\n2\n3\n4\n5\nok", "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nok", "D14"),
        ("a = 1\nb = 2\n1\n2\n\nc = 3\n1", "a = 1\nb = 2\n\nc = 3", "D14 D14"),
        same("for i in range(1, 3):\n    print(i)\n1\n2"),
        same("print(1)\nprint(2)\n\n1\n2\n3\n4\n5\n6"),
    ],
    margins.numbered: [
        ("1 import torch\n2 x = 1\n3\n4 x.y()\n5 z = 2", "import torch\nx = 1\n\nx.y()\nz = 2", "D14"),
        ("1import torch\n2x = 1\n3y = 2\n4z = f(x)\nok", "import torch\nx = 1\ny = 2\nz = f(x)\nok", "D14"),
        ("12. >>> x = 1", ">>> x = 1", "D14"),
        same("1 0.5\n2 0.25\n3 0.125\n4 0.0625"),
        same("1. Với torch.no_grad(): tính\n2. Nhập môn\n3. Kết quả\n4. Hết"),
        same("0 x\n7 y\n3 z\n1 a"),
    ],
    prompts.signs: [
        ("＞＞＞ x = 1", ">>> x = 1", "D03"),
        ("> > > x = 1", ">>> x = 1", "D03"),
        ("»> with x:\n…    y", ">>> with x:\n...    y", "D03 D03"),
        (">>> with x:\n. . .     y", ">>> with x:\n...     y", "D03"),
        same("> > > a quotation in a quotation"),
        same("… and so on"),
        same(">> x"),
        same("x >>> y"),
    ],
    margins.banners: [
        ("Python 3.7.9 (default) [MSC v.1916]\n>>> x", ">>> x", "D14"),
        ("(base) me@pc:~$ python\nPython 3.9.1\n[GCC 7.5.0] on linux\n>>> x", ">>> x", "D14 D14 D14"),
        (">>> x\n>>> exit()\n(base) me@pc:~$", ">>> x", "D14 D14"),
        ("C:Usersme>pythonPython 3.8.1>>> x = 1", ">>> x = 1", "D14"),
        same("Python is a language\n$100 and more\n# conda and pip\n~ 5"),
        same(">>> exit()\n>>> x = 1"),
    ],
    prompts.split_prompts: [
        (">>> a = 1>>> b = 2", ">>> a = 1\n>>> b = 2", "D05"),
        (">>> a>>>>>>>> b", ">>> a\n>>> b", "D05"),
        ("text:>>> a", "text:\n>>> a", "D05"),
        ("<AddBackward0>>>> b", "<AddBackward0>\n>>> b", "D05"),
        same('>>> s = ">>> x"'),
        same(">>> x >> 2"),
    ],
    unprompted.bare_cells: [
        ("In [1]:\nx = f(2)\nx.y\nOut[1]:\n4", ">>> x = f(2)\n>>> x.y\nOut[1]:\n4", "D06"),
        same("In [1]: x = 1\nOut[1]: 1"),
        same("In [1]:\n\nOut[1]: 1"),
    ],
    prompts.cells: [
        ("In [1]: x\nOut[1]: 5", ">>> x\n5", "D06"),
        ("In [1]: with x:\n   ...:     y", ">>> with x:\n...     y", ""),
        ("Trong [2]: x\nRa[2]: 5", ">>> x\n5", "D06"),
        ("输入[2]：x\n输出[2]：5", ">>> x\n5", "D06"),
        (">>> y.requires_gradOut[12]:False", ">>> y.requires_grad\nFalse", "D06 D06"),
        same(">>> Out = {}; OutX[1] = 2"),
        same("Trong bài [1]: xem thêm"),
    ],
    unprompted.prompted: [
        ("x = f(1)\nx.y\n1.0", ">>> x = f(1)\n>>> x.y\n1.0", ""),
        ("với x:\n    y = 1\nxong", ">>> với x:\n...     y = 1\nxong", ""),
        ("with x:\ny = 1\nprint(y)\n1", ">>> with x:\n...     y = 1\n...     print(y)\n1", "D08"),
        ("x = f(1) y = x * 2 y.is_leaf False", ">>> x = f(1)\n>>> y = x * 2\n>>> y.is_leaf\nFalse", "D04"),
        ("a = 1\ny = x 2", ">>> a = 1\n>>> y = x 2", ""),
        ("def f():\nreturn 1\nf()\n1", ">>> def f():\n...     return 1\n>>> f()\n1", "D08"),
        same("Với torch.no_grad(): tính toán không được ghi."),
        same("使用 torch.no_grad()：\n张量"),
        (
            "复制with f()：\n    x = 1\n    y = g(2)\n\n    z = 3",
            "复制with f()：\n>>>     x = 1\n>>>     y = g(2)\n\n>>> z = 3",
            "",
        ),
        same("Nhập môn\n返回 张量\n与 torch.no_grad()：计算\nTrả về x"),
        same("print gradients\nx\ntensor([1., 2.],\n       [3.])\nTrue"),
    ],
    prompts.continuations: [
        (">>> with x:... y = 1... z = 2", ">>> with x:\n...     y = 1\n...     z = 2", "D08"),
        (">>> @d()... def f(x):... return x", ">>> @d()\n... def f(x):\n...     return x", "D08"),
        (">>> with x:... with y:... z", ">>> with x:\n...     with y:\n...         z", "D08"),
        (
            ">>> class A:\n... def f(self):\n... return 1\n... def g(self):\n... pass",
            ">>> class A:\n...     def f(self):\n...         return 1\n...     def g(self):\n...         pass",
            "D08",
        ),
        (
            ">>> def f(x):\n... if x:\n... return 1\n... else:\n... return 2",
            ">>> def f(x):\n...     if x:\n...         return 1\n...     else:\n...         return 2",
            "D08",
        ),
        (
            ">>> try:\n... f()\n... except E:\n... for i in x:\n... break\n... g()",
            ">>> try:\n...     f()\n... except E:\n...     for i in x:\n...         break\n...     g()",
            "D08",
        ),
        (">>> def f():... raise x... y = 1", ">>> def f():\n...     raise x\n...     y = 1", "D08"),
        (">>> for x in y:... (x * 2).z()", ">>> for x in y:\n...     (x * 2).z()", "D08"),
        (">>> with x（）：... y", ">>> with x（）：\n...     y", "D08"),
        same(">>> x[..., 0]"),
        same(">>> f = lambda: ..."),
        same(">>> with x:\n...   y\n...   z"),
        same(">>> for i in x:\n...     if y 2:\n...         a\n...     b"),
    ],
    glue.outputs: [
        (">>> b.requires_gradTrue", ">>> b.requires_grad\nTrue", "D07"),
        (">>> print(b.grad)None", ">>> print(b.grad)\nNone", "D07"),
        (">>> a = 1\n>>> atensor([1.])", ">>> a = 1\n>>> a\ntensor([1.])", "D07"),
        (">>> a.grad is NoneFalse", ">>> a.grad is None\nFalse", "D07"),
        same(">>> mytensor(1)\n>>> isTrue = 1\n>>> isTrue"),
        same(">>> x = True"),
        (">>> x.tolist() [1.0, 2.0]", ">>> x.tolist()\n[1.0, 2.0]", "D07"),
        same(">>> torch.set_grad_enabled(True) x"),
        same(">>> x.shape[1] y"),
        same(">>> f(None)"),
    ],
    wrapped.rejoined: [
        (">>> x = f([1,\n2])\n3", ">>> x = f([1,\n... 2])\n3", "D08"),
        (">>> with x:\n...     y  # one\ntwo\n...     z", ">>> with x:\n...     y  # one two\n...     z", "D08"),
        same(">>> x = f([1,\n2\n>>> y"),
        same(">>> x\ntensor([1,\n2])"),
        same(">>> x  # a\nprose"),
        same(">>> x  # a\ntensor([[1.],\n        ...,\n        [2.]])"),
    ],
    glue.statements: [
        (">>> x = f(1) y = x * 2", ">>> x = f(1)\n>>> y = x * 2", "D04"),
        (">>> import torch x = 1", ">>> import torch\n>>> x = 1", "D04"),
        (">>> a = f(1) a.is_leaf", ">>> a = f(1)\n>>> a.is_leaf", "D04"),
        (">>> y.backward() x.grad", ">>> y.backward()\n>>> x.grad", "D04"),
        same(">>> y = x 2"),
        same(">>> w -= 0.1 w.grad"),
        same(">>> w = w - lr w.grad"),
        same(">>> y = x.a x.b"),
        same(">>> x.a y.b"),
        same(">>> x if y else z"),
        same(">>> x not in y"),
    ],
}  # fmt: skip


def done(repair: Pass, text: str) -> tuple[str, list[Repair]]:
    notes = Notes()
    lines = repair([Line(line, number) for number, line in enumerate(text.split("\n"), 1)], words(), notes)
    return "\n".join(line.text for line in lines), notes.repairs


def test_the_table_has_every_pass() -> None:
    assert list(TABLE) == list(PASSES)


@pytest.mark.parametrize("repair", PASSES, ids=lambda repair: repair.__name__)
def test_a_pass(repair: Pass) -> None:
    for damaged, whole, listed in TABLE[repair]:
        text, repairs = done(repair, damaged)
        assert (text, " ".join(each.damage for each in repairs)) == (whole, listed.strip())


LINES: dict[Callable[[str], str], list[tuple[str, str]]] = {
    characters.plain_signs: [
        ("print（x，1）", "print(x,1)"),
        ("print(“你好，”)", 'print("你好，")'),
        ("x = −1.5", "x = -1.5"),
        ('print("（），：")', 'print("（），：")'),
        ("y = x  # （求导）", "y = x  # （求导）"),
    ],
    dunders: [
        ("super().**init**()", "super().__init__()"),
        ("def _ _init_ _(self):", "def __init__(self):"),
        ('if **name** == "**main**":', 'if __name__ == "__main__":'),
        ("x ** init ** 2", "x ** init ** 2"),
        ("f(**init)", "f(**init)"),
        ('"_ _init_ _"', '"_ _init_ _"'),
    ],
    print_function: [
        ("print x.grad", "print(x.grad)"),
        ('print "a", x', 'print("a", x)'),
        ("print x,", 'print(x, end=" ")'),
        ("print(x)", "print(x)"),
        ("print >> x", "print >> x"),
        ("print x 2", "print x 2"),
    ],
    english: [
        ("với torch.no_grad():", "with torch.no_grad():"),
        ("Với torch.no_grad():", "with torch.no_grad():"),
        ("cho i trong range(3):", "for i in range(3):"),
        ("in(x)", "print(x)"),
        ("从torch导入nn as n", "from torch import nn as n"),
        ("如果 x 不是 无:", "if x is not None:"),
        ("Import torch", "import torch"),
        ("nếu không thì nếu x:", "elif x:"),
        ("với = 1", "với = 1"),
        ("print('với', x)", "print('với', x)"),
        ("với mọi x", "với mọi x"),
        ("y = x 2", "y = x 2"),
    ],
    with_call: [
        ("with torch.no_grad:", "with torch.no_grad():"),
        ("with torch.autograd.enable_grad :", "with torch.autograd.enable_grad():"),
        ("with lock:", "with lock:"),
        ("with torch.set_grad_enabled:", "with torch.set_grad_enabled:"),
    ],
}


def test_the_table_has_every_repair_of_a_line() -> None:
    assert list(LINES) == [repair for _, repair in LINE_REPAIRS]


@pytest.mark.parametrize("name", [repair.__name__ for _, repair in LINE_REPAIRS])
def test_a_repair_of_a_line(name: str) -> None:
    (repair, rows), *_ = [(repair, rows) for repair, rows in LINES.items() if repair.__name__ == name]
    assert [repair(damaged) for damaged, _ in rows] == [whole for _, whole in rows]
    assert [repair(whole) for _, whole in rows] == [whole for _, whole in rows]


MANY = int(os.environ.get("GRADREPL_JUNK", "20"))  # examples of each pass
DEALS = st.sampled_from(
    (
        *(">>> ", "... ", "…", "In [1]: ", "Out[1]:", "with torch.no_grad():", "với x:", "x = 1", "y = x 2", "x.grad"),
        *("None", "tensor([1., 2.])", "(", ")", "'", '"', "#", "\n", "\n", "\n    ", " ", "def f(self):", "return x"),
        *(
            "else:",
            "@a",
            "1",
            "2",
            "&gt;",
            "vá»›i",
            "张量",
            "“",
            "，",
            "\u00a0",
            "\u200b",
            "\t",
            "Traceback (most",
            "> ",
        ),
        *("Python 3.7.9", "C:\\>", "**init**", "print x,"),
    )
)
PIECES = st.lists(DEALS, max_size=30).map("".join)
SILENT = (unprompted.prompted, prompts.cells)
"""Passes that put prompts where there were none, or other ones: how a page is written is no damage."""


@pytest.mark.parametrize("repair", PASSES, ids=lambda repair: repair.__name__)
@settings(max_examples=MANY, deadline=None)
@given(text=PIECES | st.text(max_size=80))
def test_a_pass_lists_what_it_does_and_is_deterministic(repair: Pass, text: str) -> None:
    made, repairs = done(repair, text)
    assert (made, repairs) == done(repair, text)
    if repair not in SILENT:
        assert repairs or squeezed(made) == squeezed(text)


def squeezed(text: str) -> str:
    """A text without blanks and prompts: an empty one is nothing that a repair would have to tell of."""
    return re.sub(r"\s+|>>>", "", text)


SETTLED = [repair for repair in PASSES if repair not in (characters.mojibake, characters.entities, unprompted.prompted)]


@pytest.mark.parametrize("repair", SETTLED, ids=lambda repair: repair.__name__)
@settings(max_examples=MANY, deadline=None)
@given(text=PIECES)
def test_a_pass_has_nothing_left_to_do(repair: Pass, text: str) -> None:
    if repair is prompts.split_prompts:
        text = re.sub("['\"]", "", text)  # what is within quotes depends on all of a line: they may be apostrophes
    once, _ = done(repair, text)
    assert done(repair, once)[0] == once


def runs(found: Recovered) -> list[str]:
    """What would run of a page."""
    sources = [statement.source for statement in found.statements if tree_of(statement.source) is not None]
    return [node for source in sources for node in meaning(source)]


@settings(max_examples=MANY, deadline=None)
@given(text=PIECES | st.text(max_size=80))
def test_a_page_is_repaired_once(text: str) -> None:
    found = recover(text, words())
    again = recover("\n".join(as_prompts(statement.source) for statement in found.statements), words())
    assert found == recover(text, words())
    assert all(1 <= repair.line <= text.count("\n") + 1 for repair in found.repairs)
    if tree_of(text) is None:  # of a program only known wrong spellings are mended, of a transcript near misses too
        assert runs(again) == runs(found)


@settings(max_examples=MANY, deadline=None)
@given(data=st.binary(max_size=80), ending=st.sampled_from(("", "a.html", "a.md", "a.ipynb")))
def test_any_bytes_are_a_page_or_refused(data: bytes, ending: str) -> None:
    try:
        recover(text_of(decoded(data), ending), words())
    except UnreadablePageError as error:
        assert "expected a notebook" in str(error)


def test_known_wrong_spellings_are_mended_in_a_program_and_near_misses_are_not() -> None:
    found = recover("import torch\nx = torch.ones(2, requirements_grad=True)\nx.detatch()\n", words())
    assert [each.source for each in found.statements][1:] == [
        "x = torch.ones(2, requires_grad=True)\n",
        "x.detatch()\n",
    ]
    assert [each.damage for each in found.repairs] == ["D02"]


def test_decimal_commas_in_code_are_offered_where_the_page_prints_them() -> None:
    page = ">>> a = torch.tensor([0,5, 1,5])\n>>> b = torch.tensor([1, 2])\n>>> {}"
    (offer,) = recover(page.format("a\ntensor([0,5000, 1,5000])"), words()).offers
    assert (offer.damage, offer.choices) == ("D09", ("a = torch.tensor([0.5, 1.5])",))
    assert recover(page.format("a\ntensor([0, 5, 1, 5])"), words()).offers == ()


@pytest.mark.parametrize(
    ("code", "whole"),
    [
        ("torch.autogard.no_gard()", "torch.autograd.no_grad()"),
        ("x = torch.ones(2, requirements_grad=True)", "x = torch.ones(2, requires_grad=True)"),
        ("x.detatch().requires_gard", "x.detach().requires_grad"),
        ("torch.manual_sed(0)", "torch.manual_seed(0)"),
        ("x.gard.zeros_()", "x.grad.zero_()"),
        ("torch.no_gràd()", "torch.no_grad()"),
        *((f"x.{name}(x)", f"x.{name}(x)") for name in ("median", "squeeze_", "nanmedian", "addmm_", "lu_solve")),
        ("S.ExponentialLR(x)", "S.ExponentialLR(x)"),
        ("x.register_hooks(f, f)", "x.register_hooks(f, f)"),
        ("torch.nn.init.zeros_(x)", "torch.nn.init.zeros_(x)"),
        ("plt.title('tile')", "plt.title('tile')"),
        ("np.summ(x)", "np.summ(x)"),
        ("tf.backwrd()", "tf.backwrd()"),
        ("y.backwrd()", "y.backward()"),
        ("x.find_children()", "x.find_children()"),
        ("x.join('gard')", "x.join('gard')"),
        ("box.gard", "box.gard"),
    ],
)
def test_names_of_the_api_are_repaired_and_no_others(code: str, whole: str) -> None:
    before = "import matplotlib.pyplot as plt, numpy as np\nbox = x = torch.ones(2)\n"
    before += "box.gard = 1\n" * code.startswith("box")
    page = "".join(f">>> {line}\n" for line in (*before.splitlines(), code))
    assert recover(page, words()).statements[-1].source == whole + "\n"
