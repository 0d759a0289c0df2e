"""The README's pictures are made by a script, from a run, and load nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).parent.parent.parent / "docs"


def links(svg: str) -> set[str]:
    """What an SVG would load."""
    return set(re.findall(r"url\(\"?(?!#)([^)\"]*)", svg)) | set(re.findall(r"href=\"([^#\"][^\"]*)", svg))


@pytest.mark.parametrize(("speech", "words"), [("en", "grad mode: off"), ("vi", "chế độ gradient: tắt")])
def test_the_script_draws_a_run(speech: str, words: str) -> None:
    spec = importlib.util.spec_from_file_location("picture", DOCS / "picture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    svg = module.picture(speech)
    text = "".join(ElementTree.fromstring(svg).itertext()).replace("\xa0", " ")
    assert words in text
    assert "MulBackward0" in text
    assert not links(svg)


@pytest.mark.parametrize("name", ["screen.svg", "screen.vi.svg"])
def test_the_shipped_pictures_are_whole(name: str) -> None:
    svg = (DOCS / name).read_text("utf-8")
    assert "MulBackward0" in "".join(ElementTree.fromstring(svg).itertext())
    assert not links(svg)
