"""The libraries that come with the grader work in a confined notebook without internet and without a screen."""

from __future__ import annotations

from pathlib import Path

from grader.data.needs.libraries import INCLUDED
from grader.sandbox.namespaces import NamespaceSandbox
from tests.sandbox.guest.compat.notebooks import CourseFiles

CELLS = {
    "imports": "import numpy as np, keras\n" + "\n".join(f"import {name}" for name in INCLUDED),
    "skimage": "from skimage.transform import resize\nprint(resize(np.zeros((8, 8)), (4, 4)).shape)",
    "imageio": "imageio.imwrite('a.png', np.zeros((4, 4), 'uint8'))\nprint(imageio.v2.imread('a.png').shape)",
    "tqdm": "from tqdm.notebook import tqdm as bar\nfrom tqdm.auto import trange\nprint(sum(bar([1, 2])) + sum(trange(3)))",
    "plotly": "import plotly.express as px\npx.line(y=[1, 2, 3]).show()",
    "mlxtend": "from mlxtend.plotting import plot_confusion_matrix\nplot_confusion_matrix(np.eye(2, dtype=int))\nprint('drawn')",
    "encoders": "import pandas as pd\nframe = pd.DataFrame({'a': ['x', 'y', 'x']})\n"
    "print(category_encoders.OrdinalEncoder().fit_transform(frame)['a'].tolist())",
    "model": """
def make():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model
x, y = np.ones((20, 3)), np.arange(20) % 2
""",
    "scikeras": "from scikeras.wrappers import KerasClassifier\n"
    "print(KerasClassifier(make, epochs=1, verbose=0).fit(x, y).predict(x).shape)",
    "tuner": "search = keras_tuner.RandomSearch(lambda hp: make(), objective='loss', max_trials=1)\n"
    "search.search(x, y, epochs=1, verbose=0)\nprint(len(search.get_best_models()))",
    "tensorboard": "model = make()\n"
    "model.fit(x, y, callbacks=[keras.callbacks.TensorBoard('logs')], verbose=0)\nimport os\nprint(len(os.listdir('logs')))",
    "plot_model": "keras.utils.plot_model(make(), 'model.png', show_shapes=True)",  # a message where Graphviz is missing
}


EXPECTED = {
    "skimage": "(4, 4)",
    "imageio": "(4, 4)",
    "tqdm": "6",
    "mlxtend": "drawn",
    "encoders": "[1, 2, 1]",
    "scikeras": "(20,)",
    "tuner": "1",
    "tensorboard": "1",
}


def test_libraries_that_come_with_the_grader_run_confined(warm: NamespaceSandbox, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    done = CourseFiles({"notes.txt": tmp_path / "notes.txt"}, {}).run(warm, **CELLS)
    done.assert_no_errors()
    assert {name: text for name, text in EXPECTED.items() if text not in done.text[name].splitlines()} == {}
