"""Tab at the prompt: prompt_toolkit's side of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from gradrepl.app.commands.scope import Scope

_MOST = 300


class ScopeCompleter(Completer):
    """Completes from a scope, in the thread that asks; whatever fails offers nothing."""

    def __init__(self, scope: Callable[[], Scope]) -> None:
        self._scope = scope

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        from gradrepl.app.line.offers import offers

        try:
            found = offers(document.text_before_cursor, self._scope())
        except Exception:  # an exception would end the prompt with the learner's line in it
            return []
        return [Completion(text, -found.length) for text in found.texts[:_MOST]]
