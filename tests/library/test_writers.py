"""Ten who write at once: everything confirmed is there, in an order that everybody sees."""

from concurrent.futures import ThreadPoolExecutor

from ntkcore.library import Content, Labels, Saved
from ntkcore.library.notes import Notes
from ntkcore.library.people import local
from ntkcore.library.saved import Overtaken

EACH = 6
PLAIN = Content("map", {}, {}, "A map", keys=(("map", "k", 1),))


def test_ten_writers_lose_nothing(both, opened):
    begun = opened(both)
    owner = local("Owner")
    shared = Saved(begun).save(PLAIN, owner).analysis
    session = Labels(begun).begin("label", "Digits", {"n": 100}, "Owner")

    def write(at: int) -> list[int]:
        library, person = opened(both), local(f"person {at}")
        saved, notes, labels = Saved(library), Notes(library), Labels(library)
        versions = []
        for turn in range(EACH):
            notes.write(f"note {turn}", person, analysis=shared)
            labels.decide(session, 10 * turn + at, "label", person.name, label=at % 3, seen=None)
            saved.save(PLAIN, person)
            while True:  # another version than the one that was seen is refused, and said
                try:
                    versions.append(saved.again(shared, PLAIN, owner, seen=saved.version(shared, owner).number).number)
                    break
                except Overtaken:
                    continue
        return versions

    with ThreadPoolExecutor(10) as writers:
        versions = [number for found in writers.map(write, range(10)) for number in found]
    assert sorted(versions) == list(range(2, 2 + 10 * EACH))  # none twice, none left out
    assert [one.number for one in Saved(begun).versions(shared, owner)] == list(range(1 + 10 * EACH, 0, -1))
    assert len(Notes(begun).on_analysis(shared, owner)) == 10 * EACH
    standing = Labels(begun).standing(session)
    assert {one.item: one.label for one in standing.decisions} == {10 * turn + at: at % 3 for at in range(10) for turn in range(EACH)}
