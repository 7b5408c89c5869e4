"""Question 1: formulas, counts of real models of both engines, and the check."""

import pandas as pd
import pytest
from transformers import CONFIG_MAPPING, AutoModelForSequenceClassification

import check_parameters
import count_fairseq
import count_transformers
from seedwise.errors import UserError
from seedwise.files import read_json, write_json
from seedwise.models.encoders import dropout_rates, encoder_sizes
from seedwise.models.parameters import count_encoder, count_parts, formulas

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


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_published_folders_have_the_formulas_of_their_type(kind, tmp_path):
    config = CONFIG_MAPPING[kind](
        vocab_size=101,
        hidden_size=24,
        num_hidden_layers=3,
        num_attention_heads=6,
        intermediate_size=40,
        max_position_embeddings=19,
    )
    model = AutoModelForSequenceClassification.from_config(config)
    write_json(tmp_path / "transformers.json", count_encoder(model))
    sizes = encoder_sizes(config) | dropout_rates(config)
    fairseq = count("fairseq", sizes, tmp_path)
    table = check(sizes, fairseq, tmp_path / "transformers.json", tmp_path).set_index("component")
    assert (table["analytic"] == table["counted_transformers"]).all()
    positions, total = table.loc["learnt positions"], table.loc["total without the head"]
    # fairseq numbers positions behind the padding id, and so has two rows more than a BERT.
    more = 2 * 24 if kind == "bert" else 0
    assert positions["counted_fairseq"] == positions["analytic"] + more
    assert total["counted_fairseq"] == total["analytic"] + more
    head = [name for name, _ in model.named_parameters() if "pooler" in name or "class" in name]
    alone = sum(model.get_parameter(name).numel() for name in head)
    types = table.loc["token type (transformers only)", "analytic"]
    assert types == (48 if kind == "bert" else 24 * config.type_vocab_size)
    assert total["analytic"] + types == model.num_parameters() - alone


def test_other_types_are_counted_by_module_without_formula(tmp_path):
    config = CONFIG_MAPPING["albert"](
        vocab_size=101, embedding_size=12, hidden_size=24, num_attention_heads=6,
        num_hidden_layers=3, intermediate_size=40, max_position_embeddings=19,
    )  # fmt: skip
    model = AutoModelForSequenceClassification.from_config(config)
    write_json(tmp_path / "transformers.json", count_encoder(model))
    table = check(encoder_sizes(config), None, tmp_path / "transformers.json", tmp_path)
    assert table[["formula", "analytic", "counted_fairseq"]].isna().all(axis=None)
    counted = table.set_index("component")["counted_transformers"]
    assert counted["embeddings.word_embeddings"] == 101 * 12
    assert "encoder.albert_layer_groups" in counted and "pooler" not in counted
    pooler = 24 * 24 + 24
    assert counted["total without the head"] == model.albert.num_parameters() - pooler
    assert counted.drop("total without the head").sum() == counted["total without the head"]
