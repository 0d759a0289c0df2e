"""A lesson's page as bytes: equal each time, whole, hashed, with nothing in it that comes from elsewhere."""

from __future__ import annotations

import io
import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gradrepl.app import engines, lessons
from gradrepl.app.cli import main
from gradrepl.app.recording.forms import FORMS, take
from gradrepl.i18n import english
from gradrepl.lesson import shelf
from gradrepl.record.event import Event, Ran
from gradrepl.record.page_markup import code
from gradrepl.record.writer import Setting
from gradrepl.view.safe import one_line

each_lesson = pytest.mark.parametrize("stem", [path.stem for path in shelf.lessons()])
VOID = {"meta", "input", "br", "hr"}


def html(name: str) -> str:
    (lesson,) = lessons.named([name], english)
    return written(take(lesson, engines.load("builtin")))


def written(events: Iterable[Event]) -> str:
    out = io.StringIO()
    writer = FORMS[".html"].writer(out, Setting(engines.load("builtin"), "vi", lambda _: ()))
    for event in events:
        writer.add(event)
    writer.end()
    return out.getvalue()


class Reading(HTMLParser):
    """Reads a page: raises where an element is closed that isn't open; keeps ids, text and addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.named: list[str] = []
        self.addresses: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert "style" not in found and not any(name.startswith("on") for name in found)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.named += [found[name] or "" for name in ("for", "aria-labelledby") if name in found]
        self.addresses += [found[name] or "" for name in ("href", "src") if name in found]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data: str) -> None:
        self.words += data


@each_lesson
def test_a_page_is_whole_and_says_what_the_events_say(events: dict[str, list[Event]], stem: str) -> None:
    page = Reading(written(events[stem]))
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert set(page.named) <= set(page.ids)
    assert all(address.startswith("#step-") for address in page.addresses)
    for outcome in (outcome for event in events[stem] if isinstance(event, Ran) for outcome in event.outcomes):
        for line in outcome.stdout.splitlines() + (outcome.value or "").splitlines():
            assert line in page.words
        assert all(one_line(str(row.value)) in page.words for row in outcome.changed_rows)


def test_a_page_made_twice_is_equal_byte_for_byte() -> None:
    assert html("leaves") == html("leaves")


def test_the_policy_names_the_one_script_and_the_one_style() -> None:
    page = html("nesting")
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in page
    assert "unsafe" not in page.split("<style>")[0]


def test_graphs_are_drawings_with_a_way_for_each_edge() -> None:
    page = html("in-place")
    drawings = [ElementTree.fromstring(text) for text in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    assert len(drawings) > 5
    for drawing in drawings:
        width = int(drawing.get("width", "0"))
        boxes = drawing.findall("rect")
        ways = [path for path in drawing.findall("path") if path.get("class") == "edge"]
        assert len(ways) >= len(boxes) - 1
        assert all(0 <= int(box.get("x", "-1")) <= width - int(box.get("width", "0")) for box in boxes)


def test_an_operand_that_is_used_twice_has_one_edge_that_says_so() -> None:
    assert '<text class="count"' in html("in-place")


def test_code_over_several_lines_keeps_its_colours() -> None:
    drawn = code('x = """a\nb"""\n')
    assert drawn.count("<span") == drawn.count("</span>") == 4
    assert '<span class="string">&quot;&quot;&quot;a</span>\n' in drawn
    assert '... </span><span class="string">b&quot;&quot;&quot;</span>' in drawn


def test_a_folder_of_pages_has_a_list_of_them(tmp_path: Path) -> None:
    assert main(["export", "1", "2", "--format", "html", "--to", str(tmp_path)]) == 0
    index = (tmp_path / "index.html").read_text("utf-8")
    addresses = Reading(index).addresses
    assert addresses == ["01-no-grad.html", "02-no-grad-decorator.html"]
    for address in addresses:
        assert 'href="index.html"' in (tmp_path / address).read_text("utf-8")
    for language in ("vi", "en"):
        (lesson,) = lessons.named(["1"], english)
        assert lesson.title.get(language) in Reading(index).words


def test_several_lessons_make_one_page(tmp_path: Path) -> None:
    one, two = lessons.named(["1", "2"], english)
    engine = engines.load("builtin")
    text = written([*take(one, engine), *take(two, engine), *take(one, engine)])
    page = Reading(text)
    assert len(page.ids) == len(set(page.ids))
    assert text.count("<section") == 2 * len(one.steps) + len(two.steps)


def test_of_many_tensors_a_page_shows_the_newest(made: Callable[..., Path]) -> None:
    names = "; ".join(f"x{number} = torch.ones(1)" for number in range(20))
    path = made(f">>> import torch; {names}\n>>> x0 = torch.zeros(1)\n")
    text = html(str(path))
    table = text[text.rindex("<table") :]
    assert table.count('<tr role="row"') == 13  # a heading and twelve tensors
    assert ">x0<" in table
    assert ">x1<" not in table
    assert "not shown: 8<" in table
