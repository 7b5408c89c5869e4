import numpy as np
import pytest

from seedwise.models.word_vectors import STANDARD_DEVIATION, positive_pmi, word_vectors

EOS = 2
A, B, C, D, UNSEEN = 4, 5, 6, 7, 8
TEXTS = [np.array([*pieces, EOS]) for pieces in ([A, B], [A, B, B], [C, D], [C, D], [A, D])]


def batches(texts, size=2):
    for start in range(0, len(texts), size):
        batch = texts[start : start + size]
        yield np.concatenate(batch), np.array([len(text) for text in batch])


def test_pmi_by_hand():
    # Pairs in one text: A-B 1 + 2, C-D 1 + 1, A-D 1; each counts from both sides: 12 in all.
    matrix = positive_pmi(batches(TEXTS), vocab_size=10).toarray()
    a, b, d = 4, 3, 3  # pairs that hold A, B, D
    assert matrix[A, B] == pytest.approx(np.log(3 * 12 / (a * b)))
    assert matrix[A, D] == pytest.approx(max(0.0, np.log(1 * 12 / (a * d))))
    assert matrix[A, C] == 0 and matrix[B, B] == 0
    assert (matrix == matrix.T).all()
    assert not matrix[EOS].any() and not matrix[UNSEEN].any()


def test_pieces_of_the_same_company_have_similar_vectors():
    rng = np.random.default_rng(0)
    topics = [np.arange(10, 20), np.arange(20, 30)]
    texts = [np.array([*rng.choice(topics[n % 2], 6), EOS]) for n in range(200)]
    vectors = word_vectors(batches(texts), vocab_size=31, dimensions=4, seed=0)
    assert vectors.shape == (31, 4) and vectors.dtype == np.float32
    units = vectors[10:30] / np.linalg.norm(vectors[10:30], axis=1, keepdims=True)
    similarity = units @ units.T
    assert similarity[:10, :10].mean() > similarity[:10, 10:].mean() + 0.3
    assert vectors[10:30].std() == pytest.approx(STANDARD_DEVIATION, rel=1e-4)
    assert not vectors[:10].any() and not vectors[30].any()


def test_same_seed_same_vectors_however_the_texts_are_batched():
    first, second = (word_vectors(batches(TEXTS, size), 10, 3, seed=1) for size in (2, 5))
    assert (first == second).all()
