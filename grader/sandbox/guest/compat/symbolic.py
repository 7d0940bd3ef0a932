"""Graph code of Keras 1 and 2 on today's symbolic tensors: ``K.gradients``, ``K.function`` and functions on them.

A function of ``keras.backend`` that is given a symbolic tensor becomes an operation of Keras's graph. The gradient is
an operation too: it computes the loss again from the given tensors, and differentiates it with ``tf.GradientTape``.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from ..record.method_hooks import outermost
from .notes import Kind, note

UNCOMPILED_CALLS = 2  # of a K.function: to compile it takes longer than to run it a few times
LEGACY = "keras.src.legacy.backend"


def _keras() -> Any:
    return sys.modules["keras"]


def _tensorflow() -> Any:
    return sys.modules["tensorflow"]


def is_symbolic(value: Any) -> bool:
    """Check whether ``value`` is a symbolic tensor of Keras."""
    return isinstance(value, _keras().KerasTensor)


def _has_symbolic(values: Any) -> bool:
    return any(is_symbolic(value) for value in _keras().tree.flatten(values))


# ------------------------------------------------------------------ functions as operations


@functools.cache
def _classes() -> Any:
    """Return the classes that need Keras, which the notebook imports later than this module."""
    keras, tf = _keras(), _tensorflow()

    class BackendOperation(keras.Operation):  # type: ignore[misc, name-defined]
        """A function of TensorFlow as an operation on symbolic tensors."""

        def __init__(self, function: Callable[..., Any]) -> None:
            super().__init__()
            self.function = function

        def call(self, *args: Any, **kwargs: Any) -> Any:
            return self.function(*args, **kwargs)

    class Gradients(keras.Operation):  # type: ignore[misc, name-defined]
        """Gradients of ``losses`` with respect to ``sources``: symbolic tensors or variables.

        It is called with the symbolic sources, and with the ``others`` that the losses depend on.
        """

        def __init__(self, losses: list[Any], sources: list[Any], others: list[Any]) -> None:
            super().__init__()
            self.sources = tuple(sources)
            self.symbolic = sum(map(is_symbolic, sources))
            inputs = [*filter(is_symbolic, sources), *others]
            self.losses_of = keras.Function(inputs, losses)
            self.kept = tuple(range(len(sources)))  # places of the sources that the losses depend on

        def call(self, *values: Any) -> list[Any]:
            # Not recorded as a training loop of the notebook.
            with outermost(), tf.GradientTape() as tape:
                values = tuple(map(tf.convert_to_tensor, values))
                tape.watch(values[: self.symbolic])
                losses = _run(self.losses_of, list(values))
            with outermost():
                watched = iter(values)
                asked = [next(watched) if is_symbolic(source) else _variable(source) for source in self.sources]
                found = tape.gradient(losses, asked)
            return [found[place] for place in self.kept]

    return BackendOperation, Gradients


_training = [False]  # while a K.function runs: its learning phase


def _run(function: Any, values: list[Any]) -> Any:
    """Run a ``keras.Function``, whose layers would otherwise keep the phase in which they were connected."""
    functional: Any = sys.modules["keras.src.models.functional"]
    in_phase = functools.partial(functional.operation_fn, training=_training[0])
    return function._run_through_graph(values, operation_fn=in_phase)


def _variable(source: Any) -> Any:
    return getattr(source, "value", source) if isinstance(source, _keras().Variable) else source


def apply(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return the symbolic result of ``function``, which is run later on tensors with values."""
    return _classes()[0](function)(*args, **kwargs)


def _on_symbolic(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function of ``keras.backend`` so that it also takes symbolic tensors, in lists too."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        if _has_symbolic((args, kwargs)):
            return apply(function, *args, **kwargs)
        return function(*args, **kwargs)

    called.takes_symbolic = True  # type: ignore[attr-defined]
    return called


def _ndim(x: Any) -> int:
    return len(x.shape)


def _dtype(x: Any) -> str:
    return str(_keras().backend.standardize_dtype(x.dtype))


def _int_shape(x: Any) -> tuple[int | None, ...]:
    return tuple(x.shape)


FACTS: Mapping[str, Callable[[Any], Any]] = {"ndim": _ndim, "dtype": _dtype, "int_shape": _int_shape}


def _with_facts(function: Callable[..., Any], fact: Callable[[Any], Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(x: Any) -> Any:
        return fact(x) if is_symbolic(x) else function(x)

    called.takes_symbolic = True  # type: ignore[attr-defined]
    return called


def extend_backend(backend: ModuleType) -> None:
    """Let the functions of ``tf.keras.backend`` take symbolic tensors."""
    for name, value in list(vars(backend).items()):
        if not inspect.isfunction(value) or value.__module__ != LEGACY or hasattr(value, "takes_symbolic"):
            continue
        setattr(backend, name, _with_facts(value, FACTS[name]) if name in FACTS else _on_symbolic(value))


# ------------------------------------------------------------------ gradients


def gradients(loss: Any, variables: Any) -> list[Any]:
    """Return the gradients of ``loss`` for each of ``variables``; None for one that it does not depend on."""
    tree = _keras().tree
    losses = [part for part in tree.flatten(loss) if is_symbolic(part)]
    sources = tree.flatten(variables)
    if not losses:
        raise NotImplementedError(
            "K.gradients works here on symbolic tensors, such as model.output. "
            "Use 'with tf.GradientTape() as tape:' and tape.gradient(loss, variables) for tensors with values."
        )
    reached, leaves = _ancestors(losses, [source for source in sources if is_symbolic(source)])
    known = [
        place
        for place, source in enumerate(sources)
        if (id(source) in reached if is_symbolic(source) else hasattr(source, "trainable"))
    ]
    found = dict(zip(known, _connected_gradients(losses, [sources[place] for place in known], leaves), strict=True))
    return [found.get(place) for place in range(len(sources))]


def _connected_gradients(losses: list[Any], sources: list[Any], leaves: list[Any]) -> list[Any]:
    """Return a symbolic gradient for each source; None where no gradient flows, as through ``argmax``."""
    if not sources:
        return []
    operation = _classes()[1](losses, sources, leaves)
    inputs = [*filter(is_symbolic, sources), *leaves]
    specs = operation.compute_output_spec(*inputs)
    operation.kept = tuple(place for place, spec in enumerate(specs) if spec is not None)
    results = iter(operation(*inputs) if operation.kept else ())
    return [None if spec is None else next(results) for spec in specs]


def _ancestors(tensors: list[Any], ends: list[Any]) -> tuple[set[int], list[Any]]:
    """Return what ``tensors`` are computed from, back to ``ends``: the identities, and the other inputs."""
    stop = {id(tensor) for tensor in ends}
    reached: set[int] = set()
    leaves: list[Any] = []
    waiting = list(tensors)
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in reached:
            continue
        reached.add(id(tensor))
        if id(tensor) in stop:
            continue
        inputs = _inputs_of(tensor)
        waiting += inputs
        if not inputs:
            leaves.append(tensor)
    return reached, leaves


def _inputs_of(tensor: Any) -> list[Any]:
    """Return the tensors that the operation behind ``tensor`` takes; none for an input of a graph."""
    history = getattr(tensor, "_keras_history", None)
    nodes = getattr(getattr(history, "operation", None), "_inbound_nodes", None)
    return list(nodes[history.node_index].input_tensors) if history is not None and nodes else []


# ------------------------------------------------------------------ K.function


class BackendFunction:
    """The result of ``K.function``: computes arrays for the symbolic ``outputs`` from arrays for the ``inputs``."""

    def __init__(self, inputs: Any, outputs: Any) -> None:
        tree = _keras().tree
        self.inputs = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        self.outputs = outputs
        self._symbolic = [output for output in tree.flatten(outputs) if is_symbolic(output)]
        self._fed = [tensor for tensor in self.inputs if tensor is not learning_phase()]
        self._function = _keras().Function(self._fed, self._symbolic) if self._symbolic else None
        self._compiled = _tensorflow().function(self._run, reduce_retracing=True)
        self._calls = 0

    def _run(self, values: list[Any], training: bool) -> Any:
        _training[0] = training
        try:
            return _run(self._function, values)
        finally:
            _training[0] = False

    def __call__(self, inputs: Any = ()) -> Any:
        values = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        if len(values) != len(self.inputs):
            raise TypeError(f"K.function: expected {len(self.inputs)} inputs, received {len(values)}")
        phase, fed = False, []
        for tensor, value in zip(self.inputs, values, strict=True):
            if tensor is learning_phase():
                phase = bool(np.asarray(value))
            else:
                fed.append(_tensorflow().cast(value, tensor.dtype))
        results = iter(self._results(fed, training=phase))
        tree = _keras().tree
        return tree.map_structure(lambda output: _array(next(results) if is_symbolic(output) else output), self.outputs)

    def _results(self, fed: list[Any], *, training: bool) -> list[Any]:
        if self._function is None:
            return []
        self._calls += 1
        run = self._run if self._calls <= UNCOMPILED_CALLS else self._compiled
        # Moving averages were changed only by a training.
        kept = [(weight, weight.numpy()) for weight in self._averages()] if training else []
        results = run(fed, training)
        for weight, value in kept:
            weight.assign(value)
        return list(results)

    def _averages(self) -> list[Any]:
        operations = self._function.operations if self._function is not None else ()
        layers = (operation for operation in operations if isinstance(operation, _keras().layers.Layer))
        return [weight for layer in layers for weight in layer.non_trainable_weights]


def _array(value: Any) -> Any:
    return value.numpy() if hasattr(value, "numpy") else value


def function(inputs: Any, outputs: Any, updates: Any = None, **_words: Any) -> BackendFunction:
    """Return a function from arrays to arrays, as ``K.function`` did."""
    if updates:
        raise NotImplementedError(
            "K.function(updates=...) is TensorFlow 1 graph code, which no longer runs. Use variable.assign(value)."
        )
    return BackendFunction(inputs, outputs)


def placeholder(shape: Any = None, ndim: int | None = None, dtype: Any = None, **words: Any) -> Any:
    """Return an input of the full ``shape``, with the axis of the rows."""
    batch_shape = (None,) * (ndim or 0) if shape is None else tuple(shape)
    return _keras().Input(batch_shape=batch_shape, dtype=dtype, name=words.get("name"))


@functools.cache
def learning_phase() -> Any:
    """Return the input of a ``K.function`` that says if it is a training."""
    return _keras().KerasTensor((), dtype="int32", name="learning_phase")


def set_learning_phase(value: Any) -> None:
    if value:
        raise NotImplementedError(
            "K.set_learning_phase(1) is TensorFlow 1 graph code, which no longer runs. "
            "Pass training=True when calling the model."
        )
    note(Kind.CAUTION, "K.set_learning_phase(0)", "model(x, training=False)")
