"""Behind the last step: what was done, and what comes next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gradrepl.app import lessons
from gradrepl.app.learning.activity import Activity
from gradrepl.app.learning.showing import WORDS
from gradrepl.lesson import shelf
from gradrepl.lesson.load import LessonErrors, load
from gradrepl.lesson.model import Example, Lesson


class Ending(Activity):
    """The end of a lesson, from where one may go back, or on to the next lesson."""

    @property
    def pending(self) -> Sequence[Example]:
        return ()

    @property
    def enter(self) -> str:
        return self.learner._("leave") if self._next() is None else self.learner._("next lesson")

    def show(self) -> None:
        learner, marks = self.learner, self.learner.memory.marks(self.learner.lesson)
        learner.screen.heading(learner._("End of the lesson"))
        counts = Counter(marks.values())
        told = ", ".join(f"{learner._(word)}: {counts[mark]}" for mark, word in WORDS.items() if counts[mark])
        learner.note(told)

    def present(self) -> None:
        following, learner = self._next(), self.learner
        if following is None:
            learner.note(learner._("Enter leaves; :list shows the steps, :go N goes back to one."))
            return
        text = learner._("Next: {title}. Enter starts it, Ctrl-D leaves.")
        learner.note(text.format(title=lessons.title(following, learner.options.speech)))

    def go_on(self) -> None:
        self.learner.following = self._next()
        self.learner.left = True

    def skip(self) -> None:
        self.present()

    def again(self) -> None:
        self.present()

    def answer(self) -> str:
        self.present()
        return ""

    def _next(self) -> Lesson | None:
        """The course's next lesson; None behind the last one, or where its file is damaged."""
        lesson = self.learner.lesson
        if lesson.number is None or not lessons.is_own(lesson.path):
            return None
        path = next((path for path in shelf.lessons() if shelf.number_of(path) == lesson.number + 1), None)
        try:
            return None if path is None else load(path)
        except LessonErrors:
            return None
