"""A graph as a tree: one line a node, with what it made, what it keeps, and who else uses it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradrepl.session.outcome import Graph, NodeRow, Saved
from gradrepl.view.language import Translate
from gradrepl.view.safe import one_line

Span = tuple[str, str]


# From Unicode's strokes to those of ASCII, and to none for who listens rather than looks.
ASCII, INDENT = str.maketrans("├└│─", "|`|-"), str.maketrans("├└│─", "    ")


def lines(name: str, graph: Graph, _: Translate) -> Iterator[Sequence[Span]]:
    """The tree, line by line, each of pieces of text with their styles; then what isn't shown."""
    for row in graph.rows:
        yield [(_strokes(row.branches), "bright_black"), *_node(row, _)]
    if graph.more is not None:
        yield [(_hidden(name, graph, _), "bright_black")]


def _hidden(name: str, graph: Graph, _: Translate) -> str:
    if graph.exact:
        text = _("{hidden} of {count} nodes not shown; :g {name} {more} goes on at #{more}")
    else:
        text = _(
            "not shown: {hidden} of the first {count} nodes, and those behind; :g {name} {more} goes on at #{more}"
        )
    return text.format(hidden=graph.hidden, count=graph.count, name=one_line(name), more=graph.more)


def _strokes(branches: tuple[bool, ...]) -> str:
    above = "".join("│  " if more else "   " for more in branches[:-1])
    return above + ("├─ " if branches[-1] else "└─ ") if branches else ""


def _node(row: NodeRow, _: Translate) -> Iterator[Span]:
    yield f"#{row.number} ", "bright_black"
    called = ", ".join(one_line(name) for name in row.names)
    if row.shape is None:
        yield row.name, "cyan"
        if called:
            yield f" = {called}", "bold"
    else:
        yield called or _("leaf without a name"), "bold green"
        yield f" {row.name} {row.shape}", "green"
    if row.again:
        yield "  " + _("(see above)"), "bright_black"
    elif row.uses > 1:
        yield "  " + _("shared: used {count} times").format(count=row.uses), "magenta"
    if row.saved:
        yield "  " + _saved(row.saved, _), "bright_black" if not _lost(row.saved) else "yellow"


def _saved(items: Sequence[Saved], _: Translate) -> str:
    if all(item.freed for item in items if item.version is not None or item.freed) and any(i.freed for i in items):
        return _("what it kept was freed by backward()")
    return _("keeps {things}").format(things=", ".join(_thing(item, _) for item in items if not item.freed))


def _thing(item: Saved, _: Translate) -> str:
    text = f"{item.argument}={one_line(item.text)}" if item.text else item.argument
    if item.version is None:
        return text
    if item.version != item.now:
        return _("{thing} v{version}, now v{now}: backward() will refuse").format(
            thing=text, version=item.version, now=item.now
        )
    return f"{text} v{item.version}"


def _lost(items: Sequence[Saved]) -> bool:
    return any(item.freed or item.version != item.now for item in items)
