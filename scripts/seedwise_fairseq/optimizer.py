"""AdamW as one fused kernel, for fairseq."""

import torch
from fairseq.optim import FairseqOptimizer, register_optimizer
from fairseq.optim.adam import FairseqAdam, FairseqAdamConfig


@register_optimizer("fused_adamw", dataclass=FairseqAdamConfig)
class FusedAdamW(FairseqAdam):
    """`torch.optim.AdamW(fused=True)` with the options of fairseq's `adam`.

    fairseq's own decouples the weight decay as well and computes the same update (Loshchilov
    & Hutter 2019), but one tensor and one operation at a time.
    """

    def __init__(self, cfg: FairseqAdamConfig, params: list[torch.nn.Parameter]) -> None:
        FairseqOptimizer.__init__(self, cfg)
        self._optimizer = torch.optim.AdamW(params, fused=True, **self.optimizer_config)
