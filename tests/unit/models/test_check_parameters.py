"""Question 1: formulas, counts of real models of both engines, and the check."""

import pandas as pd
import pytest

import check_parameters
import count_fairseq
import count_transformers
from seedwise.errors import UserError
from seedwise.files import read_json, write_json
from seedwise.models.parameters import count_parts, formulas

STUDY = {
    "layers": 4,
    "embed_dim": 512,
    "ffn_dim": 512,
    "attention_heads": 8,
    "max_positions": 256,
    "vocab_size": 32000,
    "dropout": 0.1,
    "attention_dropout": 0.1,
    "pooler_dropout": 0.0,
}
# No two sizes alike, so that no formula is right by accident.
UNEVEN = STUDY | {
    "layers": 3,
    "embed_dim": 24,
    "ffn_dim": 40,
    "attention_heads": 6,
    "max_positions": 17,
    "vocab_size": 101,
}


def count(engine, architecture, folder):
    counts = folder / f"{engine}.json"
    script = {"fairseq": count_fairseq, "transformers": count_transformers}[engine]
    script.main(architecture=architecture, counts=counts)
    return counts


def check(architecture, fairseq, transformers, folder):
    output = folder / "parameters.csv"
    check_parameters.main(
        architectures={"small": architecture},
        fairseq={"small": fairseq} if fairseq else {},
        transformers={"small": transformers},
        parameters=output,
    )
    return pd.read_csv(output)


def test_the_study_by_formula():
    values = {row.component: row.analytic for row in formulas(STUDY)}
    assert values == {
        "token embedding": 16_384_000,
        "learnt positions": 132_096,
        "attention, all layers": 4 * 1_048_576,
        "feed-forward, all layers": 4 * 524_288,
        "total without biases and normalisation": 22_807_552,
        "biases and normalisation": 21_504,
        "total without the head": 22_829_056,
        "token type (transformers only)": 512,
    }
    assert formulas(STUDY)[0].formula == "V·D = 32000·512"


@pytest.mark.parametrize("architecture", [STUDY, UNEVEN], ids=["study", "uneven"])
def test_both_engines_agree_with_the_formulas(architecture, tmp_path):
    counts = [count(engine, architecture, tmp_path) for engine in ("fairseq", "transformers")]
    table = check(architecture, *counts, tmp_path)
    assert list(table) == [
        "component",
        "formula",
        "analytic",
        "counted_fairseq",
        "counted_transformers",
        "model",
    ]
    assert (table["analytic"] == table["counted_transformers"]).all()
    assert (table["analytic"] == table["counted_fairseq"])[:-1].all()
    assert table["counted_fairseq"].iloc[-1] == 0


@pytest.mark.parametrize("engine", ["fairseq", "transformers"])
@pytest.mark.parametrize("part", ["learnt positions", "biases and normalisation"])
@pytest.mark.parametrize("error", [-1, 1])
def test_one_parameter_too_many_or_too_few_fails(engine, part, error, tmp_path):
    # What both engines count is what the formulas say (tested above).
    values = {row.component: row.analytic for row in formulas(STUDY) if row.summed == [row[0]]}
    counts = {"transformers": values, "fairseq": values | {"token type (transformers only)": 0}}
    paths = {name: tmp_path / f"{name}.json" for name in counts}
    for name, path in paths.items():
        write_json(path, counts[name])
    check(STUDY, paths["fairseq"], paths["transformers"], tmp_path)
    (tmp_path / "parameters.csv").unlink()

    write_json(paths[engine], counts[engine] | {part: counts[engine][part] + error})
    with pytest.raises(UserError, match=rf"models\.small.*{part}.*{engine} builds has"):
        check(STUDY, paths["fairseq"], paths["transformers"], tmp_path)
    assert not (tmp_path / "parameters.csv").exists()


def test_a_weight_that_belongs_nowhere_is_an_error():
    with pytest.raises(ValueError, match=r"roberta\.pooler"):
        count_parts([("roberta.pooler.dense.weight", 4)])


def test_fairseq_copies_and_the_head_are_not_counted(tmp_path):
    counts = read_json(count("fairseq", UNEVEN, tmp_path))
    assert sum(counts.values()) == formulas(UNEVEN)[-2].analytic
