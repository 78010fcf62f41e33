"""What is known of the named sets without reading them: titles, classes, shapes, sizes."""

from dataclasses import dataclass

from ntkcore.specs import DATASETS, DatasetName

_DIGITS = tuple("0123456789")
_FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_KMNIST = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_CIFAR100_NAMES = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle caterpillar "
    "cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl "
    "hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom "
    "oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road "
    "rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank "
    "telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm"
)
_CIFAR100 = tuple(_CIFAR100_NAMES.split())


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A named set: its title, one sentence about it, its classes in label order, one input's shape, its training images."""

    title: str
    description: str
    class_names: tuple[str, ...]
    shape: tuple[int, ...]
    size: int


_GENERATED = 100_000  # points: the largest n a specification may ask for

NAMED: dict[DatasetName, NamedSet] = {
    "digits": NamedSet("Digits", "Handwritten digits of 8 × 8 pixels, part of the installation: no download.", _DIGITS, (1, 8, 8), 1797),
    "mnist": NamedSet("MNIST", "Handwritten digits of 28 × 28 pixels.", _DIGITS, (1, 28, 28), 60_000),
    "fashion-mnist": NamedSet("Fashion-MNIST", "Clothes and shoes in gray, 28 × 28 pixels.", _FASHION, (1, 28, 28), 60_000),
    "kmnist": NamedSet("KMNIST", "Ten cursive Japanese characters, 28 × 28 pixels.", _KMNIST, (1, 28, 28), 60_000),
    "cifar10": NamedSet("CIFAR-10", "Colour photographs of animals and vehicles, 32 × 32 pixels.", _CIFAR10, (3, 32, 32), 50_000),
    "cifar100": NamedSet("CIFAR-100", "Colour photographs in a hundred fine classes, 32 × 32 pixels.", _CIFAR100, (3, 32, 32), 50_000),
    "svhn": NamedSet("SVHN", "Digits of house numbers in street photographs, 32 × 32 pixels.", _DIGITS, (3, 32, 32), 73_257),
    "clusters": NamedSet(
        "Clusters",
        "Two classes of five tight clusters each on the unit sphere in 100 dimensions, from rare to frequent.",
        ("negative", "positive"),
        (100,),
        _GENERATED,
    ),
    "moons": NamedSet("Moons", "Two interleaved half circles in the plane, with noise.", ("upper", "lower"), (2,), _GENERATED),
    "waves": NamedSet("Waves", "Points on a line whose class is the sign of a sine wave.", ("below", "above"), (1,), _GENERATED),
}

IMAGE_SETS: tuple[DatasetName, ...] = tuple(name for name in DATASETS if name in NAMED and len(NAMED[name].shape) == 3)


def quoted_class(name: str) -> str:
    """A class name as the command line takes it: quoted when it holds a comma or a quote."""
    return '"' + name.replace('"', '""') + '"' if "," in name or '"' in name else name
