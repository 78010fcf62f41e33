"""What an influence result says, in sentences of plain text: the same on the page, in a terminal and in a report."""

from ntkcore.analyses import confusion
from ntkcore.analyses.influence.basket import Effect
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.subject import Subject
from ntkcore.analyses.materials.thumbnails import noun
from ntkcore.analyses.words import labelled, number
from ntkcore.specs.influence import InfluenceView


def sentences(subject: Subject) -> tuple[str, ...]:
    """The image or group with its prediction, the two training images that matter most, and how many the prediction hangs on."""
    best, worst = int(subject.values.argmax()), int(subject.values.argmin())
    what = "that mean loss" if subject.group else "that loss"
    removals = _removal(subject, best, "most helpful", what), _removal(subject, worst, "most harmful", what)
    if subject.group:
        return _group(subject), *removals
    turning = turning_words(subject)
    if turning:
        turned = f"Leaving out {turning} would change the class it is taken for."
    else:
        turned = "No single removal would change the class it is taken for."
    return _one(subject), *removals, turned


def emphasis(subject: Subject) -> tuple[str, ...]:
    """The part of each of the :func:`sentences` that says most; "" of one that has none."""
    values = subject.values
    best, worst = (moved_words(float(value)) for value in (values.max(), values.min()))
    if subject.group:
        return group_words(subject.result, subject.view, len(subject.group)), best, worst
    return verdict_words(subject), best, worst, turning_words(subject)


def verdict_words(subject: Subject) -> str:
    """What the held-out image is taken for, and whether rightly."""
    predicted = subject.result.class_names[subject.now.predicted[subject.target]]
    return f"{'rightly' if subject.now.correct[subject.target] else 'wrongly'} taken for {predicted}"


def moved_words(value: float) -> str:
    """By how much a loss moves."""
    return f"by {number(abs(value), 2)}"


def turning_words(subject: Subject) -> str:
    """The training images that the prediction hangs on; "" where there is none."""
    turns = int((subject.turned >= 0).sum())
    return f"any one of {turns:,}" if turns else ""


def group_words(result: InfluenceResult, view: InfluenceView, count: int) -> str:
    """A group of held-out images by its name: "the 12 misclassified held-out images of class 7"."""
    many = "s" if count > 1 else ""
    if view.mean == "ticked":
        return f"the {count:,} ticked held-out image{many}"
    wrong = "misclassified " if view.tests == "wrong" else ""
    names = [name for name in result.class_names if name in view.only]
    of = f" of class{'es' if len(names) > 1 else ''} {', '.join(names)}" if names else ""
    cell = "" if view.cell is None else f", {confusion.words(view.cell, result.class_names)}"
    every = "all " if not wrong and not names and not cell else "the "
    return f"{every}{count:,} {wrong}held-out image{many}{of}{cell}"


def basket_sentence(found: Effect) -> str:
    """What becomes of the held-out images without the basket, or with its new label."""
    return f"At the end of training: {_outcome(found, 'held-out images')}."


def addition_sentence(found: Effect) -> str:
    """What becomes of the other held-out images when some are learned, too."""
    count = len(found.loss) - len(found.images)
    return f"At the end of training, with {count:,} more image{'' if count == 1 else 's'}: {_outcome(found, 'the other held-out images')}."


def after_words(found: Effect) -> str:
    """The share of the held-out images that is right after it."""
    return f"{100 * found.after:.1f} %"


def label_words(result: InfluenceResult, image: int) -> str:
    """A training image's label, and what it truly is where that differs."""
    return labelled(*(result.class_names[labels[image]] for labels in (result.labels, result.true_labels)))


def _outcome(found: Effect, whose: str) -> str:
    moved, after = float(found.moved.mean()), float(found.loss_after[found.images].mean())
    right = f"{100 * found.accuracy:.1f} % → {after_words(found)} of {whose} right" if found.changed else "no prediction changes sides"
    return f"{right}; the mean loss {'rises' if moved > 0 else 'falls'} by {number(abs(moved), 2)} to {number(after, 3)}"


def _one(subject: Subject) -> str:
    target = subject.target
    name = subject.result.class_names[subject.result.test_labels[target]]
    kind = noun(subject.result.test_pack, subject.look.ws)
    return f"Held-out {kind} {target}, {name}, is {verdict_words(subject)}; its loss is {number(subject.now.loss[target])}."


def _group(subject: Subject) -> str:
    view, images = subject.view, list(subject.group)
    loss, right = float(subject.now.loss[images].mean()), 100 * float(subject.now.correct[images].mean())
    judged = "" if view.mean == "shown" and view.tests == "wrong" else f", and {right:.1f} % of them are classified correctly"
    return f"The mean over {group_words(subject.result, view, len(images))}: their mean loss is {number(loss)}{judged}."


def _removal(subject: Subject, image: int, which: str, what: str) -> str:
    value, kind = float(subject.values[image]), noun(subject.result.pack, subject.look.ws)
    if (value > 0) != (which == "most helpful") or value == 0:
        return f"No training {kind} is {which.split()[1]}."
    name = subject.result.class_names[subject.result.labels[image]]
    return f"Removing the {which} training {kind} ({image}, {name}) would {'raise' if value > 0 else 'lower'} {what} {moved_words(value)}."
