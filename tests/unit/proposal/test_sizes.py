from seedwise.proposal.sizes import Machine, choose_sizes


def test_sizes_grow_with_the_machine_and_the_time():
    def sizes(flops, minutes, texts=2000):
        machine = Machine(cores=2, flops=flops, gpu=False, bfloat16=False)
        return choose_sizes(
            texts=texts, corpus_texts=texts, words=[20] * 50, runs=9, machine=machine,
            minutes=minutes,
        )  # fmt: skip

    slow, fast = sizes(2e10, 5), sizes(2e12, 60)
    assert (slow.layers, slow.embed_dim) < (fast.layers, fast.embed_dim)
    assert slow.max_positions == fast.max_positions == 64
    assert sizes(1e11, 15).minutes <= 15
    assert sizes(1e11, 15, texts=200).epochs > sizes(1e11, 15, texts=20_000).epochs
