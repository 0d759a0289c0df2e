"""The passes in their order, and a page's way through them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import takewhile

from gradrepl.repair import characters, glue, margins, prompts, statements, unprompted, wrapped
from gradrepl.repair.code import LINE_REPAIRS, initializers
from gradrepl.repair.model import Line, Lines, Notes, Offer, Pass, Recovered, Statement, Vocabulary
from gradrepl.repair.printed import ERROR, canonical
from gradrepl.repair.prompts import DOTS, PROMPT
from gradrepl.repair.python import names_in, parses, tree_of
from gradrepl.repair.words import foreign_names, misspelt, respelt
from gradrepl.session.mask import mask

PASSES: tuple[Pass, ...] = (
    characters.mojibake,
    characters.entities,
    characters.invisible,
    margins.quoted,
    margins.gutters,
    margins.numbered,
    prompts.signs,
    margins.banners,
    prompts.split_prompts,
    unprompted.bare_cells,
    prompts.cells,
    unprompted.prompted,
    prompts.continuations,
    glue.outputs,
    wrapped.rejoined,
    glue.statements,
)
"""Page to page; first what tells code from output, so that later ones may touch one half only."""

LONGEST_PAGE = 300_000
LOST_OPERATOR = re.compile(r"(?<=[\w.)\]]) +(?=[\w(])")


def recover(text: str, vocabulary: Vocabulary) -> Recovered:
    """Return the statements of a page's text, with everything that was repaired. Pure and deterministic."""
    notes = Notes()
    lines = bounded(text[:LONGEST_PAGE], notes)
    if not prompts.has_cells(text) and (tree := tree_of(text)) is not None and is_program(tree):
        return of_python(text, tree, vocabulary)
    for repair in PASSES:
        lines = repair(lines, vocabulary, notes)
    own: set[str] = set()
    blocks = {repair.line for repair in notes.repairs if repair.damage == "D08"}
    found = []
    for code, below in statements.grouped(lines):
        statement = made(code, below, vocabulary, own, notes)
        if statement.line in blocks:
            statement = replace(statement, readings=other_blocks(statement.source))
        if statement.source.strip():
            found.append(statement)
    if any(repair.damage == "D09" for repair in notes.repairs):
        notes.offers += [each for statement in found for each in with_points(statement)]
    if notes.repairs and needs_torch(found):
        notes.repaired("D14", 1, "", "import torch")
        found.insert(0, Statement("import torch\n", "", 1, (notes.repairs[-1],)))
    repairs = tuple(sorted(notes.repairs, key=lambda repair: repair.line))
    return Recovered(tuple(found), repairs, tuple(notes.offers), prose_before(lines))


def is_program(tree: ast.Module) -> bool:
    """Whether all statements are meant as such: a number or True that stands alone is rather what a page printed."""
    values = [node.value for node in tree.body if isinstance(node, ast.Expr)]
    return bool(tree.body) and not any(
        isinstance(value, ast.Constant) and not isinstance(value.value, str | type(...)) for value in values
    )


def bounded(text: str, notes: Notes) -> Lines:
    """Return a page's lines; of a line that nobody wrote by hand, and of long gaps, little is kept."""
    lines = []
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LONGEST_LINE:
            notes.repaired("D14", number, line[:SHOWN] + "…", "")
            line = ""
        lines.append(Line(LONG_GAP.sub(" ", line), number))
    return lines


LONGEST_LINE, SHOWN = 20_000, 60
LONG_GAP = re.compile(r"\s{200,}")


def prose_before(lines: Lines) -> str:
    """Return what stands before the first statement."""
    texts = (line.text for line in takewhile(lambda line: not PROMPT.match(line.text), lines))
    return "\n".join(texts).strip()


def needs_torch(found: list[Statement]) -> bool:
    """Whether a page uses torch before it imports it."""
    for statement in found:
        if re.search(r"\bimport\b.*\btorch\b|\bfrom torch\b", statement.source):
            return False
        if re.search(r"(?<![\w.])torch\.", mask(statement.source)):
            return True
    return False


def of_python(text: str, tree: ast.Module, vocabulary: Vocabulary) -> Recovered:
    """Return the statements of a page that is a program already: only known wrong spellings are mended in it."""
    notes = Notes()
    own = set(names_in(text))
    found = []
    for line, source in statements.sources(text, tree):
        start = len(notes.repairs)
        source = with_names(source + "\n", "", line, vocabulary, own, notes, near=False)
        found.append(Statement(source, "", line, tuple(notes.repairs[start:])))
    return Recovered(tuple(found), tuple(notes.repairs), ())


def source_of(code: Lines) -> str:
    """Return a statement's lines without their prompts; blanks at their ends go where Python doesn't take them."""
    first, *rest = [line.text for line in code]
    lines = [PROMPT.sub("", first, count=1), *(DOTS.sub("", line, count=1) for line in rest)]
    while lines and not lines[-1].strip():
        lines.pop()
    source = "\n".join(lines) + "\n"
    return source if tree_of(source) is not None else "\n".join(line.rstrip() for line in lines) + "\n"


def made(code: Lines, below: Lines, vocabulary: Vocabulary, own: set[str], notes: Notes) -> Statement:
    """Return one statement with its words repaired, and what it printed in its plain form."""
    number, start = code[0].number, len(notes.repairs)
    source = source_of(code)
    printed = "\n".join(line.text for line in below).strip("\n")
    if "SyntaxError" not in printed and (not parses(source) or not ERROR.search(printed)):
        source = repaired_lines(source, number, notes, wrong=ERROR.search(printed) is not None)
    if (new := initializers(source)) != source:
        notes.repaired("D15", number, source, new)
    source = with_names(new, printed, number, vocabulary, own, notes)
    if not parses(source):
        offer(source, number, notes)
    printed = canonical(printed, below[0].number if below else number, notes)
    return Statement(source, printed, number, tuple(notes.repairs[start:]))


def repaired_lines(source: str, number: int, notes: Notes, *, wrong: bool) -> str:
    """Return a source with its lines repaired; of one that the page shows to be wrong, no call is made up.

    Of what parses nothing is repaired but calls and names that lost their signs (D15), and of strings nothing at all.
    """
    lines, whole = source.rstrip("\n").split("\n"), parses(source)
    for index, (line, covered) in enumerate(zip(lines, mask(source).split("\n"), strict=False)):
        lead = line[: len(line) - len(line.lstrip())]
        text = line.strip()
        for damage, repair in LINE_REPAIRS if covered.strip(' "') or not whole else ():
            new = text if (wrong if damage == "D15" else whole) else repair(text)
            if new != text:
                notes.repaired(damage, number + index, text, new)
                text = new
        lines[index] = lead + text
    return "\n".join(lines) + "\n"


def with_names(
    source: str, printed: str, number: int, vocabulary: Vocabulary, own: set[str], notes: Notes, near: bool = True
) -> str:
    """Return the source with misspelt names of the API repaired, unless the page shows the error they raise.

    own: the names that the page has defined so far, to which those of the source are added; near: see misspelt.
    """
    own |= names_in(source)
    for damage, find in (("D01", foreign_names), ("D02", partial(misspelt, vocabulary=vocabulary, near=near))):
        pairs = find(source, own=own)
        wrong = set(re.findall(r"\w+", printed)) if ERROR.search(printed) else set()
        new = respelt(source, [pair for pair in pairs if pair[0] not in wrong])
        if new != source:
            notes.repaired(damage, number, source, new)
        source = new
    return source


def other_blocks(source: str) -> tuple[str, ...]:
    """Return the source with one, two ... of its last lines moved out of the block: where that ends was lost."""
    lines = source.rstrip("\n").split("\n")
    found = []
    for count in range(1, min(len(lines) - 1, MOST_READINGS)):
        head, tail = lines[:-count], lines[-count:]
        level = min(len(line) - len(line.lstrip()) for line in tail)
        for out in range(level - 4, -1, -4):
            candidate = "\n".join([*head, *(line[level - out :] for line in tail)]) + "\n"
            if tree_of(candidate) is not None:
                found.append(candidate)
    return tuple(found)


MOST_READINGS = 8


def with_points(statement: Statement) -> Iterator[Offer]:
    """Offer decimal points for a list such as [0,5, 1,5], on a page that prints decimal commas: it has two numbers."""
    source = statement.source.strip()
    for found in COMMAS.finditer(mask(source)):
        numbers = re.sub(r"(?<=\d),(?=\d)", ".", found[0])
        yield Offer("D09", statement.line, source, (source[: found.start()] + numbers + source[found.end() :],))


COMMAS = re.compile(r"\[ *-?\d+,\d+(?:, +-?\d+,\d+)+ *\]")


def offer(source: str, number: int, notes: Notes) -> None:
    """Offer what a statement that doesn't parse may have been: two values side by side have lost an operator (D15)."""
    text = source.strip()
    for gap in list(LOST_OPERATOR.finditer(mask(text)))[:MOST_GAPS]:
        choices = [f"{text[: gap.start()]} {sign} {text[gap.end() :]}" for sign in ("*", "**", "-", "+", "/")]
        if all(map(parses, choices)):
            notes.offers.append(Offer("D15", number, text, tuple(choices)))
            return


MOST_GAPS = 20
