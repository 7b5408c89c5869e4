import numpy as np

from seedwise.proposal.sizes import Machine, choose_sizes, choose_tuning


def test_sizes_grow_with_the_machine_and_the_time():
    def sizes(flops, minutes, texts=2000):
        machine = Machine(cores=2, flops=flops, gpu=False, bfloat16=False)
        return choose_sizes(
            texts=texts, corpus_texts=texts, lengths=np.full(50, 34), runs=9, machine=machine,
            minutes=minutes,
        )  # fmt: skip

    slow, fast = sizes(2e10, 5), sizes(2e12, 60)
    assert (slow.layers, slow.embed_dim) < (fast.layers, fast.embed_dim)
    assert slow.max_positions == fast.max_positions == 64
    assert sizes(1e11, 15).minutes <= 15
    assert sizes(1e11, 15, texts=200).epochs > sizes(1e11, 15, texts=20_000).epochs


def test_few_texts_are_read_more_often_and_wide_encoders_more_carefully():
    machine = Machine(cores=2, flops=1e11, gpu=False, bfloat16=False)
    minilm = {"layers": 6, "embed_dim": 384, "ffn_dim": 1536, "max_positions": 512}
    large = {"layers": 24, "embed_dim": 1024, "ffn_dim": 4096, "max_positions": 512}

    def tuning(sizes, texts):
        return choose_tuning(
            sizes, texts=texts, evaluated=(texts // 10, texts // 5), lengths=np.full(50, 34),
            runs=6, machine=machine,
        )  # fmt: skip

    assert tuning(minilm, 300).epochs > tuning(minilm, 3000).epochs == 3
    assert tuning(minilm, 3000).learning_rate > tuning(large, 3000).learning_rate
    assert tuning(minilm, 3000).minutes < tuning(large, 3000).minutes
    assert tuning(minilm, 3000).max_tokens == 64
