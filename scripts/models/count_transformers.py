"""Count the parameters of the RoBERTa that transformers builds, part by part.

Inputs: none; the architecture comes as a parameter. Output: ``counts`` (JSON: part, number).
"""

from pathlib import Path
from typing import Any

import torch
from transformers import RobertaForMaskedLM

from seedwise.files import write_json
from seedwise.models.conversion import roberta_config
from seedwise.models.parameters import count_parts
from seedwise.step import step


def main(*, architecture: dict[str, Any], counts: Path) -> None:
    """Build the model without memory for its weights, count, write."""
    with torch.device("meta"):
        model = RobertaForMaskedLM(roberta_config(architecture, labels=None))
    write_json(counts, count_parts((n, p.numel()) for n, p in model.named_parameters()))


if __name__ == "__main__":
    with step(snakemake):
        main(
            architecture=snakemake.params.architecture,
            counts=Path(snakemake.output.counts),
        )
