"""A small lesson to read, to damage and to run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gradrepl.lesson.load import load
from gradrepl.lesson.model import Lesson

TEXT = """\
+++
id = "small"
title.vi = "Nhỏ"
title.en = "Small"
goal.vi = "Thấy một điều."
goal.en = "See one thing."
+++

## start
<!--vi-->
### Bắt đầu

Ta tạo `x`.
<!--en-->
### Begin

We make `x`.
<!--code-->
```pycon
>>> import torch
>>> x = torch.tensor([1.], requires_grad=True)
>>> x
tensor([1.], requires_grad=True)

```

## inside {predict: y.requires_grad, y.grad_fn}
<!--vi-->
Sau khối, `y` ra sao?
<!--en-->
How is `y` after the block?
<!--code-->
```pycon
>>> with torch.no_grad():
...     y = x * 2
>>> print(y.grad_fn)
None

```
<!--if y.requires_grad == True #requires-grad-always-records-->
- vi: Việc ghi đang tắt.
- en: Recording is off.
<!--if y.grad_fn == MulBackward0-->
- vi: Phép nhân không được ghi.
- en: The multiplication
  is not recorded.
<!--hint-->
- vi: Cái gì bị tắt?
- en: What is off?

## warned
<!--vi-->
Đọc `grad` của một kết quả.
<!--en-->
Read the `grad` of a result.
<!--code-->
```pycon
>>> (x * 2).grad

```
<!--warns UserWarning: The .grad attribute of a Tensor that is not a leaf-->

## exercise {try}
<!--vi-->
Tính `z` bằng `x * 2`, có ghi lại.
<!--en-->
Compute `z` as `x * 2`, recorded.
<!--code-->
```pycon
>>> z = None

```
<!--solution-->
```pycon
>>> z = x * 2

```
<!--check-->
```pycon
>>> z.requires_grad, z.grad_fn is not None
(True, True)

```
<!--wrong #result-comes-back-later-->
```pycon
>>> z = y

```
- vi: `y` không được ghi.
- en: `y` was not recorded.
"""

Write = Callable[..., Path]


@pytest.fixture
def text() -> str:
    """A lesson with a step of each kind and each directive, as it stands in its file."""
    return TEXT


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the lesson with one text put in place of another, which must occur just once, or other bytes."""

    def written(old: str = "", new: str = "", *, data: bytes | None = None, name: str = "01-small.md") -> Path:
        path = tmp_path / name
        if old:
            assert TEXT.count(old) == 1, f"{old!r} occurs {TEXT.count(old)} times"
        path.write_bytes(data if data is not None else TEXT.replace(old, new).encode())
        return path

    return written


@pytest.fixture
def lesson(write: Write) -> Lesson:
    """The small lesson."""
    return load(write())
