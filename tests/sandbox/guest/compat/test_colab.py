"""Modules, magics and keyboard input of Colab and Kaggle."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.sandbox.namespaces import NamespaceSandbox
from tests.sandbox.guest.compat.notebooks import Outputs, CourseFiles

TYPED = "StdinNotImplementedError: "


@pytest.fixture(scope="module")
def colab(warm: NamespaceSandbox, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    """Run one notebook of independent cells."""
    heart = tmp_path_factory.mktemp("course") / "heart.csv"
    heart.write_text("age,ill\n50,1\n")
    return CourseFiles({"heart.csv": heart, "photos/cat.txt": heart}, {"heart.csv": "heart.csv"}).run(
        warm,
        drive="from google.colab import drive\ndrive.mount('/content/drive'); drive.flush_and_unmount()",
        upload="from google.colab import files\nup = files.upload()\nprint(up, len(up['Heart.CSV']))\n"
        "files.download('x.csv')\nup['other.csv']",
        saved="import h5py, matplotlib, numpy as np, os, pandas as pd\nd = '/content/drive/MyDrive/hw/'\n"
        "np.save(d + 'a/x.npy', 1); h5py.File(d + 'b/m.h5', 'w').close(); pd.DataFrame().to_csv(d + 'c/t.csv')\n"
        "print(sorted(os.listdir(d)), os.path.islink('/content'))",
        font="from matplotlib.font_manager import fontManager\nfontManager.addfont('TaipeiSansTCBeta-Regular.ttf')",
        elsewhere="open('/nowhere/at/all.txt', 'w')",
        namespace="import google.colab, google.protobuf\ngoogle.colab.files.view('x'); print(google.protobuf.__name__)",
        secret="from google.colab import userdata\nuserdata.get('KEY')",
        secret_caught="try: userdata.get('K')\nexcept userdata.SecretNotFoundError: print('none')",
        auth="from google.colab import auth, output, data_table\nauth.authenticate_user(); output.clear()\n"
        "data_table.enable_dataframe_formatter()",
        camera="output.eval_js('navigator')",
        no_such="from google.colab import nothing_like_it",
        picture="from google.colab.patches import cv2_imshow\nimport numpy as np\ncv2_imshow(np.zeros((2, 2, 3)))",
        kaggle_secret="from kaggle_secrets import UserSecretsClient\nUserSecretsClient().get_secret('key')",
        kaggle="import kaggle\nkaggle.api.authenticate(); kaggle.api.dataset_download_files('a/b', path='.')",
        kaggle_api="from kaggle.api.kaggle_api_extended import KaggleApi\nKaggleApi().authenticate()",
        version="%tensorflow_version 2.x",
        window="%matplotlib notebook\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()\n"
        "print(plt.get_backend())",
        board="%load_ext tensorboard\n%tensorboard --logdir logs",
        extension="%load_ext nothing_like_it",
        shell="%%shell\necho from the shell",
        moved="%cd /content/drive/MyDrive/homework\nimport os\nprint(os.path.exists('heart.csv'))",
        lost="%cd nowhere/to/be/found\nprint(os.getcwd())",
        chain="try: userdata.get('K')\nexcept Exception as error: raise ValueError('x') from error",
        typed="input('your name? ')",
        password="import getpass\ngetpass.getpass()",
        written="open('/content/out.txt', 'w').write('x')\nos.makedirs('/kaggle/working/kept')\n"
        "print(sorted(os.listdir('/kaggle/working')), os.listdir('/kaggle/input') == os.listdir('.'))",
        chained="x = !echo one two\nprint(x[0].split()[1])",
        background="word = 2\n!echo {word + 1} $word; false\nprint(_exit_code)\n!echo $HOME",
    )  # fmt: skip


@pytest.mark.parametrize(
    "cell",
    [
        "drive", "saved", "font", "namespace", "secret_caught", "auth", "picture", "kaggle_api", "version", "window",
        "board", "shell", "moved", "written", "chained", "background",
    ],
)  # fmt: skip
def test_services_of_colab_do_nothing(colab: Outputs, cell: str) -> None:
    assert colab.error[cell] == ""


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("secret", "SecretNotFoundError: userdata.get('KEY'): no secrets are available"),
        ("upload", "KeyError: 'other.csv'"),
        ("elsewhere", "FileNotFoundError: "),
        ("camera", "NotImplementedError: output.eval_js(): no web page"),
        ("no_such", "ImportError: cannot import name 'nothing_like_it' from 'google.colab'"),
        ("kaggle_secret", "ValueError: get_secret('key'): no secrets are available"),
        ("kaggle", "ConnectionError: not available offline: kaggle.api.dataset_download_files('a/b')"),
        ("extension", "ModuleNotFoundError: No module named 'nothing_like_it'"),
        ("typed", TYPED + "input('your name? '): no keyboard input is available"),
        ("password", TYPED + "getpass(''): no keyboard input is available"),
    ],
)
def test_an_impossible_call_raises_an_error_with_the_reason(colab: Outputs, cell: str, says: str) -> None:
    assert colab.error[cell].startswith(says)


@pytest.mark.parametrize("cell", ["typed", "secret", "elsewhere", "chain", "kaggle"])
def test_a_traceback_hides_lines_of_the_grader(colab: Outputs, cell: str) -> None:
    assert "Cell In[" in colab.tracebacks[cell]
    assert "guest" not in colab.tracebacks[cell]


def test_an_upload_returns_the_files_beside_the_notebook(colab: Outputs) -> None:
    assert colab.text["upload"] == "{'heart.csv': b'age,ill\\n50,1\\n'} 13"
    assert ("upload", "files.upload()", "heart.csv") in colab.notes


def test_without_a_file_an_upload_fails(warm: NamespaceSandbox) -> None:
    outputs = CourseFiles({}, {}).run(warm, upload="from google.colab import files\nfiles.upload()")
    assert outputs.error["upload"].startswith("FileNotFoundError: files.upload(): no file can be chosen")


def test_other_google_packages_are_not_replaced(colab: Outputs) -> None:
    assert colab.text["namespace"] == "google.protobuf"


def test_a_window_backend_draws_inline(colab: Outputs) -> None:
    assert colab.text["window"].splitlines()[-1].endswith("inline")
    assert ("instead", "%matplotlib notebook", "%matplotlib inline") in colab.notes


def test_changing_to_a_drive_folder_stays_in_the_work_folder(colab: Outputs) -> None:
    assert colab.text["moved"].endswith("True")
    assert ("instead", "/content/drive/MyDrive/homework", "./") in colab.notes
    assert colab.text["lost"].endswith("/job/work"), "an unknown folder is not entered"


def test_folders_of_colab_and_kaggle_can_be_written_to(colab: Outputs) -> None:
    assert colab.text["written"] == "['drive', 'heart.csv', 'kept', 'out.txt', 'photos'] True"
    assert colab.text["saved"] == "['a', 'b', 'c'] True"
    assert ("instead", "/content/drive/MyDrive/hw/a", "drive/MyDrive/hw/a") in colab.notes


def test_a_shell_command_runs_through_a_pipe(colab: Outputs) -> None:
    assert colab.text["background"].splitlines() == ["3 2", "1", "/job/home"]
    assert (colab.text["shell"], colab.text["chained"]) == ("from the shell", "two")


def test_calls_without_effect_are_noted(colab: Outputs) -> None:
    places = [found for kind, found, _used in colab.notes if kind == "place"]
    assert "drive.mount('/content/drive')" in places
    assert "%tensorflow_version 2.x" in places
    assert "%load_ext tensorboard" in places
    assert "files.download()" in places


WANDB = """
import wandb
from wandb.integration.keras import WandbCallback, WandbMetricsLogger
wandb.login()
run = wandb.init(project="x", config={"epochs": 3})
print(wandb.config.epochs, run.config["epochs"])
import keras, numpy as np
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((8, 2)), np.ones(8), epochs=1, verbose=0, callbacks=[WandbCallback(), WandbMetricsLogger()])
wandb.log({"loss": 1, "picture": wandb.Image(np.zeros((2, 2)))}); run.log({}); wandb.finish()
"""


def test_wandb_does_nothing_and_refuses_to_start_trainings(warm: NamespaceSandbox) -> None:
    outputs = CourseFiles({}, {}).run(warm, wandb=WANDB, agent="wandb.agent(1, function=print)")
    assert outputs.error["wandb"] == ""
    assert outputs.text["wandb"].startswith("3 3")
    assert outputs.error["agent"].startswith("ConnectionError: not available offline: wandb.agent()")
    assert ("stand_in", "wandb", "") in outputs.notes


def test_a_module_beside_the_notebook_is_imported(warm: NamespaceSandbox, tmp_path: Path) -> None:
    own = tmp_path / "wandb.py"
    own.write_text("mine = True")
    outputs = CourseFiles({"wandb.py": own}, {}).run(warm, own="import wandb\nprint(wandb.mine)")
    assert outputs.text["own"] == "True"
