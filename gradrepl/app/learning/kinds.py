"""Which activity goes with which kind of step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gradrepl.app.learning.activity import Activity
from gradrepl.app.learning.arranging import Arranging
from gradrepl.app.learning.choosing import Choosing
from gradrepl.app.learning.ending import Ending
from gradrepl.app.learning.filling import Filling
from gradrepl.app.learning.predicting import Predicting
from gradrepl.app.learning.solving import Solving
from gradrepl.lesson.model import Kind

if TYPE_CHECKING:
    from gradrepl.app.learning.learner import Learner

KINDS: Mapping[Kind, type[Activity]] = {
    "run": Activity,
    "predict": Predicting,
    "choice": Choosing,
    "try": Solving,
    "make": Solving,
    "fill": Filling,
    "parsons": Arranging,
}


def activity_at(learner: Learner) -> Activity:
    """Return the activity of the step where the learner is."""
    place = learner.place
    if place.finished:
        return Ending(learner, place.lesson.steps[-1])
    return KINDS[place.step.kind](learner, place.step)
