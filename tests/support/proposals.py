"""Data, encoders and calls for tests of `make study`."""

import itertools
import os
import subprocess
import sys

import pandas as pd
import yaml

import propose_study
from seedwise.study import datasets, validation

COMMIT = "a" * 40
FEELINGS = {"negative": "broke and failed", "neutral": "came on day", "positive": "works well"}
WORDS = ["".join(letters) for letters in itertools.product("bdmt", "aeiou", "lnrs", "aeo")]
ROWS = [
    (f"The {WORDS[4 * n]} {what}; '{WORDS[n + 60]}' item, \"{WORDS[n + 150]}\" {n}", label)
    for n in range(60)
    for label, what in FEELINGS.items()
]
FRAME = pd.DataFrame(ROWS, columns=["review_body", "sentiment"]).assign(id=range(len(ROWS)))


def propose(*data, **changes):
    """Write a study and return it, checked by the schema and the workflow's own checks."""
    arguments = {
        "encoder": None,
        "text": None,
        "label": None,
        "output": None,
        "minutes": 15,
    } | changes
    path = propose_study.main(data=[str(one) for one in data], **arguments)
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    validation.check_config(config, str(path))
    datasets.check_datasets(config)
    (settings,) = config["datasets"].values()
    return config, settings


def command(folder, hub, *arguments, path=os.defpath):
    """Run the command; huggingface_hub reads HF_ENDPOINT when it is imported."""
    env = {"HF_ENDPOINT": hub, "HF_HOME": str(folder / "home"), "PATH": path}
    done = subprocess.run(
        [sys.executable, propose_study.__file__, *arguments],
        cwd=folder, env=env, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


FRENCH = "Ce livre numéro {} est vraiment {}, je le {} à tous les lecteurs de romans {}."


def write_french(path):
    rows = [
        (FRENCH.format(n, how, what, WORDS[n]), label)
        for n in range(80)
        for how, what, label in [("bon", "conseille", "pos"), ("nul", "déconseille", "neg")]
    ]
    pd.DataFrame(rows, columns=["text", "label"]).to_csv(path, index=False)
