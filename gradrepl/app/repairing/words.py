"""What each class of damage is called, and what happened to a page that has it."""

from __future__ import annotations

from typing import NamedTuple

from gradrepl.i18n import mark


class Kind(NamedTuple):
    """A class of damage: its name, and a paragraph on how it comes about; both are marked messages."""

    name: str
    story: str


class Word(NamedTuple):
    """A verdict's name, a marked message."""

    name: str


KINDS = {
    "D01": Kind(
        mark("keyword translated"),
        mark(
            "A machine translated Python's keywords with the prose: `với` stands where `with` was. Python knows "
            "only the English words."
        ),
    ),
    "D02": Kind(
        mark("name misspelt"),
        mark(
            "Names of the API were misspelt or half translated. A name that PyTorch knows and that is nearly the "
            "same was put in its place; names that the page itself defines were left alone."
        ),
    ),
    "D03": Kind(
        mark("wrong characters"),
        mark(
            "Signs of Python became full-width or typographic ones, or letters were read in the wrong encoding. "
            "They look alike, but Python doesn't take them. Text within quotes stayed as it was."
        ),
    ),
    "D04": Kind(
        mark("statements run together"),
        mark(
            "The line breaks between statements were lost. Two values side by side can't be Python, so a new "
            "statement begins there."
        ),
    ),
    "D05": Kind(
        mark("prompts run together"),
        mark(
            "The line breaks before the prompts were lost. `>>>` is never Python, so a new input begins at each "
            "of them; a run of them is empty inputs."
        ),
    ),
    "D06": Kind(
        mark("notebook cells"),
        mark("`In [n]:` and `Out[n]:` come from IPython: the first is a prompt, the second stands before a value."),
    ),
    "D07": Kind(
        mark("output run into the code"),
        mark(
            "A statement and what it printed became one line. It was cut where the left part is a statement of "
            "known names and the right part looks like something that Python prints."
        ),
    ),
    "D08": Kind(
        mark("block and its indentation"),
        mark(
            "The lines of a block were run together or lost their indentation. Where the block ended can't always "
            "be known: what the page printed decides between several readings, or you are asked."
        ),
    ),
    "D09": Kind(
        mark("decimal comma"),
        mark("A machine wrote the printed numbers with a comma: 0,2824 is 0.2824. Code was not touched."),
    ),
    "D10": Kind(
        mark("eaten as HTML"),
        mark(
            "Names in angle brackets were taken for HTML and dropped: `grad_fn=<MulBackward0>` became `grad_fn=`. "
            "Any node counts as equal there."
        ),
    ),
    "D11": Kind(
        mark("backslash eaten"),
        mark("Backslashes of paths were dropped. No code needs them."),
    ),
    "D12": Kind(
        mark("output translated"),
        mark("What Python printed was translated too. Messages are compared by the class of the error or warning."),
    ),
    "D13": Kind(
        mark("comment translated"),
        mark("Comments were translated; they stayed as they are."),
    ),
    "D14": Kind(
        mark("not Python"),
        mark(
            "What a shell or Python says when it starts, or an import that every reader is thought to know, is "
            "not code of the page. Banners were dropped, and `import torch` was put first where it was missing."
        ),
    ),
    "D15": Kind(
        mark("operator or parentheses lost"),
        mark(
            "Markdown took `*` and `()` for its own signs. Which operator was there can't be known, so it is only "
            "offered: choose one yourself."
        ),
    ),
    "D16": Kind(
        mark("term mistranslated"),
        mark("Terms were mistranslated in the prose; it stayed as it is."),
    ),
    "D17": Kind(
        mark("older PyTorch"),
        mark(
            "The page is older: `print x` became `print(x)`; what an older PyTorch printed, such as AddBackward for "
            "AddBackward0, counts as equal."
        ),
    ),
}

VERDICTS = {
    "agree": Word(mark("agree")),
    "differs": Word(mark("differs")),
    "lost": Word(mark("lost by the page")),
    "silent": Word(mark("prints nothing")),
    "broken": Word(mark("broken")),
}
