import numpy as np
import pandas as pd
import pytest

from seedwise.report import presentation, presentation_parts, printed_tables
from support import synthetic_study


@pytest.mark.parametrize(
    ("mean", "std", "text"),
    [
        (0.81667, 0.01434, "81.7 % ± 1.4"),
        (0.5, 0.0, "50.0 % ± 0.0"),
        (np.nan, np.nan, "–"),
        (0.5, np.nan, "50.0 %"),
    ],
)
def test_mean_and_std(mean, std, text):
    assert presentation.mean_and_std(mean, std) == text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(22807552, 0, "22,807,552"), (-1.25, 1, "−1.2"), (-0.04, 1, "0.0"), (np.nan, 0, "–")],
)
def test_number(value, decimals, text):
    assert presentation.number(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"), [(9.94, "9.9 s"), (150, "2.5 min"), (7200, "2.0 h"), (np.nan, "–")]
)
def test_seconds(value, text):
    assert presentation.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1e-9, "< 0.0001"), (0.0123, "0.012"), (0.5116, "0.51"), (1.0, "1.00")]
)
def test_p_value(value, text):
    assert presentation.p_value(value) == text


def summary(**changes):
    row = {
        "experiment": "a", "engine": "fairseq", "init": "random", "dataset": "d", "n": 3,
        "mean": 0.7967, "std": 0.01, "ci_low": 0.77, "ci_high": 0.82,
        "published_mean": 0.8167, "published_std": 0.0143, "candidates": 1,
        "macro_f1_mean": 0.78, "macro_f1_std": 0.02, "varied": "seed", "measure": "accuracy",
    }  # fmt: skip
    return pd.DataFrame([row | changes])


def test_summary_says_how_many_published_standard_deviations_apart():
    row = printed_tables.summary_table(summary()).iloc[0]
    assert row["Published"] == "81.7 % ± 1.4"
    assert row["Apart (published std)"] == "−1.4"  # (0.7967 - 0.8167) / 0.0143
    assert row["95 % interval"] == "77.0 to 82.0 %"


def test_summary_says_how_many_settings_were_tried_if_any_were():
    assert "Tried" not in printed_tables.summary_table(summary())
    assert printed_tables.summary_table(summary(candidates=8))["Tried"].tolist() == ["8"]


def test_summary_without_published_or_with_a_published_spread_of_zero():
    nothing = printed_tables.summary_table(summary(published_mean=np.nan, published_std=np.nan))
    assert "Published" not in nothing.columns
    assert printed_tables.summary_table(summary(published_std=0.0)).iloc[0, -1] == "–"


def test_summary_has_a_spread_only_where_several_seeds_have_one():
    one_seed = printed_tables.summary_table(summary(n=1, std=0.0, ci_low=np.nan)).iloc[0]
    assert one_seed["Test accuracy"] == "79.7 %" and one_seed["95 % interval"] == "–"
    assert one_seed["Seeds"] == "1"
    fixed = printed_tables.summary_table(summary(n=1, std=np.nan, ci_low=np.nan)).iloc[0]
    assert fixed["Test accuracy"] == "79.7 %" and fixed["95 % interval"] == "deterministic"
    assert fixed["Seeds"] == "–"


def test_a_name_of_digits_stays_a_name(tmp_path):
    (tmp_path / "t.csv").write_text("dataset,experiment_a,experiment_b\n007,1,2\n")
    read = presentation.read_table(tmp_path / "t.csv")
    assert read.iloc[0].tolist() == ["007", "1", "2"]


def test_costs_are_summed_by_rule():
    costs = pd.DataFrame(
        {
            "rule": ["b", "a", "b"],
            "run": ["x", "y", "z"],
            "wall_seconds": [60, 3, 90],
            "cpu_seconds": [50, 2, np.nan],
            "peak_mib": [512, np.nan, 2048],
            "tokens_per_second": [1000, np.nan, 2000],
        }
    )
    assert printed_tables.costs_table(costs).to_numpy().tolist() == [
        ["b", "2", "2.5 min", "90.0 s", "50.0 s", "2.0 GiB", "1,500"],
        ["a", "1", "3.0 s", "3.0 s", "2.0 s", "–", "–"],
    ]


def test_plain_pairs_of_any_json():
    value = {"a": {"b": 1600, "c": [1, "x"]}, "d": None, "e": True, "f": [{"g": 1.25}], "h": 1e-05}
    assert presentation.plain_pairs(value) == [
        ("a.b", "1,600"), ("a.c", "1, x"), ("d", "–"), ("e", "yes"), ("f.0.g", "1.25"),
        ("h", "1e-05"),
    ]  # fmt: skip


def test_audit_has_a_column_per_split_and_loses_nothing():
    table = presentation_parts.audit_splits(synthetic_study.AUDIT)
    assert table.columns.tolist() == ["", "train", "valid", "test", "unlabelled"]
    texts = table.set_index("").loc["Texts"]
    assert texts.tolist() == ["1,600", "400", "400", "16,000"]
    rest = dict(presentation_parts.audit_rest(synthetic_study.AUDIT | {"new_field": 7}))
    assert rest["Texts in both train and test"] == "1"
    assert rest["source sha256"] == "5d7c06e0" * 8
    assert rest["set aside: value between the labels"] == "1,905"
    assert rest["new field"] == "7"
    assert not any(name.startswith("left out") for name in rest)


def test_audit_of_an_empty_split_without_lengths():
    audit = synthetic_study.AUDIT | {"splits": {"test": {"texts": 0, "words": None}}}
    table = presentation_parts.audit_splits(audit)
    assert table["test"].tolist() == ["0", "–", "–", "–", "–", "–", "–"]


def test_parameters_of_a_type_without_formula_have_dashes():
    row = {"component": "encoder.layer", "formula": np.nan, "analytic": np.nan}
    row |= {"counted_fairseq": np.nan, "counted_transformers": 13440}
    table = printed_tables.parameters_table(pd.DataFrame([row]))
    assert table.loc[0].tolist() == ["encoder.layer", "–", "–", "–", "13,440"]
    assert presentation.is_numeric(table["In transformers"])


def test_cut_texts_are_shown_once_for_each_model():
    none = {"texts": 20, "cut": 0, "pieces": 300, "lost": 0}
    run = {"dataset": "reviews", "model": "small"}
    runs = [
        {"dataset": "reviews", "model": None},  # linear
        run | {"cut": {"train": {"texts": 400, "cut": 30, "pieces": 20000, "lost": 500}}},
        run | {"cut": {"train": {"texts": 400, "cut": 30, "pieces": 20000, "lost": 500}}},
        run | {"model": "big", "cut": {"test": none}},
    ]
    table = presentation_parts.cut_texts(runs)
    assert table.to_numpy().tolist() == [
        ["reviews", "small", "train", "400", "7.5 %", "20,000", "2.5 %"],
        ["reviews", "big", "test", "20", "0.0 %", "300", "0.0 %"],
    ]
    assert presentation_parts.cut_texts(runs[:1]).empty


def test_ranks_stand_beside_each_data_set():
    ranks = pd.DataFrame(
        {
            "experiments": ["tuned", "linear"],
            "score": [1.0, 3.256], "ci_low": [1.0, 2.1], "ci_high": [1.25, 4.0], "place": [1, 2],
            "mean_books": [0.9, 0.8], "std_books": [0.012, 0.0],
            "mean_dvd": [0.85, 0.75], "std_dvd": [0.01, 0.0],
        }
    )  # fmt: skip
    table = printed_tables.TABLES["ranks"](ranks)
    assert list(table) == ["Experiments", "books", "dvd", "Rank score", "95 % interval", "Place"]
    assert table.to_numpy().tolist()[1] == [
        "linear", "80.0 % ± 0.0", "75.0 % ± 0.0", "3.26", "2.10 to 4.00", "2",
    ]  # fmt: skip
