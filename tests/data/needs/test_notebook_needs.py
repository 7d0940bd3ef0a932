"""What a notebook asks for, read from its code; nothing of it is run."""

from __future__ import annotations

import time

import pytest

from grader.data.needs.notebook_needs import MAX_WANTS, Cell, Needs, read_needs


def needs(*cells: str, python: str | None = None) -> Needs:
    return read_needs([Cell(cell if python is None else python, cell) for cell in cells])


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("from keras.datasets import mnist\n(x, y), _ = mnist.load_data()", {"mnist"}),
        (
            "from tensorflow.examples.tutorials.mnist import input_data\ninput_data.read_data_sets('data')",
            {"mnist"},
        ),
        ("import tensorflow as tf\ntf.keras.datasets.fashion_mnist.load_data()", {"fashion-mnist"}),
        ("import tensorflow as tf\nm = tf.keras.datasets.cifar100\nm.load_data()", {"cifar100"}),
        ("from tensorflow.keras import datasets as d\nd.boston_housing.load_data()", {"boston-housing"}),
        ("import keras\nkeras.datasets.imdb.get_word_index()", {"imdb"}),
        ("from tensorflow import keras\nmnist = keras.datasets.mnist", set()),
        ("from keras.datasets import mnist", set()),
        ("class mnist: pass\nmnist.load_data()", set()),
        ("from keras.applications import VGG16\nVGG16(weights='imagenet', include_top=False)", {"vgg16"}),
        ("from keras.applications.vgg16 import VGG16 as net\nnet(False)", {"vgg16"}),
        ("from keras.applications import VGG16\nVGG16()", {"vgg16-top"}),
        ("import keras\nkeras.applications.ResNet50(weights='imagenet')", {"resnet50"}),
        ("import keras\nkeras.applications.MobileNetV3Small(include_top=0)", {"mobilenetv3small"}),
        ("import keras\nkeras.applications.Xception(weights=None)", set()),
        ("import keras\nkeras.applications.Xception(weights='mine.h5')", set()),
        ("import keras\nkeras.applications.Xception(weights=w, include_top=False)", {"xception"}),
        ("from keras.applications.resnet50 import decode_predictions\ndecode_predictions(p)", {"imagenet-classes"}),
        ("def f(x):\n  if x:\n    from keras.datasets import reuters\n    return reuters.load_data()", {"reuters"}),
    ],
)
def test_sets_and_weights_are_recognised_however_they_are_written(code: str, expected: set[str]) -> None:
    assert needs(code).sets == expected


def test_names_of_an_earlier_cell_count_in_a_later_one() -> None:
    assert needs("x = mnist.load_data()", "from keras.datasets import mnist").sets == {"mnist"}


def test_addresses_are_those_that_the_code_uses() -> None:
    found = needs(
        "import pandas as pd\nURL = 'https://example.org/heart.csv'\ndf = pd.read_csv(URL)",
        '"""See https://example.org/explained"""\n# https://example.org/comment\nprint("more at https://example.org/x")',
        "from IPython.display import Image\nImage('https://example.org/logo.png')",
        "!wget -q -O a.zip 'https://example.org/a.zip'\n!git clone https://github.com/a/b.git\n!echo https://example.org/no",
        "%%bash\ncurl -LO https://example.org/b.zip",
    )
    assert found.addresses == {
        "https://example.org/heart.csv",
        "https://example.org/a.zip",
        "https://github.com/a/b.git",
        "https://example.org/b.zip",
    }


def test_libraries_with_servers_of_their_own_are_services() -> None:
    found = needs(
        "import tensorflow_datasets as tfds\ntfds.load('cats_vs_dogs', split='train')",
        "from sklearn.datasets import fetch_openml, load_iris\nfetch_openml('mnist_784'); load_iris()",
        "!kaggle competitions download -c titanic",
    )
    assert found.services == {
        "tensorflow_datasets.load('cats_vs_dogs')",
        "sklearn.datasets.fetch_openml('mnist_784')",
        "kaggle competitions download -c titanic",
    }


def test_files_are_those_that_are_read_and_not_written() -> None:
    found = needs(
        "import pandas as pd\npd.read_csv('C:\\\\Users\\\\me\\\\heart.csv')\npd.read_csv('out.csv')\nopen('notes.txt')",
        "df.to_csv('results/out.csv')\nopen('log.txt', 'w')\nopen('log.txt')",
        "model.save('m.keras')\nload_model('m.keras')",
        "print('heart.csv')",
    )
    assert found.files == {"C:\\Users\\me\\heart.csv", "notes.txt"}


def test_folders_are_those_that_are_listed() -> None:
    found = needs(
        "import os, tensorflow as tf\nTRAIN = 'data/train/'\nos.listdir(TRAIN); os.listdir('../input')",
        "tf.keras.utils.image_dataset_from_directory('photos', label_mode='int')",
        "gen.flow_from_directory(directory='cats', target_size=(9, 9), class_mode='binary')",
        "os.makedirs('made'); os.listdir('made/'); os.listdir()",
    )
    assert found.files == {"data/train", "../input", "photos", "cats"}


@pytest.mark.parametrize(
    "writing",
    [
        "with open('heart.csv', 'w') as f: f.write('')",
        "with open('heart.csv', mode='a+') as f: pass",
        "table.to_csv('out/heart.csv')",
        "from urllib.request import urlretrieve\nurlretrieve(address, 'heart.csv')",
        "import shutil\nshutil.copy('other.csv', 'heart.csv')",
        "%%writefile heart.csv\nage,target",
        "!wget -O heart.csv https://example.org/h",
        "!echo age,target > heart.csv",
        "!cp /content/drive/MyDrive/h.csv ./heart.csv",
    ],
)
def test_a_file_that_a_cell_writes_is_not_asked_for(writing: str) -> None:
    python = "" if writing[0] in "%!" else writing
    read = "pd.read_csv('heart.csv')"
    assert "heart.csv" not in read_needs([Cell(python, writing), Cell(read, read)]).files


def test_an_encoding_is_not_a_mode_of_writing() -> None:
    assert needs("open('heart.csv', encoding='ascii')", "pd.read_csv('b.csv', 'x')").files == {"heart.csv", "b.csv"}


def test_modules_are_top_level_names_without_python_itself() -> None:
    found = needs("import os, cv2, numpy as np\nimport keras.layers\nfrom skimage.io import imread\nfrom . import x")
    assert found.modules == {"cv2", "numpy", "keras", "skimage"}


def test_requirements_of_pip_commands_are_kept() -> None:
    found = needs(
        "!pip install -q 'scikit-image>=0.20' nonsense\n%pip install --upgrade keras\n!python -m pip install tqdm"
    )
    assert found.installs == {"scikit-image>=0.20", "nonsense", "keras", "tqdm"}
    assert needs("!pip install -r requirements.txt -i https://evil.example x && wget y").installs == {
        *("-r requirements.txt", "-i https://evil.example", "x")
    }


@pytest.mark.parametrize(
    "source",
    [
        "print 'Python 2'",
        "import os; os.system('touch /tmp/was-run')",
        "(" * 3000,
        "x = " + "-" * 15_000 + "1",
        "\x00",
        "!wget 'unclosed\n!",
        "a" * 30_000,
        "f'{x!r:{y}}'; lambda: (yield)",
        " " * 19_000 + "x",
        "a, " * 6_000 + "b",
        "f(); " * 3_900,
        "!" + "a'b " * 4_900,
        "(lambda: 0)().load_data()\nx[0].y().load_data()\nkeras.load_data()\nload_data()",
    ],
    ids=[
        "python 2",
        "side effect",
        "nested",
        "deep",
        "zero",
        "shell",
        "long",
        "odd",
        "blank",
        "names",
        "calls",
        "words",
        "odd calls",
    ],
)
def test_hostile_cells_are_read_in_no_time_and_ask_for_no_data(source: str) -> None:
    before = time.perf_counter()
    found = needs(source)
    assert time.perf_counter() - before < 2
    assert not found.sets and not found.addresses


def test_a_notebook_that_asks_for_thousands_of_things_is_bounded() -> None:
    lines = [f"import m{n}\nopen('f{n}.csv'); get('https://example.org/{n}')" for n in range(2000)]
    found = needs(*lines)
    assert len(found.modules) == len(found.files) == len(found.addresses) == MAX_WANTS
    assert needs(f"get('https://example.org/{'x' * 5000}')").addresses == set()
