"""Epochs in pieces: one graph call for about half a second of training steps, with the arithmetic of Keras.

Keras takes every batch out of a ``tf.data`` pipeline and calls its step function from Python. For a small network this
takes several times longer than the arithmetic. Here a loop inside the graph takes the batches out of the same tensors,
in the same order, and calls the very same step function.
"""

from __future__ import annotations

import importlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

PIECE_SECONDS = 0.5  # time limits, Ctrl-C and the progress bar act between two pieces
GROWTH = 8  # the most that a piece may be longer than the one before
FEW_STEPS = "few steps"  # reason for Keras alone
FEWEST_STEPS = 100  # of a training: for fewer, the loop costs more than it saves

# Stateful operations whose order the graph keeps by itself, through the variable or table that they act on. Others may
# count how often they ran in their place in the graph, as random numbers without a seed do.
_ORDERED = (
    *("ReadVariable", "Assign", "Resource", "VarHandle", "VariableShape", "VarIsInitialized", "DestroyResource"),
    *("PartitionedCall", "StatefulPartitionedCall", "While", "If", "Case", "StatelessWhile", "StatelessIf", "Assert"),
    *("LookupTable", "HashTable"),
)


@dataclass(frozen=True)
class Rows:
    """Data of a training or a validation."""

    tensors: Any
    size: int  # of a batch
    partial: bool  # the last batch is smaller


@dataclass(frozen=True)
class Piece:
    """Steps of an epoch, from ``first`` up to ``last``; ``order`` has the numbers of all rows in their order."""

    rows: Rows
    order: Any
    first: int
    last: int


@dataclass
class Training:
    """A call of ``fit``; ``reasons`` say why parts of it are run batch by batch."""

    model: Any
    epochs: int
    reasons: list[str] = field(default_factory=list)


class Loop:
    """Training or test steps of a model in one graph call; kept for the model's next training."""

    def __init__(self, tf: ModuleType, model: Any, step: Callable[[Any], Any]) -> None:
        @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
        def multi_step_on_iterator(tensors: Any, order: Any, steps: Any, *, size: int, partial: bool) -> Any:
            def take_step(number: Any) -> Any:
                batch = order[number * size : (number + 1) * size]
                # As in Keras, the number of rows is open only if the last batch is smaller than the others.
                batch.set_shape([None if partial else size])
                step([tf.nest.map_structure(lambda values: tf.gather(values, batch, axis=0), tensors)])
                return number + 1

            tf.while_loop(lambda number: number < steps[1], take_step, [steps[0]], parallel_iterations=1)
            return model.get_metrics_result()

        self._run = tf.function(multi_step_on_iterator, reduce_retracing=True)
        self._tf = tf
        self._seconds_per_step = 0.0
        self._longest = 0  # steps

    def keeps_order(self, rows: Rows, count: int) -> bool:
        """Return True if every operation runs in the order of Keras; ``count`` is the number of rows."""
        order, steps = self._tf.TensorSpec([count], "int64"), self._tf.TensorSpec([2], "int64")
        traced = self._run.get_concrete_function(rows.tensors, order, steps, size=rows.size, partial=rows.partial)
        return not unordered_operations(traced.graph)

    def run(self, piece: Piece) -> Any:
        """Take the steps of ``piece`` and return the metrics after it."""
        rows, began = piece.rows, time.monotonic()
        steps = self._tf.constant([piece.first, piece.last], "int64")
        logs = self._run(rows.tensors, piece.order, steps, size=rows.size, partial=rows.partial)
        if self._longest:  # the first call also prepares the graph
            self._seconds_per_step = (time.monotonic() - began) / (piece.last - piece.first)
        self._longest = max(self._longest, piece.last - piece.first)
        return logs

    def next_steps(self) -> int:
        """Return the number of steps that take about half a second."""
        if not self._seconds_per_step:
            return 1
        return max(1, min(int(PIECE_SECONDS / self._seconds_per_step), GROWTH * self._longest))


def in_pieces(tf: ModuleType, model: Any, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the ``function`` that Keras calls for each step such that it can also run a piece."""
    loop = Loop(tf, model, function)

    def run(iterator: Any) -> Any:
        return loop.run(iterator) if isinstance(iterator, Piece) else function(iterator)

    run.loop = loop  # type: ignore[attr-defined]
    return run


def unordered_operations(graph: Any) -> set[str]:
    """Return the types of stateful operations, in the graph and its functions, whose order is not kept by itself."""
    registry = importlib.import_module("tensorflow.python.framework.op_def_registry")
    definition = graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    known = {kind: registry.get(kind) for kind in {node.op for node in nodes}}
    # A kind without a definition is the call of a function, whose own operations are in the library.
    stateful = {kind for kind, meaning in known.items() if meaning is not None and meaning.is_stateful}
    return {kind for kind in stateful if not kind.startswith(_ORDERED)}


def iterator_class(trainer: ModuleType, adapters: ModuleType, fewest_steps: int) -> Callable[..., Any]:
    """Return a ``TFEpochIterator`` that gives pieces of an epoch where the result is the same, and else batches."""
    tf, base = trainer.tf, trainer.TFEpochIterator
    adapter_class, slicing, tree = adapters.ArrayDataAdapter, trainer.array_slicing, trainer.tree
    context, epoch_iterator = trainer.tf_context, trainer.EpochIterator

    class PieceIterator(base):  # type: ignore[misc,valid-type]
        """Iterator over the pieces of an epoch; for other data the iterator of Keras."""

        def __init__(self, *, training: Training, distribute_strategy: Any, **arguments: Any) -> None:
            epoch_iterator.__init__(self, **arguments)
            self._training, self._distribute_strategy = training, distribute_strategy
            self._function_name = "train_function" if "class_weight" in arguments else "test_function"
            self._tensors: Any = None
            self._orders: Any = None
            self._order: Any = None
            self._one_order = False
            self._keras_dataset: Any = None
            self._is_traced = False
            reason = self._prepare()
            is_short_validation = reason == FEW_STEPS and self._function_name == "test_function"
            if reason and not is_short_validation:
                training.reasons.append(reason)

        def _prepare(self) -> str:
            """Get the data as tensors; return the reason why they are used batch by batch, or an empty text."""
            adapter = self.data_adapter
            if type(adapter) is not adapter_class or adapter._shuffle == "batch":
                return "the data are not arrays in random or fixed order"
            if adapter.num_batches * self._training.epochs < fewest_steps:
                return FEW_STEPS
            data = tree.lists_to_tuples(slicing.convert_to_sliceable(adapter._inputs, target_backend="tensorflow"))
            parts = tf.nest.flatten(data)
            if not all(tf.is_tensor(part) or isinstance(part, np.ndarray) for part in parts):
                return "the data are not dense arrays"
            if any(isinstance(part, tf.__internal__.CompositeTensor) for part in parts):
                return "the data are not dense arrays"
            self._tensors = tf.nest.map_structure(tf.convert_to_tensor, data)
            # The same small data set as in Keras, with the numbers of the rows as data, gives the same order.
            rows = np.arange(adapter._num_samples)
            self._orders = adapter_class(rows, batch_size=len(rows), shuffle=adapter._shuffle).get_tf_dataset()
            # Keras starts the stream of random numbers anew in every epoch: with a seed, the order is always the same.
            self._one_order = not adapter._shuffle or context.global_seed() is not None
            return ""

        @property
        def _distributed_dataset(self) -> Any:
            """The pipeline of Keras, which is made only if it is used."""
            if self._keras_dataset is None:
                dataset = self.data_adapter.get_tf_dataset()
                self._keras_dataset = self._distribute_strategy.experimental_distribute_dataset(dataset)
            return self._keras_dataset

        def _enumerate_iterator(self) -> Iterator[tuple[int, int, Any]]:
            pieces = self._pieces() if self._tensors is not None else None
            return super()._enumerate_iterator() if pieces is None else pieces

        def _pieces(self) -> Iterator[tuple[int, int, Piece]] | None:
            """Return the pieces of an epoch, or None if the graph may give another result than Keras."""
            adapter, loop = self.data_adapter, self._loop()
            rows = Rows(self._tensors, adapter.batch_size, partial=adapter.has_partial_batch)
            if not self._is_traced:
                reason = _reason_in_graph(loop, rows, adapter._num_samples)
                if reason:
                    self._training.reasons.append(reason)
                    self._tensors = self._orders = None
                    return None
                self._is_traced = True
            return self._cut(rows)

        def _cut(self, rows: Rows) -> Iterator[tuple[int, int, Piece]]:
            if self._order is None or not self._one_order:
                self._order = next(iter(self._orders))
            order, first = self._order, 0
            while first < self._num_batches:
                last = min(self._num_batches, first + self._loop().next_steps())
                yield first, last - 1, Piece(rows, order, first, last)
                first = last

        def _loop(self) -> Loop:
            """Return the loop of the model's function; a callback may have had Keras make a new function."""
            model = self._training.model
            function = getattr(model, self._function_name)
            if not hasattr(function, "loop"):
                function = in_pieces(tf, model, function)
                setattr(model, self._function_name, function)
            loop: Loop = function.loop
            return loop

    return PieceIterator


def _reason_in_graph(loop: Loop, rows: Rows, count: int) -> str:
    """Return the reason why the steps are not run in a loop, or an empty text; the loop is traced but not run."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        return "" if loop.keeps_order(rows, count) else "operations that depend on how often they ran"
    except Exception:  # noqa: BLE001  Keras itself says what is wrong with the model or its data
        random.setstate(python)
        np.random.set_state(numpy)
        return "an error in the model"
