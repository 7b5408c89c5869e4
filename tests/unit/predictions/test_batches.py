from seedwise.predictions.batches import batches


def lists(*arguments):
    return [indices.tolist() for indices in batches(*arguments)]


def test_batches_hold_so_many_tokens_padding_counted():
    # The longest first, one alone where it is too long.
    assert lists([3, 9, 1, 4, 4], 8) == [[1], [3, 4], [0, 2]]
    assert lists([], 8) == []


def test_batches_hold_so_many_texts():
    assert lists([1, 2, 1, 1], 100, 3) == [[1, 0, 2], [3]]
    assert lists([0, 0], 100, 1) == [[0], [1]]
