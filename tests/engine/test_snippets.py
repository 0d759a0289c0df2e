"""Programs whose whole output must be PyTorch's, to the character.

`snippets/TOPIC.txt` holds the programs, `snippets/TOPIC.json` what PyTorch printed (tests/tools/record_answers.py).
The builtin engine is held against the record; where PyTorch is installed, so is the record against PyTorch.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from support.running import SNIPPETS, has_torch, shown_by, snippets

TOPICS = sorted(path.stem for path in SNIPPETS.glob("*.txt"))
CASES = [(topic, index) for topic in TOPICS for index in range(len(snippets(SNIPPETS / f"{topic}.txt")))]


ROUNDED = """
x = torch.linspace(0.1, 3, 9)
print(sum(f(x).double().sum().item() for f in (torch.exp, torch.log, torch.tanh)))
print((torch.outer(x, x) @ torch.outer(x, 1 / x)).double().sum().item())
"""
ROUNDED_HERE = "71.28438259661198\n6806.7553080916405\n"
"""What PyTorch prints for it where its library takes the code for AMD's processors with AVX512."""


def recorded(topic: str) -> list[str]:
    return list(json.loads((SNIPPETS / f"{topic}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize(("topic", "index"), CASES)
def test_the_builtin_engine_prints_what_pytorch_prints(topic: str, index: int) -> None:
    source = snippets(SNIPPETS / f"{topic}.txt")[index]
    assert shown_by(source, "builtin") == recorded(topic)[index], source


@pytest.mark.skipif(not has_torch(), reason="PyTorch is not installed: the recorded answers are not held against it")
@pytest.mark.parametrize("topic", TOPICS)
def test_the_recorded_answers_are_pytorchs(topic: str) -> None:
    if topic == "tensor_last_digits" and shown_by(ROUNDED, "torch") != ROUNDED_HERE:
        pytest.skip("PyTorch's library of mathematics rounds otherwise on this processor than where it was recorded")
    sources = snippets(SNIPPETS / f"{topic}.txt")
    answers = recorded(topic)
    assert len(answers) == len(sources), "run tests/tools/record_answers.py"
    for source, answer in zip(sources, answers, strict=True):
        assert shown_by(source, "torch") == answer, source


def test_there_are_several_hundred_programs(tell: Callable[[str], None]) -> None:
    tell(f"{len(CASES)} snippets with what PyTorch printed, to the character")
    assert CASES
