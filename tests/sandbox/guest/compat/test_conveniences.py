"""Pictures of models, TensorBoard, folders to write into and commands that inform: none of them makes a cell fail."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest

from grader.models.assignment import Limits
from grader.sandbox.base import Job, Sandbox
from tests.sandbox.guest.compat.notebooks import CellResult, run_cells
from tests.support.notebooks import notebook_bytes

# Each cell makes its own assertions; its name says which.
CELLS = {
    "begin": """
import numpy as np, keras, os, tensorflow as tf
from keras import layers
x, y = np.random.rand(32, 4), np.random.rand(32)
m = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="hidden"), layers.Dense(1)])
m.compile("sgd", "mse")
""",
    "a model is drawn": """
from keras.utils.vis_utils import plot_model
picture = plot_model(m, to_file='pictures/model.png', show_shapes=True, show_layer_names=True)
from PIL import Image
assert Image.open('pictures/model.png').size[1] > 100 and picture.data[:4] == b'\\x89PNG'
assert keras.utils.plot_model(m) is not None and os.path.exists('model.png')
tf.keras.utils.plot_model(m, 'model.svg', expand_nested=True, rankdir='LR', dpi=96)
""",
    "a drawing has names and shapes": """
from IPython.display import SVG
from keras.utils import model_to_dot
a = keras.Input((4,), name='left')
b = layers.Dense(2, name='branch')(a)
two = keras.Model(a, layers.concatenate([b, layers.Dense(3)(a)], name='joined'))
drawn = model_to_dot(two, show_shapes=True).create(prog='dot', format='svg')
SVG(drawn)
from guest.compat.model_drawing import Drawing
boxes = {box.text.split()[0]: box for box in Drawing(two, show_shapes=True)._boxes}
assert boxes['left'].row == 0 and boxes['branch'].row == 1 and boxes['joined'].row == 2
assert len(boxes['joined'].sources) == 2 and '(None, 4) → (None, 2)' in boxes['branch'].text
plain = keras.Sequential([layers.Dense(3), layers.Dense(1)])
assert [box.row for box in Drawing(plain)._boxes] == [0, 1]
model_to_dot(m).write_png('dot.png')
""",
    "TensorBoard": """
board = keras.callbacks.TensorBoard(log_dir='./logs', histogram_freq=1, write_graph=True, write_images=True)
class Own(keras.callbacks.TensorBoard):
    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        self.seen = epoch
own = Own('/proc/nowhere')
h = m.fit(x, y, validation_split=0.25, epochs=2, verbose=0, callbacks=[board, own])
assert own.seen == 1 and len(h.history['val_loss']) == 2
""",
    "summaries": """
writer = tf.summary.create_file_writer('logs/own')
with writer.as_default():
    tf.summary.scalar('loss', 0.5, step=1)
    tf.summary.image('picture', np.zeros((1, 4, 4, 3)), step=1)
tf.summary.create_file_writer('/proc/nowhere').flush()
""",
    "commands that inform": """
!nvidia-smi
!ls
!pip list
!python --version
%load_ext tensorboard
%tensorboard --logdir logs
%load_ext watermark
%watermark -v -p numpy,keras
!free -h
!cat /proc/cpuinfo
found = !nvidia-smi
""",
    "missing folders are made": """
import matplotlib.pyplot as plt, pandas as pd, pickle, joblib, h5py
plt.plot([1, 2]); plt.savefig('images/deep/x.png')
m.save('SaveModel/model.h5'); m.save('SaveModel2/model.keras'); m.save_weights('w/only.weights.h5')
with open('out/a.txt', 'w') as file:
    file.write('a')
pd.DataFrame({'a': [1]}).to_csv('result/x.csv')
pd.DataFrame({'a': [1]}).to_csv('./result2/x.csv')
np.save('arrays/x.npy', x); np.savez('arrays2/x.npz', x=x); np.savetxt('arrays3/x.txt', x)
joblib.dump(x, 'dumps/x.joblib')
os.chdir('out'); open('deeper/b.txt', 'w').close(); os.chdir('..')
assert os.path.exists('out/deeper/b.txt')
m.fit(x, y, epochs=2, verbose=0, callbacks=[keras.callbacks.ModelCheckpoint('weights/best.h5', monitor='loss'),
    keras.callbacks.CSVLogger('csv/log.csv')])
assert all(map(os.path.exists, ['images/deep/x.png', 'SaveModel/model.h5', 'weights/best.h5', 'arrays3/x.txt']))
""",
}
REFUSED = {  # nothing is made for reading, or outside the notebook's own folder
    "open('absent/none.txt')": "FileNotFoundError",
    "open('absent/a.txt', 'r+')": "FileNotFoundError",
    "pd.read_csv('absent/x.csv')": "FileNotFoundError",
    "h5py.File('absent/x.h5', 'r+')": "FileNotFoundError",
    "np.load('absent/none.npy')": "FileNotFoundError",
    "open('../outside/a.txt', 'w')": "FileNotFoundError",
    "open('/etc/outside/a.txt', 'w')": "FileNotFoundError",
    "os.symlink('/tmp', 'away')\nopen('away/outside/a.txt', 'w')": "FileNotFoundError",
    "open('out/a.txt/b.txt', 'w')": "NotADirectoryError",
    "assert not os.path.exists('absent')": "",
}


@pytest.fixture(scope="module")
def results(warm: Sandbox) -> dict[str, CellResult]:
    cells = [*CELLS.values(), *REFUSED]
    return dict(zip([*CELLS, *REFUSED], run_cells(warm, cells, seconds=200), strict=True))


@pytest.mark.parametrize("name", CELLS)
def test_what_only_informs_or_saves_fails_no_cell(results: dict[str, CellResult], name: str) -> None:
    assert results[name].error == ""


@pytest.mark.parametrize("code", REFUSED)
def test_a_folder_is_made_for_writing_beside_the_notebook_only(results: dict[str, CellResult], code: str) -> None:
    assert results[code].error.startswith(REFUSED[code]) and bool(results[code].error) == bool(REFUSED[code])
    assert not results[code].notes


def test_each_stand_in_is_noted(results: dict[str, CellResult]) -> None:
    assert results["a model is drawn"].has_note("keras.utils.plot_model (pydot, Graphviz)", "Matplotlib")
    assert results["TensorBoard"].has_note("TensorBoard('/proc/nowhere')")
    assert results["summaries"].has_note("tf.summary.create_file_writer('/proc/nowhere')")
    is_missing = find_spec("tensorboard") is None
    assert results["TensorBoard"].has_note("TensorBoard('./logs')") is is_missing
    assert results["summaries"].has_note("tf.summary.scalar") is is_missing
    assert results["commands that inform"].has_note("%load_ext watermark")
    made = [note[1] for note in results["missing folders are made"].notes if note[0] == "folder"]
    assert {"images/deep", "SaveModel2", "out", "result", "arrays", "out/deeper", "csv"} <= set(made)


def test_a_drawn_model_is_no_figure_of_the_notebook(warm: Sandbox) -> None:
    cells = (CELLS["begin"], CELLS["a model is drawn"])
    facts = json.loads(warm.run(Job(notebook_bytes(*cells), {}, Limits(seconds=90))).facts or b"")
    assert facts["figures"] == []
