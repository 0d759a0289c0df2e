"""A lesson's page in a browser: keys, answers, languages, looks, and what it keeps out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import gradrepl
from gradrepl.app.cli import main
from gradrepl.i18n import Speech
from gradrepl.lesson import shelf
from gradrepl.lesson.answers import meaning
from tests.whole import some

SAMPLE = Path(gradrepl.__file__).with_name("sample-lesson.md")  # a step of each kind but one
LESSONS = [shelf.id_of(path) for path in shelf.lessons()]
EACH = [(lesson, speech) for lesson in LESSONS for speech in ("vi", "en")]
LOOKS: list[tuple[Speech, str, int]] = [("vi", "light", 1280), ("en", "dark", 360), ("both", "light", 360)]


def step(page: Any) -> str:
    """The id of the step that is shown; exactly one is."""
    (shown,) = page.locator(".step:visible").all()
    return str(shown.get_attribute("id"))


def answered(page: Any, choose: str) -> Any:
    """The step with its answer given, and what the page said to it."""
    page.locator(f".step:visible input[value='{choose}']").check()
    page.keyboard.press("Enter")
    return page.locator(".step:visible .feedback")


@pytest.mark.parametrize("speech", ["vi", "en"])
def test_arrow_keys_lead_from_the_first_step_to_the_last_and_back(opened: Any, speech: str) -> None:
    page = opened("no-grad", speech)
    ids = page.locator(".step").evaluate_all("steps => steps.map(step => step.id)")
    seen = [step(page)]
    for _ in ids[1:]:
        page.keyboard.press("ArrowRight")
        seen.append(step(page))
        assert page.evaluate("document.activeElement.id") == seen[-1] + "-h"
    assert seen == ids
    page.keyboard.press("ArrowRight")
    assert step(page) == ids[-1]
    page.keyboard.press("ArrowLeft")
    assert step(page) == ids[-2]


@pytest.mark.parametrize(("lesson", "speech"), some(EACH, 0, 1))
def test_a_lesson_is_done_with_tab_space_and_enter_alone(opened: Any, lesson: str, speech: str) -> None:
    page = opened(lesson, speech)
    count = page.locator(".step").count()
    for number in range(count):
        page.locator(".step:visible h2").focus()
        form = page.locator(".step:visible form.task")
        if form.count():
            right = form.locator("[data-truth]").evaluate_all("asks => asks.map(ask => ask.dataset.truth)")
            give_answers_with_keys(page, right or [form.get_attribute("data-right")])
            assert form.locator(".feedback .said-wrong, .feedback .not").count() == 0
            assert form.locator(".feedback .said-right, .feedback .right").count() >= 1
        if number < count - 1:
            tab_to(page, "document.activeElement.id === 'next'")
            page.keyboard.press("Enter")
    assert step(page) == page.locator(".step").last.get_attribute("id")


def give_answers_with_keys(page: Any, answers: list[str]) -> None:
    for number, answer in enumerate(answers):
        tab_to(page, f"document.activeElement.matches('.current input') && place(document.activeElement) === {number}")
        if page.evaluate("document.activeElement.type") == "text":
            page.keyboard.type(answer)
            continue
        page.keyboard.press("Space")
        while page.evaluate("document.activeElement.value") != answer:
            page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def tab_to(page: Any, where: str) -> None:
    place = (
        "const place = field => field.closest('.ask')"
        " ? [...document.querySelectorAll('.current .ask')].indexOf(field.closest('.ask')) : 0;"
    )
    for _ in range(60):
        if page.evaluate(f"() => {{ {place} return {where}; }}"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to where {where}")


def test_the_answer_is_not_shown_before_one_was_given(opened: Any) -> None:
    page = opened("no-grad")
    page.locator("a[href='#step-later']").click()
    shown = page.locator(".step:visible")
    assert not shown.locator(".result").is_visible()
    assert "it is" not in shown.inner_text()
    said = answered(page, "False")
    assert said.inner_text() == "Right: z.requires_grad = False"
    assert shown.locator(".result .echo").is_visible()
    assert page.evaluate("document.activeElement.id") == "next"


def test_a_wrong_prediction_gets_the_feedback_of_the_lesson(opened: Any) -> None:
    page = opened("no-grad", "vi")
    page.locator("a[href='#step-later']").click()
    said = answered(page, "True")
    assert said.get_attribute("role") == "status"
    assert "bạn trả lời True" in said.inner_text() or "True" in said.inner_text().split("\n")[0]
    assert "Ra khỏi khối không trả lại lịch sử cho y" in said.inner_text()
    page.locator("header button[data-speech=en]").click()
    assert "Leaving the block does not give y its history back" in said.inner_text()
    assert "Ra khỏi khối" not in said.inner_text()


def test_a_wrong_choice_is_replied_to_and_can_be_corrected(opened: Any) -> None:
    page = opened("no-grad")
    page.locator("a[href='#step-why-no-history']").click()
    form = page.locator(".step:visible form")
    right = form.get_attribute("data-right")
    wrong = next(number for number in "123" if number != right)
    assert f"No, it isn't {wrong}." in answered(page, wrong).inner_text()
    assert not page.locator(".step:visible form.over").count()
    assert "Right." in answered(page, right).inner_text()
    assert page.locator(".step:visible form.over").count()


def test_an_empty_answer_is_asked_for(opened: Any) -> None:
    page = opened("no-grad")
    page.locator("a[href='#step-later']").click()
    page.locator(".step:visible [type=submit]").click()
    assert page.locator(".step:visible .feedback").inner_text() == "Answer first, or ask for the answer."
    page.locator(".step:visible .give-up").click()
    assert page.locator(".step:visible .feedback").inner_text() == "z.requires_grad: it is False."


def test_lines_are_put_in_order(opened: Any) -> None:
    page = opened("backward-errors")
    page.locator("a[href='#step-in-order']").click()
    form = page.locator(".step:visible form")
    field, said = form.locator("input"), form.locator(".feedback")
    right = form.get_attribute("data-right").split()
    for order, words in ((right[::-1], "not the order"), (["1", "2", "3", "4"], "does not belong"), (right, "Right.")):
        field.fill(" ".join(order))
        page.keyboard.press("Enter")
        assert words in said.inner_text()


@pytest.mark.parametrize("width", [1280, 360])
def test_switching_the_language_keeps_the_place(opened: Any, width: int) -> None:
    page = opened("backward-errors", "vi", viewport={"width": width, "height": 500})
    place = step(page)
    task = page.locator(".step:visible .statement").first
    task.evaluate("part => scrollBy(0, part.getBoundingClientRect().top - 20)")
    before = task.bounding_box()["y"]
    for speech in ("en", "both", "vi"):
        page.locator(f"header button[data-speech={speech}]").evaluate("button => button.click()")
        assert step(page) == place
        assert abs(task.bounding_box()["y"] - before) < 2
    assert page.evaluate("document.documentElement.lang") == "vi"


def test_the_language_and_the_colours_are_remembered(opened: Any) -> None:
    page = opened("nesting", "vi")
    page.locator("header button[data-speech=en]").click()
    page.locator("header button[data-theme=dark]").click()
    page.reload()
    assert page.locator("h1").inner_text() == "5. Nesting: the nearest one wins"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 28)"


def test_colours_follow_the_system_unless_chosen(opened: Any) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    page = opened("nesting", color_scheme="dark")
    assert page.evaluate(background) == "rgb(20, 23, 28)"
    page.locator("header button[data-theme=light]").click()
    assert page.evaluate(background) == "rgb(251, 250, 246)"


@pytest.mark.parametrize("lesson", some(LESSONS, 5, 9, 12))
def test_nothing_is_wider_than_a_phone(opened: Any, lesson: str) -> None:
    page = opened(lesson, "both", viewport={"width": 360, "height": 640})
    page.evaluate("document.documentElement.classList.remove('js')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_number_of_an_option_stays_on_one_line_on_a_phone(opened: Any) -> None:
    page = opened("no-grad", "vi", viewport={"width": 360, "height": 640})
    page.locator(".step").evaluate_all("steps => steps.forEach(step => step.classList.add('current'))")
    parts = """numbers => numbers.map((number) => {
      const range = document.createRange();
      range.selectNodeContents(number);
      return range.getClientRects().length;
    })"""
    assert set(page.locator(".option label > span:first-child").evaluate_all(parts)) == {1}


def test_on_paper_all_steps_are_open(opened: Any) -> None:
    page = opened("no-grad")
    page.emulate_media(media="print")
    assert all(shown.is_visible() for shown in page.locator(".step").all())
    assert all(shown.is_visible() for shown in page.locator(".result").all())
    assert not page.locator(".bar").is_visible()


def test_without_scripts_everything_can_be_read(opened: Any) -> None:
    page = opened("no-grad", java_script_enabled=False)
    assert page.locator(".step:visible").count() == page.locator(".step").count()


def test_a_swipe_turns_the_page(opened: Any) -> None:
    page = opened("no-grad", has_touch=True, viewport={"width": 360, "height": 640})
    first = step(page)
    swipe = """([from, to]) => {
      const touch = (x) => new Touch({identifier: 1, target: document.body, clientX: x, clientY: 300});
      document.body.dispatchEvent(new TouchEvent("touchstart", {bubbles: true, touches: [touch(from)]}));
      document.body.dispatchEvent(new TouchEvent("touchend", {bubbles: true, changedTouches: [touch(to)]}));
    }"""
    page.evaluate(swipe, [300, 100])
    assert step(page) != first
    page.evaluate(swipe, [100, 300])
    assert step(page) == first


def test_answers_mean_in_the_page_what_they_mean_at_the_prompt(opened: Any) -> None:
    page = opened("no-grad")
    texts = ["True", " đúng ", "KHÔNG", "none", "`None`", "không  có gì", "4", "4.0", "4,00", "4.00004", "1e3", "1_000"]
    texts += ["1000", "-2.", "+2", "MulBackward0", "<MulBackward0>", "mulbackward", "<AddBackward0 object at 0x7f00>"]
    texts += [
        "grad_fn=<MulBackward0>",
        "AccumulateGrad",
        "[1., 2.]",
        "[1.,2.]",
        "torch.float32",
        "0.33333",
        ".3333",
        "",
    ]
    texts += ["1,2,3", "(True, False)", "( true , false )", "x", "12345.6", "1.2346e4", "0", "dung\u0323"]
    found = page.evaluate("texts => texts.map(a => texts.map(b => same(a, b)))", texts)
    for row, one in zip(found, texts, strict=True):
        for same, other in zip(row, texts, strict=True):
            assert same == (meaning(one) == meaning(other) and type(meaning(one)) is type(meaning(other))), (one, other)


HOSTILE = """+++
id = "hostile"
title.vi = "Bài <script>hit('title')</script> <img src=x onerror=hit('t')>"
title.en = "A lesson <script>hit('title')</script> <img src=x onerror=hit('t')>"
goal.vi = "Xem `a` <b onclick=hit('g')>đậm</b>."
goal.en = "See `a` <b onclick=hit('g')>bold</b>."
+++

## guess {predict: s}
<!--vi-->
### Nhãn <img src=x onerror=hit('label')>

Đoán đi <script>hit('prose')</script> [đây](javascript:hit('link')) ![x](http://example.org/x.png) nhé bạn.
<!--en-->
### Label <img src=x onerror=hit('label')>

Guess <script>hit('prose')</script> [here](javascript:hit('link')) ![x](http://example.org/x.png) now.
<!--code-->
```pycon
>>> s = "<img src=x onerror=hit('code')></samp></pre><script>hit('out')</script>"
>>> print(s)
<img src=x onerror=hit('code')></samp></pre><script>hit('out')</script>

```
<!--if s == <script>hit('value')</script>-->
- vi: Không phải <img src=x onerror=hit('feedback')> đâu nhé.
- en: No, that <img src=x onerror=hit('feedback')> is wrong.
"""


def test_a_lesson_can_put_nothing_into_the_page_that_runs(opened: Any, tmp_path: Path) -> None:
    path = tmp_path / "hostile.md"
    path.write_text(HOSTILE, "utf-8")
    page = opened(path)
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1
    assert page.locator("a[href^='javascript']").count() == 0
    page.locator(".step:visible input").fill("<script>hit('value')</script>")
    page.keyboard.press("Enter")
    assert "<img src=x onerror=hit('feedback')>" in page.locator(".feedback").inner_text()
    assert page.locator("[onclick], [onerror]").count() == 0
    assert "<script>hit('out')</script>" in page.locator(".result .stdout").inner_text()


@pytest.mark.parametrize(
    "markup",
    [
        "<script>document.title = 'hit'</script>",
        "<img src='data:,' onerror=\"document.title = 'hit'\">",
        "<body onclick=\"document.title = 'hit'\">",
        "<style>body { background: red !important }</style>",
    ],
)
def test_the_policy_stops_markup_that_got_in_nevertheless(
    browser: Any, opened: Any, tmp_path: Path, markup: str
) -> None:
    page = opened("nesting")
    html = page.content().replace("<main", f"{markup}<main")
    html = re.sub(r"^(?!<!DOCTYPE)", "<!DOCTYPE html>", html)
    file = tmp_path / "changed.html"
    file.write_text(html, "utf-8")
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text))
    page.goto(file.as_uri())
    page.locator("h1").click()
    page.wait_for_timeout(50)
    assert page.title() != "hit"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(251, 250, 246)"
    assert any("Content Security Policy" in text for text in blocked)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A lesson with a step of each kind but one."""
    text = SAMPLE.read_text("utf-8").replace('"ID"', '"sample"')
    path = tmp_path / "sample.md"
    path.write_text(text.replace("TITLE_VI", "Một bài").replace("TITLE_EN", "One"), "utf-8")
    return path


@pytest.mark.parametrize("lesson", ["sample", *some(LESSONS)])
@pytest.mark.parametrize(("speech", "scheme", "width"), LOOKS)
def test_axe_finds_nothing(opened: Any, sample: Path, lesson: str, speech: Speech, scheme: str, width: int) -> None:
    source = axe()
    name = sample if lesson == "sample" else lesson
    page = opened(name, speech, color_scheme=scheme, bypass_csp=True, viewport={"width": width, "height": 800})
    page.evaluate(source)
    assert violations(page) == []
    page.locator(".step .give-up").evaluate_all("buttons => buttons.forEach(button => button.click())")
    page.locator("details").evaluate_all("all => all.forEach(details => { details.open = true; })")
    page.evaluate("document.querySelectorAll('.step').forEach(step => step.classList.add('current'))")
    assert violations(page) == []


def test_the_list_of_lessons_has_the_chosen_language_first(browser: Any, tmp_path: Path) -> None:
    assert main(["export", "1", "2", "--format", "html", "--to", f"{tmp_path}/"]) == 0
    page = browser.new_context(offline=True, bypass_csp=True, viewport={"width": 360, "height": 640}).new_page()
    page.goto((tmp_path / "index.html").as_uri())
    page.evaluate(axe())
    for speech, order in (("vi", ["vi", "en"]), ("en", ["en", "vi"])):
        page.locator(f"header button[data-speech={speech}]").click()
        heights = [page.locator(f".lessons .titles [lang={each}]").first.bounding_box()["y"] for each in order]
        assert heights == sorted(heights)
        assert violations(page) == []
    page.context.close()


def axe() -> str:
    """The script of axe-core."""
    package = pytest.importorskip("axe_core_python", reason="axe-core is not installed: pip install axe-core-python")
    return Path(package.__file__).with_name("axe.min.js").read_text("utf-8")


def violations(page: Any) -> list[tuple[str, str]]:
    found = page.evaluate("axe.run()")["violations"]
    return [(each["id"], node["html"][:200]) for each in found for node in each["nodes"][:2]]
