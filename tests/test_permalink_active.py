"""Links of the active learning page say exactly what was chosen."""

from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import dataset_specs, model_specs, through_an_address, training_specs

from ntkcore.permalink import ADDRESSES
from ntkcore.specs.active import MOST_SEEDS, STRATEGIES, ActiveSpec, ActiveView
from ntkcore.specs.influence import CHAINS

ADDRESS = ADDRESSES["active"]
_names = st.lists(st.sampled_from(list(STRATEGIES)), min_size=1, unique=True).map(tuple)
_INFINITE = {"infinite", "gp"}  # of a network that has an infinite kernel


@st.composite
def active_specs(draw: st.DrawFn) -> ActiveSpec:
    dataset, training = draw(dataset_specs()), draw(training_specs())
    small = {"seed": min(training.seed, 2**30), "epochs": max(1, training.epochs)}
    model = draw(model_specs().filter(lambda found: found.head_start != "ridge"))  # which knows all labels
    chain = model.architecture in CHAINS and model.weights == "random"
    names = _names if chain else _names.map(lambda found: tuple(name for name in found if name not in _INFINITE) or ("random",))
    explicit = draw(st.booleans()) and dataset.n >= 10
    numbers = {"start": draw(st.integers(2, 4)), "query": draw(st.integers(1, 2)), "cycles": draw(st.integers(1, 3))} if explicit else {}
    return ActiveSpec(
        dataset=dataset.model_copy(update={"seed": min(dataset.seed, 2**30)}),
        test=draw(st.integers(2, 10_000)),
        model=model.model_copy(update={"seed": min(model.seed, 2**30)}),
        training=training.model_copy(update=small),
        strategies=draw(names),
        pool=draw(st.integers(20, 20_000)),
        seeds=draw(st.integers(1, MOST_SEEDS)),
        ridge=draw(st.floats(0, 1e6)),
        reference=draw(st.sampled_from(["linear", "network"])),
        probabilities=draw(st.sampled_from(["simplex", "softmax"])),
        points=draw(st.integers(1, 20_000)),
        dtype=draw(st.sampled_from(["float32", "float64"])),
        **{name: draw(st.booleans()) for name in ("balanced", "warm", "sequential")},
        **numbers,
    )


views = st.builds(
    ActiveView,
    level=st.none() | st.floats(0, 100),
    cycle=st.none() | st.integers(1, 200),
    only=st.just(()) | _names,
    repeat=st.integers(0, MOST_SEEDS - 1),
    image=st.none() | st.integers(0, 99_999),
)


@settings(max_examples=60)
@given(spec=active_specs(), view=views)
def test_round_trip_through_a_real_address(spec: ActiveSpec, view: ActiveView) -> None:
    assert ADDRESS.read(through_an_address(ADDRESS.write(spec, view))) == (spec, view)


def test_what_nobody_chose_is_not_said() -> None:
    assert ADDRESS.write(ActiveSpec(), ActiveView()) == {"dataset": "digits"}
    assert ADDRESS.read({"strategies": ["margin", "random"]})[0].strategies == ("margin", "random")
