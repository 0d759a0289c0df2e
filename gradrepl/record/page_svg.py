"""A graph drawn as SVG: layers from the root down to the leaves, whole numbers only, so always the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from gradrepl.record.page_graph import Edge, Node, Picture
from gradrepl.view.safe import one_line

LETTER, LINE, PADDING, GAP, RISE, MARGIN = 8, 18, 12, 24, 44, 6
BEND = 22
LONGEST = 34


@dataclass(frozen=True, slots=True)
class Box:
    """A node's place; a box without lines is where a long edge passes. x: its middle; all in pixels."""

    lines: tuple[str, ...]
    leaf: bool
    x: int
    y: int
    width: int
    height: int


def svg(picture: Picture) -> str:
    """One <svg> element, hidden from screen readers; the list beside it says the same."""
    layers, routes = _layers(picture)
    boxes = _boxes(picture, layers)
    width = max(box.x + box.width // 2 for box in boxes.values()) + MARGIN
    height = max(box.y + box.height for box in boxes.values()) + MARGIN
    drawn = [*_curves(boxes, routes), *(_box(box) for box in boxes.values() if box.lines)]
    head = f'<svg class="graph" viewBox="0 0 {width} {height}" width="{width}" height="{height}" aria-hidden="true">'
    return head + "".join(drawn) + "</svg>"


def _depths(picture: Picture) -> Mapping[int, int]:
    """The longest way from the root to each node."""
    depths = {node.number: 0 for node in picture.nodes}
    for _ in picture.nodes:
        before = dict(depths)
        for edge in picture.edges:
            depths[edge.end] = max(depths[edge.end], depths[edge.start] + 1)
        if depths == before:
            break
    return depths


Route = tuple[Edge, tuple[int, ...]]


def _layers(picture: Picture) -> tuple[list[list[int]], list[Route]]:
    """Numbers by depth, with one of its own (below zero) wherever an edge passes a layer; each edge's way."""
    depths = _depths(picture)
    layers: list[list[int]] = [[] for _ in range(max(depths.values()) + 1)]
    for node in picture.nodes:
        layers[depths[node.number]].append(node.number)
    routes: list[Route] = []
    passing = 0
    for edge in picture.edges:
        way = [edge.start]
        for depth in range(depths[edge.start] + 1, depths[edge.end]):
            passing -= 1
            layers[depth].append(passing)
            way.append(passing)
        routes.append((edge, (*way, edge.end)))
    return _ordered(layers, routes), routes


def _ordered(layers: Sequence[list[int]], routes: Sequence[Route]) -> list[list[int]]:
    """Each layer in the order of the middle of what leads to it."""
    above: dict[int, list[int]] = {}
    for _edge, way in routes:
        for start, end in pairwise(way):
            above.setdefault(end, []).append(start)
    ordered = [list(layers[0])]
    for layer in layers[1:]:
        place = {number: index for index, number in enumerate(ordered[-1])}
        middle = {n: sum(place.get(a, 0) for a in above.get(n, [])) / max(len(above.get(n, [])), 1) for n in layer}
        ordered.append(sorted(layer, key=lambda number: (middle[number], abs(number))))
    return ordered


def _boxes(picture: Picture, layers: Sequence[Sequence[int]]) -> dict[int, Box]:
    nodes = {node.number: node for node in picture.nodes}
    sizes = {number: _size(nodes.get(number)) for layer in layers for number in layer}
    widths = [sum(sizes[number][1] + GAP for number in layer) - GAP for layer in layers]
    boxes: dict[int, Box] = {}
    y = MARGIN
    for layer, width in zip(layers, widths, strict=True):
        x = MARGIN + (max(widths) - width) // 2
        tallest = max(sizes[number][2] for number in layer)
        for number in layer:
            lines, wide, high = sizes[number]
            node = nodes.get(number)
            boxes[number] = Box(lines, node is not None and node.shape is not None, x + wide // 2, y, wide, high)
            x += wide + GAP
        y += tallest + RISE
    return boxes


def _size(node: Node | None) -> tuple[tuple[str, ...], int, int]:
    if node is None:
        return (), 2 * LETTER, 0
    lines = _lines(node)
    return lines, max(map(len, lines)) * LETTER + 2 * PADDING, len(lines) * LINE + PADDING


def _lines(node: Node) -> tuple[str, ...]:
    called = _short(", ".join(one_line(name) for name in node.names))
    shape = "" if node.shape is None else f"{called or '·'} {node.shape}"
    return tuple(line for line in (shape or called, _short(one_line(node.name))) if line)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _curves(boxes: Mapping[int, Box], routes: Sequence[Route]) -> Iterator[str]:
    for edge, way in routes:
        start = boxes[way[0]]
        path, x, y = f"M{start.x} {start.y + start.height}", start.x, start.y + start.height
        for number in way[1:]:
            box = boxes[number]
            path += f"C{x} {y + BEND} {box.x} {box.y - BEND} {box.x} {box.y}"
            x, y = box.x, box.y + box.height
        end = boxes[way[-1]]
        yield f'<path class="edge" d="{path}"/>'
        yield f'<path class="tip" d="M{end.x - 4} {end.y - 8}L{end.x} {end.y}L{end.x + 4} {end.y - 8}z"/>'
        if edge.count > 1:
            yield f'<text class="count" x="{end.x + 10}" y="{end.y - 10}">×{edge.count}</text>'


def _box(box: Box) -> str:
    kind = "leaf" if box.leaf else "node"
    left = box.x - box.width // 2
    shape = f'<rect class="{kind}" x="{left}" y="{box.y}" width="{box.width}" height="{box.height}" rx="8"/>'
    texts = (
        f'<text class="{"made" if index == 0 and (len(box.lines) > 1 or box.leaf) else "name"}" '
        f'x="{box.x}" y="{box.y + (index + 1) * LINE}">{escape(line)}</text>'
        for index, line in enumerate(box.lines)
    )
    return shape + "".join(texts)
