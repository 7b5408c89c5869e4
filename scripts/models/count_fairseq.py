"""Count the parameters of the RoBERTa that fairseq builds, part by part.

Inputs: the sizes of a published model (JSON); others come as a parameter. Output: ``counts`` (JSON:
part, number).
"""

from pathlib import Path
from typing import Any

from seedwise.files import read_json, write_json
from seedwise.models.parameters import count_parts
from seedwise.models.weight_names import is_fused_copy, transformers_name
from seedwise.step import step
from seedwise_fairseq.build import build_model


def main(*, architecture: dict[str, Any], counts: Path) -> None:
    """Build the model, count, write."""
    parameters = (
        (transformers_name(name) or name, parameter.numel())
        for name, parameter in build_model(architecture).named_parameters()
        if not is_fused_copy(name)
    )
    write_json(counts, count_parts(parameters))


if __name__ == "__main__":
    with step(snakemake):
        files = snakemake.input.published
        main(
            architecture=read_json(Path(files[0])) if files else snakemake.params.architecture,
            counts=Path(snakemake.output.counts),
        )
