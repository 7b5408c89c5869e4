import plot_calibration
from support import synthetic_study


def test_figure_of_a_study_is_the_same_again(tmp_path):
    folders = synthetic_study.write_study(tmp_path)
    for name in ("a", "b"):
        plot_calibration.main(
            metrics=[folder / "metrics.json" for folder in folders],
            predictions=[folder / "predictions.csv" for folder in folders],
            experiments=list(synthetic_study.CONFIG["experiments"]),
            svg=tmp_path / f"{name}.svg",
            png=tmp_path / f"{name}.png",
        )
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
