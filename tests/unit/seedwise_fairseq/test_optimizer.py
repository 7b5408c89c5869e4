"""fused_adamw against fairseq's own adam."""

import subprocess
import sys

import pytest
import torch

from seedwise_fairseq import optimizer
from support import ROOT

CONFIG = {
    "adam_betas": "(0.9, 0.98)",
    "adam_eps": 1e-8,
    "weight_decay": 0.01,
    "use_old_adam": True,
    "fp16_adam_stats": False,
    "tpu": False,
    "lr": [1e-2],
}
UPDATES = 20


def config(**changes):
    return optimizer.FairseqAdamConfig(**CONFIG | changes)


def train(kind, bias=False, **changes):
    """Fit a small network for some updates; return its weights after each."""
    torch.manual_seed(0)
    layers = torch.nn.Linear(6, 8, bias=bias), torch.nn.Tanh(), torch.nn.Linear(8, 1, bias=bias)
    network = torch.nn.Sequential(*layers)
    inputs, targets = torch.randn(32, 6), torch.randn(32, 1)
    algorithm = kind(config(**changes), list(network.parameters()))
    weights = []
    for update in range(UPDATES):
        algorithm.set_lr(1e-2 * (1 - update / UPDATES))  # as fairseq's schedulers do
        algorithm.zero_grad()
        loss = torch.nn.functional.mse_loss(network(inputs), targets)
        algorithm.backward(loss)
        algorithm.step()
        weights.append(torch.nn.utils.parameters_to_vector(network.parameters()).detach())
    return torch.stack(weights)


@pytest.mark.parametrize("weight_decay", [0.0, 0.01, 0.5])
def test_it_computes_the_updates_of_fairseqs_adam(weight_decay):
    ours = train(optimizer.FusedAdamW, weight_decay=weight_decay)
    theirs = train(optimizer.FairseqAdam, weight_decay=weight_decay)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    assert (ours[-1] - ours[0]).abs().max() > 0.05  # there was something to compare


def test_biases_and_norms_do_not_decay():
    matrix, vector = (torch.nn.Parameter(torch.ones(size)) for size in ((2, 3), (3,)))
    algorithm = optimizer.FusedAdamW(config(weight_decay=0.5), [matrix, vector])
    matrix.grad, vector.grad = torch.zeros(2, 3), torch.zeros(3)
    algorithm.step()
    assert (matrix == 1 - 1e-2 * 0.5).all() and (vector == 1).all()
    # Where nothing decays, biases are updated as in fairseq's adam.
    ours, theirs = (
        train(kind, bias=True, weight_decay=0.0)
        for kind in (optimizer.FusedAdamW, optimizer.FairseqAdam)
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_options_reach_it():
    assert not torch.allclose(train(optimizer.FusedAdamW), train(optimizer.FusedAdamW, adam_eps=1))
    other = train(optimizer.FusedAdamW, adam_betas="(0.5, 0.5)")
    assert not torch.allclose(train(optimizer.FusedAdamW), other)


def test_it_is_fused_and_resumes():
    parameters = [torch.nn.Parameter(torch.ones(3))]
    first = optimizer.FusedAdamW(config(), parameters)
    assert first.optimizer.param_groups[0]["fused"]
    parameters[0].grad = torch.ones(3)
    first.step()
    second = optimizer.FusedAdamW(config(), parameters)
    second.load_state_dict(first.state_dict())
    state = second.optimizer.state[parameters[0]]
    assert float(state["step"]) == 1 and state["exp_avg"].abs().sum() > 0


def test_no_compiler_is_imported():
    program = (
        "import sys, torch\n"
        "from seedwise_fairseq import optimizer\n"
        "weight = torch.nn.Parameter(torch.ones(2, 3))\n"
        f"config = optimizer.FairseqAdamConfig(**{CONFIG})\n"
        "algorithm = optimizer.FusedAdamW(config, [weight])\n"
        "weight.grad = torch.ones(2, 3)\n"
        "algorithm.step()\n"
        "algorithm.zero_grad()\n"
        "algorithm.load_state_dict(algorithm.state_dict())\n"
        "assert 'torch._dynamo' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT / "scripts", check=True)
