import logging
from pathlib import Path

import pytest
import torch
from transformers import Trainer, TrainingArguments

from seedwise.training.trainer import log_progress


class _Line(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": ((self.weight * x - labels) ** 2).mean()}


def test_progress_goes_to_the_log_and_not_to_the_terminal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = Trainer(
        model=_Line(),
        args=TrainingArguments(
            output_dir=str(tmp_path),
            max_steps=2,
            logging_steps=1,
            save_strategy="no",
            disable_tqdm=True,
            use_cpu=True,
        ),
        train_dataset=[{"x": 1.0, "labels": 2.0}] * 4,
    )
    log_progress(trainer)
    with caplog.at_level(logging.INFO):
        trainer.train()
    assert "update 1 of 2" in caplog.text and "'loss'" in caplog.text
    assert "loss" not in capsys.readouterr().out
