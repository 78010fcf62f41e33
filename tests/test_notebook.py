"""The three documented lines."""

from ntkcore.notebook import comparison_table, convergence, learnability, ranking


def test_three_lines(cache, capsys):
    result = learnability(dataset="digits", classes=["4", "9"], n=80, width=8, depth=1, epochs=2, rate=0.1, full=False)
    rows = ranking(result)
    assert len(rows) == 80
    assert rows["k_xx"].is_monotonic_increasing
    assert result.spec.training.learning_rate == 0.1
    assert result.full is None
    again = learnability(dataset="digits", classes=["4", "9"], n=80, width=8, depth=1, epochs=2, rate=0.1, full=False)
    assert again.created == result.created


def test_two_lines_compare_the_kernels(cache, capsys, monkeypatch):
    monkeypatch.setattr("ntkcore.analyses.timing.OUTPUTS", (1,))
    monkeypatch.setattr("ntkcore.analyses.timing.DEPTHS", (1,))
    result = convergence(classes=["0", "1", "2"], n=12, test=6, widths=[4, 8], depth=1, seeds=1, looks=[0], ridge=0.5)
    assert result.complete and result.spec.widths == (4, 8) and result.spec.ridge == 0.5
    rows = comparison_table(result)
    assert list(rows["width"]) == [4, 8] and rows["frobenius_pseudo"].notna().all()
