"""fairseq's RoBERTa for encoders that others have published: their LayerNorm, their pooler."""

import argparse
from typing import Any

from fairseq.models import register_model, register_model_architecture
from fairseq.models.roberta.model import RobertaModel, base_architecture
from torch import nn

ARCH = "seedwise_roberta"

POOLER = "pooler.dense."
"""Names of weights in a checkpoint from which the dense layer of a new head starts."""


@register_model(ARCH)
class SeedwiseRobertaModel(RobertaModel):
    """RoBERTa with a chosen `eps` in every LayerNorm, whose heads may start from a pooler."""

    @staticmethod
    def add_args(parser: argparse.ArgumentParser) -> None:
        """Add fairseq's options and one more."""
        RobertaModel.add_args(parser)
        parser.add_argument("--layer-norm-eps", type=float, help="added to each variance")

    @classmethod
    def build_model(cls, args: Any, task: Any) -> "SeedwiseRobertaModel":
        """Do as fairseq does, with the chosen `eps`."""
        model = super().build_model(args, task)
        for module in model.modules():
            if isinstance(module, nn.LayerNorm):
                module.eps = args.layer_norm_eps
        return model

    def upgrade_state_dict_named(self, state_dict: dict[str, Any], name: str) -> None:
        """Do as fairseq does, and give a pooler in ``state_dict`` to the heads of this model."""
        super().upgrade_state_dict_named(state_dict, name)
        for key in [key for key in state_dict if key.startswith(POOLER)]:
            value = state_dict.pop(key)
            for head in self.classification_heads:
                state_dict[f"classification_heads.{head}.dense.{key.removeprefix(POOLER)}"] = value


register_model_architecture(ARCH, ARCH)(base_architecture)
