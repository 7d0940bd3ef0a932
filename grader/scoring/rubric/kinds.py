"""Every kind of criterion an assignment may name."""

from __future__ import annotations

from grader.scoring.rubric.architecture import Architecture
from grader.scoring.rubric.augmentation import Augmentation
from grader.scoring.rubric.dataset import DatasetCollected
from grader.scoring.rubric.document import DocumentHandedIn
from grader.scoring.rubric.executes import Executes
from grader.scoring.rubric.figure import FigureDrawn
from grader.scoring.rubric.manual import Manual
from grader.scoring.rubric.metric import MetricReached
from grader.scoring.rubric.training import Training

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
