"""What a statement did, as HTML: its code, what it showed, the table of tensors, the graph."""

from __future__ import annotations

from collections.abc import Iterator

from gradrepl.i18n import english, vietnamese
from gradrepl.lesson.model import Text
from gradrepl.record.page_graph import Node, Picture
from gradrepl.record.page_markup import both, code, inline, lines, words
from gradrepl.record.page_markup import said as _
from gradrepl.record.page_scene import Scene
from gradrepl.record.page_svg import svg
from gradrepl.record.writer import Explain
from gradrepl.session.outcome import Outcome, TensorRow
from gradrepl.view import mode
from gradrepl.view.choice import most_telling

COLUMNS = ("value", "requires_grad", "grad_fn", "grad", "leaf")
FIELDS = {"leaf": "is_leaf"}


def statement(scene: Scene, explain: Explain) -> str:
    """Everything of one statement."""
    outcome = scene.outcome
    switched = "on" if outcome.mode.enabled else "off"
    return f'<div class="statement recording-{switched}">{code(outcome.source)}{effects(scene, explain)}</div>'


def effects(scene: Scene, explain: Explain) -> str:
    """What came of a statement, without its code."""
    return _shown(scene.outcome, explain) + _table(scene.outcome) + _graph(scene.graph)


def _shown(outcome: Outcome, explain: Explain) -> str:
    parts = [f'<pre class="{output.kind}"><samp>{lines(output.text)}</samp></pre>' for output in outcome.outputs]
    parts += [
        f'<p class="warning"><b>{words(warned.category)}</b>: {words(warned.message)}</p>'
        for warned in outcome.warnings
    ]
    if outcome.failure is not None:
        parts.append(f'<pre class="error"><samp>{lines(outcome.failure.traceback.rstrip())}</samp></pre>')
    for texts in map(explain, outcome.explanations):
        if texts:
            vietnamese_text, english_text = texts
            text = Text(vi=vietnamese_text, en=english_text)
            parts.append(f'<div class="explanation">{both(text, inline, "p")}</div>')
    return "".join(parts)


def _table(outcome: Outcome) -> str:
    """The table of tensors, where a statement changed one of them or the grad mode."""
    if not (outcome.changed_rows or outcome.gone):
        return f'<p class="mode">{_mode(outcome)}</p>' if mode.worth_saying(outcome) else ""
    head = "".join(f'<th role="columnheader" scope="col">{name}</th>' for name in ("name", *COLUMNS))
    shown = most_telling(outcome.rows)
    rows = "".join(map(_row, shown)) + "".join(map(_gone, outcome.gone))
    hidden = len(outcome.rows) - len(shown)
    more = f'<p class="mode">{_("not shown: {count}").format(count=hidden)}</p>' if hidden else ""
    return (
        f'<table role="table"><caption>{_mode(outcome)}</caption><thead role="rowgroup"><tr role="row">{head}</tr>'
        f'</thead><tbody role="rowgroup">{rows}</tbody></table>{more}'
    )


def _mode(outcome: Outcome) -> str:
    texts = (("vi", mode.sentence(outcome, vietnamese)), ("en", mode.sentence(outcome, english)))
    return "".join(f'<span class="ui" lang="{language}">{words(text)}</span>' for language, text in texts)


def _row(row: TensorRow) -> str:
    new = "name" in row.changed
    cells = "".join(_cell(row, column, changed=not new) for column in COLUMNS)
    return _line("new" if new else "", words(row.name) + (_sign("+", _("new")) if new else ""), cells)


def _line(kind: str, name: str, cells: str) -> str:
    return f'<tr role="row" class="{kind}"><th role="rowheader" scope="row">{name}</th>{cells}</tr>'


def _cell(row: TensorRow, column: str, *, changed: bool) -> str:
    field = FIELDS.get(column, column)
    text = words(str(getattr(row, field)))
    marked = changed and field in row.changed
    kind = ' class="changed"' if marked else ' class="none"' if text == "None" else ""
    sign = _sign("~", _("changed")) if marked else ""
    return f'<td role="cell" data-column="{column}"{kind}><span>{text}{sign}</span></td>'


def _gone(name: str) -> str:
    rest = f'<td role="cell" colspan="{len(COLUMNS)}"></td>'
    return _line("gone", f"<s>{words(name)}</s>" + _sign("-", _("gone")), rest)


def _sign(sign: str, word: str) -> str:
    return f'<span class="sign"><span aria-hidden="true"> {sign}</span><small> {word}</small></span>'


def _graph(picture: Picture | None) -> str:
    """The drawing, and the same as a list for who doesn't see it."""
    if picture is None:
        return ""
    caption = _("the graph behind {name}").format(name=f"<code>{words(picture.name)}</code>")
    more = " " + _("(its first {count} nodes)").format(count=len(picture.nodes)) if picture.hidden else ""
    items = "".join(f"<li>{item}</li>" for item in _nodes(picture))
    return f'<figure><figcaption>{caption}{more}</figcaption>{svg(picture)}<ul class="unseen">{items}</ul></figure>'


def _nodes(picture: Picture) -> Iterator[str]:
    called = {node.number: _called(node) for node in picture.nodes}
    for node in picture.nodes:
        below = ", ".join(called[edge.end] for edge in picture.edges if edge.start == node.number)
        yield (
            _("{node} passes gradients to {others}").format(node=called[node.number], others=below)
            if below
            else called[node.number]
        )


def _called(node: Node) -> str:
    names = ", ".join(node.names)
    return words(f"{node.name} ({names})" if names else f"{node.name} #{node.number}")
