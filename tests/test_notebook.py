"""The three documented lines."""

from ntkcore.notebook import learnability, ranking


def test_three_lines(cache, capsys):
    result = learnability(dataset="digits", classes=["4", "9"], n=80, width=8, depth=1, epochs=2, rate=0.1, full=False)
    rows = ranking(result)
    assert len(rows) == 80
    assert rows["k_xx"].is_monotonic_increasing
    assert result.spec.training.learning_rate == 0.1
    assert result.full is None
    again = learnability(dataset="digits", classes=["4", "9"], n=80, width=8, depth=1, epochs=2, rate=0.1, full=False)
    assert again.created == result.created
