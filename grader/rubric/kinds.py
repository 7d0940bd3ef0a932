"""Every kind of criterion an assignment may name."""

from __future__ import annotations

from grader.rubric.dataset import DatasetCollected
from grader.rubric.executes import Executes
from grader.rubric.figure import FigureDrawn
from grader.rubric.manual import Manual
from grader.rubric.metric import MetricReached
from grader.rubric.training import Training

Kind = DatasetCollected | Executes | FigureDrawn | Manual | MetricReached | Training
