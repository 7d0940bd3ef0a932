"""Every kind of criterion an assignment may name."""

from __future__ import annotations

from grader.rubric.architecture import Architecture
from grader.rubric.augmentation import Augmentation
from grader.rubric.dataset import DatasetCollected
from grader.rubric.document import DocumentHandedIn
from grader.rubric.executes import Executes
from grader.rubric.figure import FigureDrawn
from grader.rubric.manual import Manual
from grader.rubric.metric import MetricReached
from grader.rubric.training import Training

Kind = (
    Architecture
    | Augmentation
    | DatasetCollected
    | DocumentHandedIn
    | Executes
    | FigureDrawn
    | Manual
    | MetricReached
    | Training
)
