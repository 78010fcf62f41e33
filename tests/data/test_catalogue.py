from ntkcore.data import catalogue, load_dataset
from ntkcore.data.download import PUBLISHED
from ntkcore.specs import DatasetSpec


def test_on_a_bare_machine(local):
    infos = {info.name: info for info in catalogue(local)}
    assert {name for name, info in infos.items() if info.available} == {"digits", "clusters", "moons", "waves"}
    for info in infos.values():
        assert bool(info.reason) != info.available
        assert info.downloadable == (info.name in PUBLISHED)
        assert info.downloadable == (info.download_bytes > 0)
        assert info.available or "Download it" in info.reason


def test_what_is_available_can_be_loaded_and_has_the_shape_stated(local, make):
    make.mnist(local.data_path / "KMNIST" / "raw", n=400, shape=(28, 28))
    available = [info for info in catalogue(local) if info.available]
    assert "kmnist" in [info.name for info in available]
    for info in available:
        data = load_dataset(DatasetSpec(name=info.name, n=300), local)
        assert data.inputs.shape[1:] == info.shape
        assert data.class_names == info.class_names


def test_published_files_are_those_of_torchvision():
    from ntkcore.vision import torchvision

    datasets = torchvision().datasets
    for name, theirs in (("mnist", datasets.MNIST), ("fashion-mnist", datasets.FashionMNIST), ("kmnist", datasets.KMNIST)):
        ours = [(file.urls[-1].rsplit("/", 1)[1], file.md5) for file in PUBLISHED[name]]
        assert ours == theirs.resources
        assert {url.rsplit("/", 1)[0] + "/" for file in PUBLISHED[name] for url in file.urls} >= set(theirs.mirrors)
    url, _, md5 = datasets.SVHN.split_list["train"]
    assert PUBLISHED["svhn"][0].md5 == md5
    assert url in PUBLISHED["svhn"][0].urls
