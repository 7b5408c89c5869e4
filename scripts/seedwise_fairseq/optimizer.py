"""AdamW as one fused kernel, for fairseq."""

import torch
from fairseq.optim import FairseqOptimizer, register_optimizer
from fairseq.optim.adam import FairseqAdam, FairseqAdamConfig


class _AdamW(torch.optim.AdamW):
    """AdamW without what torch wraps around it for its compiler, whose import takes a second."""

    add_param_group = torch.optim.AdamW.add_param_group.__wrapped__
    load_state_dict = torch.optim.AdamW.load_state_dict.__wrapped__
    state_dict = torch.optim.AdamW.state_dict.__wrapped__
    step = torch.no_grad()(torch.optim.AdamW.step.__wrapped__)
    zero_grad = torch.optim.AdamW.zero_grad.__wrapped__


@register_optimizer("fused_adamw", dataclass=FairseqAdamConfig)
class FusedAdamW(FairseqAdam):
    """`torch.optim.AdamW(fused=True)` with the options of fairseq's `adam`.

    fairseq's own decouples the weight decay as well and computes the same update (Loshchilov
    & Hutter 2019), but one tensor and one operation at a time. Biases and layer norms, the
    parameters of one dimension, do not decay, as in transformers' Trainer and in BERT's own
    training (Devlin et al. 2019); fairseq's own decays all.
    """

    def __init__(self, cfg: FairseqAdamConfig, params: list[torch.nn.Parameter]) -> None:
        FairseqOptimizer.__init__(self, cfg)
        groups = [
            {"params": [p for p in params if p.dim() > 1]},
            {"params": [p for p in params if p.dim() <= 1], "weight_decay": 0.0},
        ]
        self._optimizer = _AdamW(groups, fused=True, **self.optimizer_config)
