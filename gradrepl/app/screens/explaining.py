"""Explanations of errors and warnings: their texts in both languages, below the traceback and at length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from gradrepl.app.options import Options
    from gradrepl.app.screens.screen import Screen
    from gradrepl.i18n import Speech, Translate
    from gradrepl.session.outcome import Explanation, Outcome

# Imported with the prompt, and Ctrl-C waits for it: nothing here may be slow to import.
NAME = "explanations.toml"
QUIET = ("interrupted",)  # Ctrl-C is one line; only `:explain` speaks of it


class State(Protocol):
    """What `:explain` needs of a prompt; explained: the explanation of what went wrong last, if it has one."""

    options: Options
    explained: Explanation | None

    @property
    def screen(self) -> Screen: ...

    @property
    def _(self) -> Translate: ...


@cache
def texts() -> Mapping[str, Any]:
    """The file of explanations."""
    import tomllib
    from pathlib import Path

    return tomllib.loads((Path(__file__).parents[2] / NAME).read_text("utf-8"))


def languages(speech: Speech) -> tuple[str, ...]:
    """The languages to explain in, in this order."""
    return ("vi", "en") if speech == "both" else (speech,)


def short(explanation: Explanation, speech: Speech) -> list[str]:
    """What to show below a traceback or a warning, a text a language."""
    if explanation.id in QUIET:
        return []
    return [_short(explanation, language) for language in languages(speech)]


def remember(state: State, outcomes: Iterable[Outcome]) -> None:
    """Keep the explanation of what went wrong last for `:explain`, and say at the first one that there is more."""
    for outcome in outcomes:
        if outcome.failure is not None or outcome.warnings:
            found = outcome.explanations[-1] if outcome.explanations else None
            if found is not None and found.id not in QUIET and state.explained is None:
                state.screen.note(state._(":explain says more about it."))
            state.explained = found


def command(state: State, argument: str) -> None:
    """Show the last explanation at length: what happened, what to do, an example, the lesson that treats it."""
    explanation, screen = state.explained, state.screen
    if explanation is None:
        screen.note(state._("Nothing has gone wrong of which :explain could say more."))
        return
    entry = texts()["texts"][explanation.id]
    for language in languages(state.options.speech):
        screen.prose(_short(explanation, language))
        screen.prose(entry["long"][language])
    screen.prose(f"```\n{entry['example'].strip()}\n```")
    screen.gap()
    number = lesson_number(explanation.id)
    if number is not None:
        screen.note(state._("Lesson {number} treats it: :learn {number}").format(number=number))


def lesson_number(id: str) -> int | None:
    """The number of the lesson that treats an explanation's subject, if there is one."""
    from gradrepl.lesson import shelf

    lesson = texts()["texts"][id].get("lesson")
    return next((shelf.number_of(path) for path in shelf.lessons() if shelf.id_of(path) == lesson), None)


def _short(explanation: Explanation, language: str) -> str:
    sentences = [_filled(texts()["texts"][explanation.id]["short"][language], explanation.parameters)]
    sentences += [_filled(texts()["facts"][fact.id][language], fact.parameters) for fact in explanation.facts]
    return " ".join(sentences)


def _filled(text: str, parameters: Mapping[str, str]) -> str:
    # A backtick of the learner's would end the span of code that it stands in.
    return text.format_map({name: value.replace("`", "'") for name, value in parameters.items()})
