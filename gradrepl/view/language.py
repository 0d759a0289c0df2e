"""What a view needs to know of languages: a function that says a message in the learner's."""

from __future__ import annotations

from collections.abc import Callable

Translate = Callable[[str], str]
