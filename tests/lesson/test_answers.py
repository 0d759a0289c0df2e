"""Answers that say the same, however they are spelt."""

from __future__ import annotations

import unicodedata

import pytest

from gradrepl.lesson.answers import same_answer, text_of


class MulBackward0:
    """Stands for a node: its repr has an address."""


@pytest.mark.parametrize(
    ("answer", "truth"),
    [
        ("True", "True"),
        (" true ", "True"),
        ("đúng", "True"),
        (unicodedata.normalize("NFD", "Đúng"), "True"),
        ("dung", "True"),
        ("có", "True"),
        ("sai", "False"),
        ("không", "False"),
        ("`False`", "False"),
        ("none", "None"),
        ("không có", "None"),
        ("MulBackward0", "MulBackward0"),
        ("<MulBackward0>", "MulBackward0"),
        ("grad_fn=<MulBackward0>", "MulBackward0"),
        ("<MulBackward0 object at 0x7f1>", "MulBackward0"),
        ("mulbackward", "MulBackward0"),
        ("2", "2.0"),
        ("2,5", "2.5"),
        ("0.33333", "0.3333333432674408"),
        ("-24.00001", "-24"),
        ("tensor([2.,4.])", "tensor([2., 4.])"),
        ("(True,False)", "(True, False)"),
        ("nan", "nan"),
        ("lỗi", "error"),
        ("Báo lỗi", "error"),
        (unicodedata.normalize("NFD", "bị lỗi"), "an error"),
        ("[2, 4]", "tensor([2., 4.])"),
        ("[2 4]", "tensor([2., 4.], grad_fn=<MulBackward0>)"),
        ("[[1,0],[0,1]]", "tensor([[1., 0.],\n        [0., 1.]])"),
        ("[0.3333, 1]", "[0.33333334, 1.0]"),
        ("2", "tensor(2.)"),
    ],
)
def test_the_same(answer: str, truth: str) -> None:
    assert same_answer(answer, truth)
    assert same_answer(truth, answer)


@pytest.mark.parametrize(
    ("answer", "truth"),
    [
        ("", "None"),
        ("", "False"),
        ("1", "True"),
        ("0", "False"),
        ("None", "False"),
        ("0", "None"),
        ("AddBackward0", "MulBackward0"),
        ("2.01", "2.0"),
        ("-2", "2"),
        ("tensor([2.])", "2"),
        ("[2, 4]", "tensor([4., 2.])"),
        ("[1, 2]", "tensor([[1.], [2.]])"),
        ("lỗi", "None"),
        ("(2, 4)", "tensor([2., 4.])"),
        ("true or false", "True"),
    ],
)
def test_not_the_same(answer: str, truth: str) -> None:
    assert not same_answer(answer, truth)
    assert not same_answer(truth, answer)


def test_a_truth_is_written_as_a_learner_would() -> None:
    assert text_of(MulBackward0()) == "MulBackward0"
    assert [text_of(value) for value in (None, True, 2.0, "a")] == ["None", "True", "2.0", "'a'"]
