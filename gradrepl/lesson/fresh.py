"""The same code with other numbers: those of tensors and factors that the words don't name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256

from gradrepl.lesson import player
from gradrepl.lesson.model import Feedback, Lesson, Step
from gradrepl.lesson.needed import needed
from gradrepl.lesson.player import Place
from gradrepl.session.core import Session
from gradrepl.session.engine import Engine

DATA = {"tensor": 0, "full": 1, "full_like": 1}
NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)?(?!\w)")
WRITTEN = re.compile(r"\d+\.?\d*|\.\d+")
CODE = re.compile(r"`([^`\n]+)`")
CORE = re.compile(r"[1-9](?:[\d.]*[1-9])?")
WORDS = {
    "1": ("one", "một"),
    "2": ("two", "twice", "double", "doubles", "doubler", "doubled", "hai", "đôi", "half", "nửa"),
    "3": ("three", "triple", "tripler", "triples", "ba"),
    "4": ("four", "bốn"),
    "5": ("five", "năm"),
    "6": ("six", "sáu"),
    "10": ("ten", "mười"),
}
TRIES, SALTS = 6, 40
Answers = tuple[list[str], tuple[str, ...]]  # the errors of the code, and what the cells are


def question(lesson: Lesson, index: int, key: str, engine: Engine) -> tuple[Place, Step]:
    """Return a prediction or a choice to be asked by itself: what is to run before it, as a place, and the step.

    The numbers of a prediction are others; key: what they depend on. Where they can't be changed without making it
    another question, they stay. Only what the question depends on runs before it.
    """
    place = Place(lesson)
    while place.index < index:
        place = player.forward(place)
    step = place.step
    found = answers(place, step, engine)
    for salt in range(TRIES if found and step.kind == "predict" else 0):
        other_place, other = renumbered(place, step, f"{key} {salt}")
        other_found = None if other == step else answers(other_place, other, engine)
        if alike(found, other_found):
            place, step, found = other_place, other, other_found
            break
    shortened = short(place, step)
    return (shortened if answers(shortened, step, engine) == found else place), step


def short(place: Place, step: Step) -> Place:
    """Return a place before which only that runs which a step depends on.

    That is what its code, its cells and the code in its words need; a choice is about the step before it as well.
    """
    last = place.done[-1] if place.done and step.kind == "choice" else ()
    before = [source for sources in place.done for source in sources]
    options = [option.text.en for option in step.options]
    spans = [span for text in (step.prose.en, *options) for span in CODE.findall(text)]
    asked = [*last, *(example.source for example in step.examples), *step.cells, *filter(is_code, spans)]
    return replace(place, done=((*needed(before[: len(before) - len(last)], asked), *last),))


def is_code(text: str) -> bool:
    """Whether a text is a Python expression."""
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def answers(place: Place, step: Step, engine: Engine) -> Answers | None:
    """Return the errors of a step's code and the truths of its cells; None where a cell has none."""
    with session_at(place, engine) as session:
        ran = player.run(step.examples, session)
        errors = [outcome.failure.type if outcome.failure else "" for _, outcomes in ran for outcome in outcomes]
        try:
            return errors, player.truths(step, session)
        except player.CellError:
            return None


@contextmanager
def session_at(place: Place, engine: Engine) -> Iterator[Session]:
    """Give a session at a place, of which nothing is left afterwards.

    A generator that is found to be garbage later would switch the grad mode of whatever runs then.
    """
    with player.session_at(place, engine) as session:
        try:
            yield session
        finally:
            session.names.clear()


def alike(one: Answers | None, other: Answers | None) -> bool:
    """Whether another question is as hard: the same errors, the same words, numbers in their place, none longer."""
    if one is None or other is None or one[0] != other[0]:
        return False
    return all(
        WRITTEN.sub("#", was) == WRITTEN.sub("#", now) and len(now) <= len(was)
        for was, now in zip(one[1], other[1], strict=True)
    )


def renumbered(place: Place, step: Step, key: str) -> tuple[Place, Step]:
    """Return a place and its step with other numbers, unrun; the same where none may change."""
    sources = [source for done in place.done for source in done] + [item.source for item in step.examples]
    mapping = other_numbers(sources, texts(step), key)
    done = tuple(tuple(changed(source, mapping) for source in sources) for sources in place.done)
    examples = tuple(replace(item, source=changed(item.source, mapping), want="") for item in step.examples)
    if [item.source for item in examples] == [item.source for item in step.examples] and done == place.done:
        return place, step
    feedback = tuple(item for item in step.feedback if numberless(item))
    return replace(place, done=done), replace(step, examples=examples, feedback=feedback)


def texts(step: Step) -> list[str]:
    """Return the words that are shown with a question."""
    return [words for text in (step.prose, *step.hints) for words in (text.vi, text.en)]


def numberless(feedback: Feedback) -> bool:
    """Whether a reply still holds with other numbers."""
    return not any(NUMBER.search(text) for text in (feedback.value, feedback.text.vi, feedback.text.en))


def other_numbers(sources: Sequence[str], words: Iterable[str], key: str) -> Mapping[str, str]:
    """Return which digits become which, the same everywhere: "3" for 3, 3. and 0.3.

    Empty if the words name a number that isn't in the code: it may be what comes out.
    """
    fixed, present = mentioned([*words]), {core(word) for source in sources for word in WRITTEN.findall(source)}
    if not fixed <= present | {""}:
        return {}
    fixed |= spelled([*words, *sources])
    old = dict.fromkeys(core(text) for source in sources for _, text in numbers(source))
    mapping: dict[str, str] = {}
    for digits in (digits for digits in old if digits and digits not in fixed):
        taken = fixed | old.keys() | {*mapping.values()}
        mapping[digits] = next((new for new in others(digits, key) if new not in taken), digits)
    return mapping


def mentioned(words: Iterable[str]) -> set[str]:
    """Return the digits of the numbers that texts name."""
    return {core(number.replace(",", ".")) for text in words for number in NUMBER.findall(text)}


def spelled(words: Iterable[str]) -> set[str]:
    """Return the digits of the numbers that texts name in words, names in code among them."""
    found = {word for text in words for word in re.findall(r"[^\W\d_]+", text.casefold())}
    return {digits for digits, names in WORDS.items() if found & {*names}}


def core(number: str) -> str:
    """Return a number's digits without the zeros around them, such as "1.5" or "3" for 30 and 0.3; "" for 0."""
    found = CORE.search(number)
    return found[0] if found else ""


def others(digits: str, key: str) -> Iterator[str]:
    """Yield digits of the same length, in an order that depends on the key alone."""
    for salt in range(SALTS):
        seed = sha256(f"{key} {digits} {salt}".encode()).digest()
        fresh = [str(byte % 8 + 2) for byte in seed]
        yield "".join(fresh[place] if sign.isdigit() else sign for place, sign in enumerate(digits))


def changed(source: str, mapping: Mapping[str, str]) -> str:
    """Return a source with other numbers in its tensors and factors."""
    lines = source.encode().split(b"\n")
    for node, text in sorted(numbers(source), key=lambda item: (item[0].lineno, item[0].col_offset), reverse=True):
        old = core(text)
        line, start = lines[node.lineno - 1], node.col_offset
        new = text.replace(old, mapping.get(old, old), 1) if old else text
        lines[node.lineno - 1] = line[:start] + new.encode() + line[start + len(text) :]
    return b"\n".join(lines).decode()


def numbers(source: str) -> Iterator[tuple[ast.Constant, str]]:
    """Yield the numbers of tensors and factors as they are written; none where the source can't be parsed."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    seen = set()
    for node in (found for part in ast.walk(tree) for found in of_node(part)):
        text = ast.get_source_segment(source, node) or ""
        place = node.lineno, node.col_offset
        if WRITTEN.fullmatch(text) and place not in seen:
            seen.add(place)
            yield node, text


def of_node(node: ast.AST) -> Iterator[ast.Constant]:
    """Yield the numbers that are a tensor's data, as floats, or a factor."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        place = DATA.get(name, len(node.args))
        if place < len(node.args):
            yield from (item for item in literals(node.args[place]) if isinstance(item.value, float))
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Mult):
        pair = [node.target, node.value] if isinstance(node, ast.AugAssign) else [node.left, node.right]
        if not any(is_step_or_repeated(part) for part in pair):
            yield from (part for part in pair if isinstance(part, ast.Constant) and type(part.value) in (int, float))


def is_step_or_repeated(node: ast.AST) -> bool:
    """Whether a factor belongs to a learning step (`0.1 * w.grad`) or says how often a literal is repeated."""
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, int | float)
    return isinstance(node, ast.List | ast.Tuple) or (isinstance(node, ast.Attribute) and node.attr == "grad")


def literals(node: ast.AST) -> Iterator[ast.Constant]:
    """Yield the constants of nested lists."""
    if isinstance(node, ast.Constant):
        yield node
    elif isinstance(node, ast.List | ast.Tuple):
        for item in node.elts:
            yield from literals(item)
    elif isinstance(node, ast.UnaryOp):
        yield from literals(node.operand)
