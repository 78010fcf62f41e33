from ntkcore.data.names import IMAGE_SETS, NAMED
from ntkcore.specs import DATASETS, VECTOR_SETS


def test_every_set_of_the_specification_is_known():
    assert set(NAMED) == set(DATASETS) - {"own"}
    assert set(IMAGE_SETS) | set(VECTOR_SETS) == set(NAMED)
    assert all((len(NAMED[name].shape) == 1) == (name in VECTOR_SETS) for name in NAMED)


def test_the_facts_agree():
    for known in NAMED.values():
        assert len(set(known.class_names)) == len(known.class_names)
        assert known.description.endswith(".")
    assert len(NAMED["cifar100"].class_names) == 100
    assert list(NAMED["cifar100"].class_names) == sorted(NAMED["cifar100"].class_names)


def test_class_names_are_those_of_torchvision():
    from ntkcore.vision import torchvision

    datasets = torchvision().datasets
    assert list(NAMED["fashion-mnist"].class_names) == datasets.FashionMNIST.classes
    assert list(NAMED["kmnist"].class_names) == datasets.KMNIST.classes
