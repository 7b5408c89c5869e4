"""AdamW as one fused kernel, for fairseq."""

import torch
from fairseq.optim import FairseqOptimizer, register_optimizer
from fairseq.optim.adam import FairseqAdam, FairseqAdamConfig


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
        self._optimizer = torch.optim.AdamW(groups, fused=True, **self.optimizer_config)
