"""Lists, texts and tables as data of ``fit``, ``evaluate`` and ``predict``: the results of the converted arrays."""

from __future__ import annotations

import pytest

from grader.sandbox.base import Sandbox
from tests.sandbox.guest.compat.notebooks import CellResult, run_cells

# Each cell makes its own assertions; its name says which.
CELLS = {
    "begin": """
import numpy as np, pandas as pd, keras, tensorflow as tf
def Dense(*args, **words):
    return keras.layers.Dense(*args, kernel_initializer="ones", **words)
x, y = np.random.RandomState(0).rand(6, 3), np.arange(6.0)
def model(*layers):
    keras.utils.set_random_seed(1)  # the order of the rows
    made = keras.Sequential(list(layers) or [Dense(1, input_shape=[3])])
    made.compile("sgd", "mse", run_eagerly=True)
    return made
def losses(data, answers, *layers, **words):
    return model(*layers).fit(data, answers, epochs=2, verbose=0, **words).history
def first_lesson():
    return Dense(units=1, input_shape=[1])
def text_model():
    words = keras.layers.TextVectorization(output_mode="multi_hot", max_tokens=10)
    words.adapt(["good film", "bad film"])
    return [keras.Input((1,), dtype="string"), words, Dense(1)]
frame = pd.DataFrame({"age": [1, 2, 3], "member": [True, False, True]})
""",
    "the first lesson": """
made = model(first_lesson())
made.fit([1, 2, 3], [2, 4, 6], epochs=3, verbose=0)
answer = made.predict([10.0], verbose=0)
same = model(first_lesson())
same.fit(np.array([1, 2, 3]), np.array([2, 4, 6]), epochs=3, verbose=0)
assert answer.shape == (1, 1) and float(answer) == float(same.predict(np.array([10.0]), verbose=0))
assert made.evaluate([1, 2], [2, 4], verbose=0) == same.evaluate(np.array([1, 2]), np.array([2, 4]), verbose=0)
""",
    "a note has the code of today": "model(first_lesson()).predict([1.0, 2.0], verbose=0)",
    "rows as lists": """
assert losses(x.tolist(), y.tolist()) == losses(x, y)
assert losses(x.tolist(), y) == losses(x, y.tolist()) == losses(tuple(map(tuple, x)), list(y)) == losses(x, y)
assert losses(x, y, sample_weight=[1, 2, 3, 4, 5, 6]) == losses(x, y, sample_weight=np.arange(1.0, 7))
""",
    "a validation split of lists": "assert losses(x.tolist(), y.tolist(), validation_split=0.5) == losses(x, y, validation_split=0.5)",
    "validation data of lists": """
for data in ((x.tolist(), y.tolist()), [x, y.tolist()], (x.tolist(), y.tolist(), [1] * 6)):
    assert losses(x, y, validation_data=data) == losses(x, y, validation_data=(x, y)), data
""",
    "positional data": """
made = model()
made.fit(x.tolist(), y.tolist(), 2, 1, 0)
assert made.predict(x.tolist(), 2, 0).shape == (6, 1)
""",
    "numbers without an axis before an unbuilt model": """
assert losses([1, 2, 3], [1, 2, 3], Dense(1)) == losses(np.array([[1], [2], [3]]), np.array([1, 2, 3]), Dense(1))
made = model(Dense(1))
made.fit(tf.constant([1.0, 2.0]), tf.constant([1.0, 2.0]), verbose=0)
assert made.predict([3.0], verbose=0).shape == made.predict(np.array([3.0]), verbose=0).shape == (1, 1)
""",
    "a first layer that takes numbers without an axis": """
made = model(keras.layers.Lambda(lambda numbers: numbers[:, None] * 2))
assert made.predict(np.array([3.0]), verbose=0).tolist() == [[6.0]]
""",
    "a model of two inputs": """
def two():
    a, b = keras.Input((1,)), keras.Input((1,))
    made = keras.Model([a, b], keras.layers.add([a, b]))
    made.compile("sgd", "mse")
    return made
assert two().predict([np.array([1.0, 2.0]), np.array([3.0, 4.0])], verbose=0).tolist() == [[4], [6]]
assert two().predict([[1.0, 2.0], [3.0, 4.0]], verbose=0).tolist() == [[4], [6]]
""",
    "a list of one array": "assert (model().predict([x], verbose=0) == model().predict(x, verbose=0)).all()",
    "columns of numbers and truth values": """
numbers = np.array([[1, 1], [2, 0], [3, 1]], "float32")
assert losses(frame, [1, 2, 3], Dense(1)) == losses(numbers, np.array([1, 2, 3]), Dense(1))
assert losses(frame.values, frame["age"], Dense(1), validation_split=0.34) == losses(numbers, numbers[:, :1], Dense(1), validation_split=0.34)
assert losses(numbers, frame["member"].astype(object), Dense(1)) == losses(numbers, numbers[:, 1:], Dense(1))
assert losses(frame[["age"]], frame["age"], Dense(1)) == losses(numbers[:, :1], numbers[:, 0], Dense(1))
""",
    "texts": """
texts = ["good film", "bad film", "film"]
expected = model(*text_model()).predict(tf.constant(texts), verbose=0)
for data in (texts, np.array(texts), np.array(texts, object)[:, None], pd.Series(texts), pd.DataFrame({"text": texts})):
    assert (model(*text_model()).predict(data, verbose=0) == expected).all(), type(data)
assert losses(texts, [1, 0, 1], *text_model(), validation_split=0.34) == losses(tf.constant(texts), np.array([1, 0, 1]), *text_model(), validation_split=0.34)
""",
    "rows of different lengths": "model().fit([[1, 2, 3], [4, 5]], [1, 2])",
    "a column of texts among numbers": "model(Dense(1)).fit(pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']}), [1, 2])",
    "numbers and texts in one list": "model().fit([1, 'two'], [1, 2])",
    "one row without its axis": "model().predict([1.0, 2.0, 3.0], verbose=0)",
    "data of today": """
losses(x, y, validation_data=(x, y), sample_weight=y)
losses(pd.DataFrame(x), pd.Series(y), validation_split=0.5)
losses(tf.data.Dataset.from_tensor_slices((x, y)).batch(2), None)
model(*text_model()).predict(np.array(["good film"], object), verbose=0)
model(first_lesson()).predict(np.array([1.0]), verbose=0)
""",
}
REFUSED = {
    "rows of different lengths": "ValueError: model.fit(x=[[1, 2, 3], [4, 5]]): the rows of the list have different lengths",
    "a column of texts among numbers": "ValueError: ",
    "numbers and texts in one list": "ValueError: Unrecognized data type",
    "one row without its axis": "ValueError: ",
}


@pytest.fixture(scope="module")
def results(warm: Sandbox) -> dict[str, CellResult]:
    return dict(zip(CELLS, run_cells(warm, list(CELLS.values())), strict=True))


@pytest.mark.parametrize("name", CELLS)
def test_data_give_the_results_of_arrays(results: dict[str, CellResult], name: str) -> None:
    error = results[name].error
    assert error.startswith(REFUSED[name]) if name in REFUSED else error == ""


def test_a_conversion_is_noted_with_the_code_of_today(results: dict[str, CellResult]) -> None:
    found = results["a note has the code of today"]
    assert found.has_note("model.predict(x=[1.0, 2.0])", "model.predict(x=np.array([1.0, 2.0]))"), found.notes
    expected = [
        ("the first lesson", "model.fit(x=[1, 2, 3])", "model.fit(x=np.array([1, 2, 3]))"),
        ("the first lesson", "model.fit(y=[2, 4, 6])", "model.fit(y=np.array([2, 4, 6]))"),
        (
            "validation data of lists",
            "model.fit(validation_data=([...], y))",
            "model.fit(validation_data=(np.array([...]), y))",
        ),
        ("numbers without an axis before an unbuilt model", "model.fit(x=x)", "model.fit(x=x.reshape(-1, 1))"),
        ("texts", "model.predict(x=x)", "model.predict(x=tf.constant(x))"),
        ("columns of numbers and truth values", "model.fit(x=x)", "model.fit(x=x.astype('float32'))"),
    ]
    for name, old, today in expected:
        assert results[name].has_note(old, today), (name, results[name].notes)


def test_data_of_today_are_not_noted(results: dict[str, CellResult]) -> None:
    for name in ("data of today", "a list of one array", "a first layer that takes numbers without an axis"):
        assert not [note for note in results[name].notes if note[1].startswith("model.")], results[name].notes
