"""Any configuration is accepted or refused with a message; an accepted one can be planned."""

import copy

import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from seedwise.errors import UserError
from seedwise.study import entries, reporting, validation
from support.smoke_study import CONFIG

# Shrinking a configuration takes minutes.
QUICK = {"deadline": None, "derandomize": True, "phases": [Phase.explicit, Phase.generate]}
VALID = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", "reviews", "tiny", "fairseq", "1e-5", "../x", "smoke", "a\nb", "\0"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.text(max_size=6), st.integers(), st.none()), inner, max_size=3
        ),
    ),
    max_leaves=6,
)


def places(section, path=()):
    """Return the path of every value in a configuration."""
    found = [path] if path else []
    items = section.items() if isinstance(section, dict) else enumerate(section)
    for key, value in items:
        found += places(value, (*path, key)) if isinstance(value, dict | list) else [(*path, key)]
    return found


PLACES = places(VALID)
changes = st.lists(
    st.tuples(
        st.sampled_from(PLACES),
        st.sampled_from(["replace", "remove", "add", "copy"]),
        values,
        st.sampled_from(PLACES),
    ),
    min_size=1,
    max_size=3,
)


def at(config, path):
    for key in path:
        config = config[key]
    return config


def apply(config, path, kind, value, other):
    """Change one place of the configuration, if it is still there."""
    try:
        parent = at(config, path[:-1])
        if kind == "remove":
            del parent[path[-1]]
        elif kind == "add" and isinstance(parent, dict):
            parent[value if isinstance(value, str) else "new"] = value
        else:
            parent[path[-1]] = copy.deepcopy(at(VALID, other)) if kind == "copy" else value
    except (KeyError, IndexError, TypeError):
        pass  # an earlier change took it away


def plan(config):
    """Do with an accepted configuration what the rules do before any job is run."""
    entries.merge_hyperparameters(config)
    for name in config["experiments"]:
        entries.run_settings(config, name)
    for name in entries.experiments(config, engine="transformers"):
        entries.starts_from_folder(config, name)
    reporting.run_files(config, "metrics.json")


def check(config):
    try:
        validation.check_config(config, "study.yaml")
    except UserError as error:
        assert all(line.startswith("study.yaml: ") for line in str(error).split("\n"))
    else:
        plan(config)


@settings(max_examples=1000, **QUICK)
@given(changes)
def test_a_changed_study_is_accepted_or_refused(made):
    config = copy.deepcopy(VALID)
    for change in made:
        apply(config, *change)
    check(config)


@settings(max_examples=300, **QUICK)
@given(st.dictionaries(st.one_of(st.sampled_from(sorted(VALID)), st.text(max_size=5)), values))
def test_any_mapping_is_accepted_or_refused(config):
    check(config)
