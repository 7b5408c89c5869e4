"""What several tests share: a small study, models in seconds, servers, a SLURM, a browser."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
