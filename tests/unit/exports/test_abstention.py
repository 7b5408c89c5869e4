import pytest

from seedwise.exports.abstention import answered

HEAD = "id,label,prediction,probability_a,probability_b\n"


def test_coverage_and_accuracy_by_hand(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(HEAD + "1,a,a,0.9,0.1\n2,b,a,0.8,0.2\n3,b,b,0.4,0.6\n4,a,b,0.05,0.95\n")
    found = answered([path], [1.0], 0.8)
    assert (found.texts, found.share) == (4, 0.75)
    assert found.accuracy == pytest.approx(1 / 3)
    assert str(found) == "of the study's 4 test texts, 75.0% are answered, 33.3% of them rightly"
    # At a temperature of 2 the odds of 0.9 are 3 to 1.
    assert answered([path], [2.0], 0.75 - 1e-9).share == 0.5
    assert str(answered([path], [1.0], 0.99)).endswith("0.0% are answered")


def test_models_answer_by_their_mean_and_only_of_the_same_texts(tmp_path):
    one, other, else_ = (tmp_path / name for name in ("one.csv", "other.csv", "else.csv"))
    one.write_text(HEAD + "1,a,a,0.9,0.1\n2,b,a,0.8,0.2\n")
    other.write_text(HEAD + "1,a,a,0.7,0.3\n2,b,b,0.1,0.9\n")
    else_.write_text(HEAD + "1,a,a,0.7,0.3\n3,b,b,0.1,0.9\n")
    found = answered([one, other], [1.0, 1.0], 0.75)
    assert (found.share, found.accuracy) == (0.5, 1)
    assert answered([one, else_], [1.0, 1.0], 0.75) is None
    assert answered([one, tmp_path / "none.csv"], [1.0, 1.0], 0.75) is None
