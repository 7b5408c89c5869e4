"""Is a study's configuration what the schema and its own references ask for?"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from seedwise.errors import UserError, one_line
from seedwise.study.entries import COMMONEST_LABEL, MEAN_SCORE
from seedwise.study.labels import has_scores
from seedwise.study.lora_entries import check_lora
from seedwise.study.search import check_search

Config = dict[str, Any]

SCHEMAS = Path(__file__).resolve().parents[3] / "rules" / "schemas"
CONFIG_SCHEMA = SCHEMAS / "config.schema.yaml"


_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a section of keys",
    "string": "text",
}
"""What YAML's authors call the types of JSON Schema."""


@cache
def _validator() -> jsonschema.Draft202012Validator:
    @cache
    def retrieve(uri: str) -> Resource:
        contents = yaml.safe_load((SCHEMAS / uri).read_text(encoding="utf-8"))
        return Resource.from_contents(contents, default_specification=DRAFT202012)

    return jsonschema.Draft202012Validator(
        {"$ref": CONFIG_SCHEMA.name}, registry=Registry(retrieve=retrieve)
    )


@cache
def _engines_with_section() -> frozenset[str]:
    """Return the engines that train no model of the study; the schema has a key for each."""
    keys = yaml.safe_load(CONFIG_SCHEMA.read_text(encoding="utf-8"))["properties"]
    engines = keys["experiments"]["additionalProperties"]["properties"]["engine"]["enum"]
    return frozenset(engines) & keys.keys()


def _is_choice(error: jsonschema.ValidationError) -> bool:
    """Tell whether one of several keys must be given, as `_describe` says better than a branch."""
    return error.validator == "oneOf" and all([*s] == ["required"] for s in error.validator_value)


def _deepest(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    """Follow the branch of a failed `oneOf`/`anyOf` that came nearest to fitting."""
    while error.context and not _is_choice(error):
        error = jsonschema.exceptions.best_match([error])
        if not error.context:
            break
        error = min(error.context, key=lambda child: (-len(child.path), child.validator == "not"))
    return error


def _describe(error: jsonschema.ValidationError) -> str:
    """Say which key is wrong, what stands there and what is allowed, in one line."""
    key = ".".join(map(one_line, error.absolute_path)) or "the top level"
    found = error.instance
    if error.validator == "additionalProperties" and isinstance(found, dict):
        allowed = error.schema.get("properties", {})
        unknown = ", ".join(repr(name) for name in found if name not in allowed)
        return f"{key}: unknown key {unknown}; allowed are {', '.join(sorted(allowed))}"
    if error.validator == "required":
        missing = ", ".join(repr(name) for name in error.validator_value if name not in found)
        return f"{key}: missing key {missing}; required are {', '.join(error.validator_value)}"
    if error.validator == "uniqueItems":
        repeated = sorted({str(item) for item in found if found.count(item) > 1})
        return f"{key}: {', '.join(repeated)} stands there more than once"
    if error.validator == "enum":
        return f"{key}: {found!r} is not one of {', '.join(map(str, error.validator_value))}"
    if error.validator == "type":
        kinds = error.validator_value
        wanted = " or ".join(
            _KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)
        )
        hint = ""
        if isinstance(found, str) and wanted == _KINDS["number"]:
            hint = " (YAML reads 1e-5 as text: write 1.0e-5)"
        return f"{key}: {found!r} must be {wanted}{hint}"
    if error.validator == "oneOf":
        choices = " or ".join("/".join(s["required"]) for s in error.validator_value)
        return f"{key}: exactly one of {choices} must be given"
    description = f" ({error.schema['description']})" if "description" in error.schema else ""
    return f"{key}: {error.message}{description}"


def _cross_check(config: Config) -> Iterator[str]:
    """Yield a message for each reference or size that does not fit another one."""
    datasets, models = config["datasets"], config["models"]

    def unknown(key: str, kind: str, name: str, known: dict[str, Any]) -> Iterator[str]:
        if name not in known:
            yield f"{key}: unknown {kind} {name!r}; {kind}s of this study are {', '.join(known)}"

    for name, model in models.items():
        key = f"models.{name}"
        sizes = model.get("architecture", {})
        if sizes.get("embed_dim", 0) % sizes.get("attention_heads", 1):
            yield (
                f"{key}.architecture.embed_dim: {sizes['embed_dim']} is not a multiple of "
                f"attention_heads ({sizes['attention_heads']})"
            )
        for dataset in model.get("corpus", []):
            yield from unknown(f"{key}.corpus", "dataset", dataset, datasets)
        for section in ("tokenizer", "pretrain"):
            if section in model and "corpus" not in model:
                yield f"{key}.{section}: needs a corpus, but the model comes from a checkpoint"
        if "max_tokens" in model and "corpus" in model:
            yield f"{key}.max_tokens: is for a checkpoint; here texts end at max_positions"
        yield from _uneven_batch(f"{key}.pretrain", model.get("pretrain", {}), 32)
        block = model.get("pretrain", {}).get("block_tokens", 0)
        if block > sizes.get("max_positions", block):
            yield (
                f"{key}.pretrain.block_tokens: {block} is more than "
                f"architecture.max_positions ({sizes['max_positions']})"
            )
    starts = [
        models.get(experiment.get("model"), {})
        for experiment in config["experiments"].values()
        if experiment.get("init") == "pretrained"
    ]
    if "pretraining" in config.get("vary", []) and not any("pretrain" in m for m in starts):
        yield "vary: pretraining, but no experiment starts from a model that the study pre-trains"
    for name, experiment in config["experiments"].items():
        key = f"experiments.{name}"
        if name in (COMMONEST_LABEL, MEAN_SCORE):
            yield f"{key}: the tables have a row of this name; give the experiment another one"
        yield from unknown(f"{key}.dataset", "dataset", experiment["dataset"], datasets)
        engine = experiment["engine"]
        own = _engines_with_section()
        yield from _check_scores(config, name, engine if engine in own else "finetune")
        yield from _check_search(config, name, engine if engine in own else "finetune")
        others = own - {engine} | ({"init", "model", "finetune"} if engine in own else set())
        for other in sorted(others & experiment.keys()):
            yield f"{key}.{other}: not a key of the engine {engine!r}"
        if engine in own:
            continue
        yield from unknown(f"{key}.model", "model", experiment["model"], models)
        finetune = config.get("finetune", {}) | experiment.get("finetune", {})
        yield from _uneven_batch(f"{key}.finetune", finetune, 8)
        if "adapter" in finetune and (engine, experiment["init"]) != ("transformers", "pretrained"):
            yield (
                f"{key}.finetune.adapter: is for the engine 'transformers' with init 'pretrained'; "
                "give it to such experiments alone"
            )
        model = models.get(experiment["model"], {})
        if experiment["init"] == "pretrained" and "corpus" in model and "pretrain" not in model:
            yield (
                f"{key}.init: 'pretrained', but models.{experiment['model']} has neither "
                "`pretrain` nor a checkpoint"
            )


def _check_scores(config: Config, name: str, section: str) -> Iterator[str]:
    """Yield a message for each key that is for labels, of an experiment on scores."""
    dataset = config["experiments"][name]["dataset"]
    if not has_scores(config["datasets"].get(dataset, {})):
        return
    if config.get("selection") == "macro_f1":
        yield f"selection: macro_f1 is for labels, but datasets.{dataset} has scores; try accuracy"
    experiment = config["experiments"][name]
    own = experiment.get(section, {})
    settings = config.get(section, {}) | own
    if settings.get("class_weights") is not None:
        key = f"experiments.{name}.{section}" if "class_weights" in own else section
        yield (
            f"{key}.class_weights: is for labels, but datasets.{dataset} has scores; "
            "`class_weights: null` in an experiment takes them away"
        )
    search = experiment.get("search", settings.get("search")) or {}
    if "class_weights" in search.get("over", {}):
        yield (
            f"experiments.{name}: searches class_weights, which are for labels, but "
            f"datasets.{dataset} has scores"
        )


def _check_search(config: Config, name: str, section: str) -> Iterator[str]:
    """Yield a message for each mistake in the search of an experiment, if it has one."""
    experiment = config["experiments"][name]
    settings = config.get(section, {}) | experiment.get(section, {})
    for holder in (experiment, settings):
        if "search" in holder:
            break
    else:
        return
    search = holder["search"]
    if search is None:
        return
    part = _validator().evolve(schema={"$ref": f"{CONFIG_SCHEMA.name}#/$defs/{section}"})
    key = f"experiments.{name}.search" if holder is experiment else f"{section}.search"

    def check(tried: Config) -> Iterator[str]:
        for error in part.iter_errors(tried):
            yield _describe(_deepest(error)).partition(": ")[2]
        if "batch_size" in tried:
            yield from _uneven_batch(section, settings | tried, 8)

    yield from check_search(key, search, section != "finetune", check)


def _uneven_batch(key: str, settings: Config, default: int) -> Iterator[str]:
    """Yield a message if processes cannot share a batch; ``default`` is the schema's size."""
    size, processes = settings.get("batch_size", default), settings.get("processes", 1)
    if size % processes:
        yield f"{key}.batch_size: {size} cannot be shared by {processes} processes"


def check_config(config: Config, source: str) -> None:
    """Raise a `UserError` that lists every mistake in ``config``, read from ``source``."""
    errors = sorted(_validator().iter_errors(config), key=lambda e: [str(p) for p in e.path])
    messages = [_describe(_deepest(error)) for error in errors]
    # What stands once for all experiments is said once.
    messages = messages or list(dict.fromkeys([*_cross_check(config), *check_lora(config)]))
    if messages:
        raise UserError("\n".join(f"{source}: {message}" for message in messages))
