"""Pages made by damaging true transcripts, each kind of damage in its own function."""

from __future__ import annotations

import ast
import html
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from support.running import SNIPPETS, snippets

from gradrepl.app import engines
from gradrepl.lesson.load import load
from gradrepl.lesson.matching import shown
from gradrepl.session.core import Session, statements

LESSONS = Path(__file__).parent.parent.parent / "lessons"


@dataclass(frozen=True)
class Item:
    """A statement and what it prints; both end in a newline unless they are empty."""

    source: str
    output: str


Transcript = tuple[Item, ...]
Damage = Callable[[random.Random, Transcript], Transcript]
Form = Callable[[Transcript], str]


def run(sources: Sequence[str]) -> Transcript:
    """Run sources one after the other; each is one statement, or several on a line."""
    made = []
    with Session(engine := engines.load("builtin")) as session:
        engine.torch.manual_seed(0)
        for source in sources:
            outcomes = list(session.run(source))
            text = shown(outcomes)
            for outcome in outcomes:
                text += "".join(f"{warned.category}: {warned.message}\n" for warned in outcome.warnings)
                text += outcome.failure.traceback.rstrip("\n") + "\n" if outcome.failure else ""
            made.append(Item(source, text))
    return tuple(made)


def of_lesson(path: Path) -> Transcript:
    """The code of a lesson as one transcript."""
    return run(["import torch\n", *(e.source for step in load(path).steps for e in step.examples)])


def of_snippet(program: str) -> Transcript:
    """A program of the engine's tests, statement by statement."""
    return run(
        ["import torch\n", *(text.rstrip("\n") + "\n" for _, text, _ in statements(program, ast.parse(program).body))]
    )


def transcripts() -> dict[str, Transcript]:
    """True transcripts by name."""
    found = {path.stem: of_lesson(path) for path in sorted(LESSONS.glob("[0-9]*.md"))}
    for name in (
        "autograd_modes",
        "autograd_hooks",
        "tensor_first_steps",
        "tensor_views",
        "training",
        "tensor_printing",
    ):
        for number, program in enumerate(snippets(SNIPPETS / f"{name}.txt")[:6]):
            if "try:" not in program and program.count("\n") < 40:
                found[f"{name}-{number}"] = of_snippet(program)
    return found


def on_sources(change: Callable[[str], str]) -> Damage:
    return lambda _, items: tuple(replace(item, source=change(item.source)) for item in items)


def on_outputs(change: Callable[[str], str]) -> Damage:
    return lambda _, items: tuple(replace(item, output=change(item.output)) for item in items)


VIETNAMESE = {"with": "với", "for": "cho", "import": "nhập", "if": "nếu", "def": "định nghĩa", "return": "trả về"}
CHINESE = {"import": "导入", "return": "返回", "if": "如果", "print": "打印"}
MISSPELT = {
    "requires_grad": "requirements_grad",
    "no_grad": "no_gard",
    "autograd": "autogard",
    "set_grad_enabled": "set_grad_enable",
    "enable_grad": "Enable_grad",
    "manual_seed": "manual_sed",
}
FULL_WIDTH = str.maketrans("(),:=", "（），：＝")
TYPOGRAPHIC = str.maketrans({'"': "”", "'": "’"})
MESSAGES = {
    "Traceback (most recent call last)": "Traceback (cuộc gọi gần đây nhất cuối cùng)",
    'File "<stdin>", line': 'Tệp "", dòng',
    "UserWarning: The .grad attribute of a Tensor": "UserWarning: Thuộc tính .grad của một Tensor",
}


def translated(words: dict[str, str]) -> Damage:
    def change(source: str) -> str:
        if '"' in source or "'" in source or "#" in source:
            return source
        return re.sub(rf"^(\s*)({'|'.join(words)})\b", lambda m: m[1] + words[m[2]], source, flags=re.MULTILINE)

    return on_sources(change)


def misspelt(source: str) -> str:
    """Names of the API misspelt where they stand behind a dot or before an equal sign."""
    if '"' in source or "'" in source or "#" in source:
        return source
    for right, wrong in MISSPELT.items():
        source = re.sub(rf"(?<=\.){right}\b(?!_)|(?<=[,(] ){right}(?==)|(?<=[,(]){right}(?==)", wrong, source)
    return source


def full_width(source: str) -> str:
    return source if '"' in source or "'" in source or "#" in source else source.translate(FULL_WIDTH)


def typographic(source: str) -> str:
    return source if "#" in source or '"""' in source else source.translate(TYPOGRAPHIC)


def with_messages(output: str) -> str:
    for english, vietnamese in MESSAGES.items():
        output = output.replace(english, vietnamese)
    return output


INVISIBLE = {" ": "\u00a0", "_": "_\u200b", "-": "\u2011"}


def with_invisible(source: str) -> str:
    """Blanks that don't break, and what has no width, outside of strings and comments and behind the indentation."""
    if '"' in source or "'" in source or "#" in source:
        return source
    return re.sub(r"(?<=\S)[ _-]", lambda found: INVISIBLE[found[0]], source)


def with_paths(output: str) -> str:
    """Tracebacks from a Windows computer whose backslashes were eaten."""
    return output.replace('File "<stdin>"', 'File "D:Anaconda3envsdllibsite-packages orch ensor.py"')


def commented(source: str) -> str:
    """A comment that was translated twice, behind a statement of one line."""
    alone = source.count("\n") == 1 and "#" not in source and '"' not in source and not source.strip().endswith("\\")
    return source.rstrip("\n") + "  # Yêu cầu 求导, với x: đối tượng\n" if alone else source


def without_signs(source: str) -> str:
    """What Markdown took for its own signs and a reader can tell: double underscores, parentheses of a with block."""
    source = re.sub(r"(?<=\.)__(init|name|class)__|(?<=def )__(init)__", lambda m: f"**{m[1] or m[2]}**", source)
    return re.sub(r"(?m)^( *with torch\.(?:no_grad|enable_grad))\(\):", r"\1:", source)


def without_operators(source: str) -> str:
    """What nobody can tell: which operator stood between two values."""
    return source if '"' in source or "'" in source else re.sub(r"(?<=\w) [*] (?=\w)", " ", source)


def with_prose(items: Transcript) -> Transcript:
    """Sentences with mistranslated terms (D16) between the statements."""
    words = "\nKhi đó độ dốc của chức năng được tính theo nguyên tắc lân cận, với x: như trên.\n\n"
    return tuple(replace(item, output=item.output + words * (number % 3 == 2)) for number, item in enumerate(items))


DAMAGES: dict[str, Damage] = {
    "D01": translated(VIETNAMESE),
    "D01-zh": translated(CHINESE),
    "D02": on_sources(misspelt),
    "D03": on_sources(full_width),
    "D03-quotes": on_sources(typographic),
    "D09": on_outputs(lambda text: text if "Traceback" in text else re.sub(r"(?<=\d)\.(?=\d)", ",", text)),
    "D10": on_outputs(lambda text: re.sub(r"<\w+>", "", text)),
    "D12": on_outputs(with_messages),
    "D03-invisible": on_sources(with_invisible),
    "D11": on_outputs(with_paths),
    "D13": on_sources(commented),
    "D15": on_sources(without_signs),
    "D16": lambda _, items: with_prose(items),
    "D17": on_outputs(lambda text: re.sub(r"Backward\d>", "Backward>", text)),
    "D17-print": on_sources(lambda source: re.sub(r"^print\(([^()=]+)\)$", r"print \1", source, flags=re.MULTILINE)),
}


def prompts(source: str) -> str:
    lines = source.rstrip("\n").split("\n")
    return "".join(f"{'... ' if number else '>>> '}{line}".rstrip() + "\n" for number, line in enumerate(lines))


def plain(items: Transcript) -> str:
    return "".join(prompts(item.source) + item.output for item in items)


def glued(items: Transcript) -> str:
    """Prompts follow what stands before them without a line break (D05), continuations too (D08)."""
    text = "".join(
        re.sub(r"\n\.\.\. ?", "... ", prompts(item.source).rstrip("\n")) + "\n" * bool(item.output) + item.output
        for item in items
    )
    return re.sub(r"\n(?=>>> )", "", text.replace("\n>>>", ">>>").replace(")>>>", ")>>>"))


def glued_prompts(items: Transcript) -> str:
    """Each statement of one line has lost the line break before its prompt, but not the one before its output."""
    return re.sub(r"\n(?=>>> )", "", plain(items))


def glued_outputs(items: Transcript) -> str:
    """What bare attributes and names print is glued to them (D07)."""
    text = ""
    for item in items:
        shown_at_once = re.fullmatch(r"[\w.()]+\n", item.source) and re.match(r"True|False|None|tensor\(", item.output)
        text += prompts(item.source).rstrip("\n") + "\n" * (not shown_at_once) + item.output
        text += "" if text.endswith("\n") else "\n"
    return text


def cells(items: Transcript) -> str:
    """As IPython shows it (D06)."""
    text = ""
    for number, item in enumerate(items, 1):
        lines = item.source.rstrip("\n").split("\n")
        text += f"In [{number}]: {lines[0]}\n" + "".join(f"   ...: {line}\n" for line in lines[1:])
        echoed = item.output and re.match(r"\w+\(|[\w.]+$", item.source) and "print" not in item.source
        text += (f"Out[{number}]: " if echoed and "Traceback" not in item.output else "") + item.output + "\n"
    return text


BANNER = """Microsoft Windows [Version 10.0.18363.1082]
(c) 2019 Microsoft Corporation. All rights reserved.

C:Userschenxuqi>conda activate pytorch_1.7.1

(pytorch_1.7.1) C:Userschenxuqi>python
Python 3.7.9 (default, Aug 31 2020, 17:10:11) [MSC v.1916 64 bit (AMD64)] :: Anaconda, Inc. on win32
Nhập "trợ giúp", "copyright", "credits" or "license" for more information.
"""
ADVERT = "\nQuảng cáo: khoá học Python giảm giá 50% hôm nay!\nNguồn: https://example.com/bai-viet?id=1&x=2\n"


def with_banner(items: Transcript) -> str:
    half = len(items) // 2
    return ADVERT + BANNER + plain(items[:half]) + plain(items[half:]) + ADVERT


def numbered(items: Transcript) -> str:
    lines = plain(items).rstrip("\n").split("\n")
    return "\n".join(f"{number:>3} {line}" for number, line in enumerate(lines, 1))


def as_html(items: Transcript) -> str:
    text = html.escape(plain(items))
    head = "<!DOCTYPE html><html><head><title>x</title></head><body><p>Bài viết về autograd.</p>"
    return f"{head}<pre>{text}</pre></body></html>"


def as_markdown(items: Transcript) -> str:
    return f"# Autograd\n\nMột đoạn văn.\n\n```python\n{plain(items)}```\n\nHết.\n"


def as_notebook(items: Transcript) -> str:
    made = []
    for item in items:
        output = {"output_type": "stream", "name": "stdout", "text": [item.output]}
        made.append(
            {"cell_type": "code", "source": [item.source.rstrip("\n")], "outputs": [output] if item.output else []}
        )
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made})


def unindented(items: Transcript) -> str:
    """The indentation behind the prompts is gone (D08)."""
    return "".join(re.sub(r"(?m)^\.\.\. +", "... ", prompts(item.source)) + item.output for item in items)


def mojibake(items: Transcript) -> str:
    """UTF-8 read as Windows-1252, as browsers do: bytes that it lacks stay as they are."""
    data = f"Với torch.no_grad() thì không ghi lại.\n{plain(items)}".encode()
    return "".join(bytes((byte,)).decode("cp1252" if byte not in UNDEFINED else "latin-1") for byte in data)


def run_together(items: Transcript) -> str:
    """No prompts, and statements and values of one line side by side in it (D04)."""
    text = "Tóm tắt: "
    for count, item in enumerate(items, 1):
        ends = "\n\n" if count % 4 == 0 else " "
        text += item.source.rstrip("\n") + (" " + item.output.rstrip("\n") if item.output else "") + ends
    return text


def without_prompts(items: Transcript) -> str:
    """A program and what it printed, each output below its statement."""
    return "Một chương trình.\n\n" + "\n".join(item.source + item.output for item in items)


def in_mail(items: Transcript) -> str:
    return "Anh ấy viết:\n" + "".join(f"> {line}\n" for line in plain(items).splitlines()) + "\nVâng.\n"


def with_gutters(items: Transcript) -> str:
    """Columns of line numbers below each piece of code, and labels, as blogs are copied."""
    text = ""
    for item in items:
        lines = item.source.rstrip("\n").split("\n")
        numbers = "\n".join(str(number) for number, _ in enumerate(lines, 1))
        text += "\n" + item.source + numbers + "\n复制代码\n" + ("输出：\n" + item.output if item.output else "") + "\n"
    return text


def escaped_twice(items: Transcript) -> str:
    return f"<html><body><pre>{html.escape(html.escape(plain(items)))}</pre></body></html>"


UNDEFINED = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
FORMS: dict[str, Form] = {
    "plain": plain,
    "D05": glued_prompts,
    "D05-D08": glued,
    "D06": cells,
    "D07": glued_outputs,
    "D08": unindented,
    "D14": with_banner,
    "numbered": numbered,
    "html": as_html,
    "markdown": as_markdown,
    "ipynb": as_notebook,
    "mojibake": mojibake,
    "D04": run_together,
    "no-prompts": without_prompts,
    "mail": in_mail,
    "gutters": with_gutters,
    "escaped-twice": escaped_twice,
}
BARE = ("D04", "no-prompts", "gutters")
"""Forms without prompts, in which a name that stands alone is no statement."""
FLAT = re.compile(r"\b(?:with|for|if|def|class|while|try)\b.*:")


def undamaged_by(form: str, items: Transcript) -> Transcript:
    """The part of a transcript whose meaning a form keeps: without indentation nobody knows where a block ends."""
    if form in BARE:
        kept = run([item.source for item in items if stands_out(item.source, one_line=form == "D04")])
        return (
            kept
            if form != "D04"
            else tuple(item for item in kept if item.output.count("\n") <= 1 and "Warning" not in item.output)
        )
    if form not in ("D08", "D05-D08"):
        return items
    return run([item.source for item in items if deepest(item.source) <= 4 and not dedents(item.source)])


def stands_out(source: str, one_line: bool) -> bool:
    """Whether a statement can be told from prose and from the next one; for a line of several no block or comment."""
    if "\n\n" in source or (one_line and (source.count("\n") > 1 or "#" in source or source[0] == "(")):
        return False
    blocks = (ast.With, ast.For, ast.If, ast.While, ast.FunctionDef, ast.ClassDef, ast.Try)
    simple = (ast.Assign, ast.AugAssign, ast.Import, ast.ImportFrom, *(() if one_line else blocks))
    return all(
        isinstance(node, simple) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Attribute))
        for node in parsed(source)
    )


def parsed(source: str) -> list[ast.stmt | None]:
    try:
        return [*ast.parse(source).body]
    except (SyntaxError, ValueError):
        return [None]


def deepest(source: str) -> int:
    return max(len(line) - len(line.lstrip()) for line in source.splitlines())


def dedents(source: str) -> bool:
    """Whether a line within a statement stands further out than the one before it."""
    depths = [len(line) - len(line.lstrip()) for line in source.splitlines() if line.strip()]
    return any(after < before for before, after in pairwise(depths))
