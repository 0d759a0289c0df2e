"""What a step asks for, as forms: predictions, choices, lines to put in order, code to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape

from gradrepl.lesson import player
from gradrepl.lesson.model import Kind, Step
from gradrepl.record.page_markup import both, code, inline, lines, prose, words
from gradrepl.record.page_markup import said as _
from gradrepl.record.page_scene import Act
from gradrepl.record.page_state import effects, statement
from gradrepl.record.writer import Explain

TRUTH_VALUES = ("True", "False")


def body(act: Act, explain: Explain) -> str:
    """What stands below a step's words."""
    return _BODIES[act.step.kind](act, explain)


def _run(act: Act, explain: Explain) -> str:
    return "".join(statement(scene, explain) for scene in act.given)


def _predict(act: Act, explain: Explain) -> str:
    step = act.step
    asked = "".join(_cell(act.id, place, cell, truth) for place, (cell, truth) in enumerate(_pairs(act)))
    replies = "".join(
        f'<template data-cell="{step.cells.index(item.cell)}" data-value="{escape(item.value)}">'
        f"{both(item.text, prose)}</template>"
        for item in step.feedback
        if item.cell in step.cells
    )
    truths = "".join(f"<li>{_is(words(cell), words(truth))}</li>" for cell, truth in _pairs(act))
    before = "".join(f'<div class="statement">{code(scene.outcome.source)}</div>' for scene in act.given)
    one = len(act.given) == 1
    after = "".join(effects(scene, explain) if one else statement(scene, explain) for scene in act.given)
    form = _form("predict", _("What will it be?"), asked, _("I don't know"))
    again = "" if one else " again"
    result = f'<ul class="truths">{truths}</ul>{after}'
    return f'<div class="before{again}">{before}</div>{_hints(step)}{form}{replies}{_result(result)}'


def _pairs(act: Act) -> list[tuple[str, str]]:
    return list(zip(act.step.cells, act.truths, strict=True))


def _is(cell: str, truth: str) -> str:
    return _("{cell}: it is {truth}.").format(cell=f"<code>{cell}</code>", truth=f"<code>{truth}</code>")


def _cell(owner: str, place: int, cell: str, truth: str) -> str:
    """One question; where the truth is True or False, one chooses."""
    id = f"{escape(owner)}-{place}"
    data = f'class="ask" data-truth="{escape(truth)}" data-name="{escape(cell)}"'
    name = f"<code>{words(cell)}</code>"
    if truth not in TRUTH_VALUES:
        field = f'<input type="text" id="{id}" autocomplete="off" autocapitalize="off" spellcheck="false">'
        return f'<p {data}><label for="{id}">{name}</label>{field}</p>'
    answers = "".join(
        f'<label><input type="radio" name="{id}" value="{value}"> {value}</label>' for value in TRUTH_VALUES
    )
    return f'<div {data} role="radiogroup" aria-labelledby="{id}"><span id="{id}">{name}</span>{answers}</div>'


def _choice(act: Act, explain: Explain) -> str:
    step, options = act.step, player.options(act.step)
    right = next(number for number, option in enumerate(options, 1) if option.right)
    asked = "".join(
        f'<div class="option"><input type="radio" name="{escape(act.id)}" id="{escape(act.id)}-{number}"'
        f' value="{number}"><label for="{escape(act.id)}-{number}"><span>{number}.</span>'
        f"<span>{both(option.text, inline, 'span')}</span></label></div>"
        for number, option in enumerate(options, 1)
    )
    replies = "".join(
        f'<template data-value="{number}">{both(option.reply, prose)}</template>'
        for number, option in enumerate(options, 1)
        if option.reply is not None
    )
    form = _form("choice", _("Choose one answer"), asked, _("show the answer"), right=str(right))
    shown = f'<p class="truths">{_("Right is {number}.").format(number=right)}</p>{_run(act, explain)}'
    return f"{_hints(step)}{form}{replies}{_result(shown)}"


def _exercise(act: Act, explain: Explain) -> str:
    step = act.step
    template = (
        f'<pre class="blanks"><code>{lines(player.template(step).rstrip())}</code></pre>' if step.template else ""
    )
    tried = f"<code>gradrepl learn {words(act.lesson.id)}</code>"
    invitation = f'<p class="invitation">{_("To try it: {command}").format(command=tried)}</p>'
    return f"{_run(act, explain)}{template}{invitation}{_hints(step)}{_solution(act, explain)}"


def _parsons(act: Act, explain: Explain) -> str:
    step, id = act.step, f"{escape(act.id)}-order"
    right = player.right_order(step)
    rows = "".join(f"<li><code>{lines(line)}</code></li>" for line in player.lines(step))
    label = _("the lines in order, such as 2 1 3:")
    field = f'<input type="text" id="{id}" inputmode="numeric" autocomplete="off">'
    asked = f'<ol class="lines">{rows}</ol><p class="ask"><label for="{id}">{label}</label>{field}</p>'
    form = _form("parsons", _("Put the lines in order"), asked, "", right=" ".join(map(str, right)))
    strays = "".join(_stray(step, number) for number in range(1, len(player.lines(step)) + 1))
    return f"{_run(act, explain)}{_hints(step)}{form}{strays}{_solution(act, explain)}"


def _stray(step: Step, number: int) -> str:
    distractor = player.distracted(step, [number])
    if distractor is None:
        return ""
    line = f"<code>{words(distractor.source.strip())}</code>"
    said = _("This line does not belong: {line}").format(line=line)
    return f'<template data-value="{number}"><p>{said}</p>{both(distractor.text, prose)}</template>'


def _form(kind: str, legend: str, asked: str, giving_up: str, right: str = "") -> str:
    leave = f'<button type="button" class="give-up">{giving_up}</button>' if giving_up else ""
    return (
        f'<form class="task" data-kind="{kind}" data-right="{right}"><fieldset><legend>{legend}</legend>{asked}'
        f'<p class="buttons"><button type="submit">{_("check")}</button>{leave}</p></fieldset>'
        '<div class="feedback" role="status"></div></form>'
    )


def _result(html: str) -> str:
    return f'<div class="result">{html}</div>'


def _hints(step: Step) -> str:
    return "".join(
        f"<details><summary>{_('hint')} {number}</summary>{both(hint, prose)}</details>"
        for number, hint in enumerate(step.hints, 1)
    )


def _solution(act: Act, explain: Explain) -> str:
    shown = "".join(statement(scene, explain) for scene in act.solved)
    wrong = "".join(
        f"<li>{''.join(code(example.source) for example in attempt.examples)}{both(attempt.text, prose)}</li>"
        for attempt in act.step.wrong
    )
    others = f"<p>{_('What does not work, and why:')}</p><ul>{wrong}</ul>" if wrong else ""
    return f"<details><summary>{_('a solution')}</summary>{shown}{others}</details>"


_BODIES: Mapping[Kind, Callable[[Act, Explain], str]] = {
    "run": _run,
    "predict": _predict,
    "choice": _choice,
    "fill": _exercise,
    "try": _exercise,
    "make": _exercise,
    "parsons": _parsons,
}
