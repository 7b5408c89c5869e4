"""The words of a model card, and the code in it; tests run that."""

PAGE = """\
---
{header}---
# {title}: {experiment}, seed {seed}

A {kind}, {how}.

```python
{code}
```

## Scores

On the {test} texts of the test split, read once, by the {chosen} with the best validation
{selection}:

{scores}

{export}{calibration}{abstention}{forms}## Data

{data}

## Training

{drawn}

{settings}

## Limits

The scores hold for texts like those of the test split. {limit}

## Licence and citation

Licence: {licence}. Name the study ({title}), the experiment and the seed, the source of the data as
its authors ask, and Seedwise, which trained the model and whose `CITATION.cff` says how.
"""

EXPORT = """\
Trained with fairseq and converted: of {texts:,} test texts, transformers gives {other_labels:,}
another label than fairseq, only where two labels are within {tolerance:g} of each other; no
probability differs by more than {largest_probability_difference:.1g}.

"""

EXPORT_SCORES = """\
Trained with fairseq and converted: of {texts:,} test texts, no score that transformers gives
differs from fairseq's by more than {largest_score_difference:.1g}.

"""

SELECTED = {"accuracy": "accuracy", "pearson": "correlation"}

CALIBRATION = """\
Divide the logits (or the logarithms of the probabilities) by {:.3g}, a temperature fitted on the
validation split (Guo et al. 2017), and the model is about as sure as it is right; no prediction
changes.

"""

ABSTENTION = """\
With that temperature, on the test split, if only answers of at least such a probability are given
(`predict.py --abstain`):

{}

"""

FORMS = """\
## Forms

`onnx/` holds the model as ONNX, for onnxruntime, without torch. *Agreement*: of {texts:,}
validation texts, the share with the answer of transformers. Texts a second with one thread of
{processor}, the median of three rounds, the forms in turn{calibrated}.

{table}

{refused}"""

CALIBRATED = "; calibration error (ECE)\nat the temperature"

PAIR = '{"text": "A text.", "text_pair": "Another."}'

FINETUNED = """\
from transformers import pipeline

classify = pipeline("text-classification", ".")  # this folder
classify({text}, truncation=True)"""

# With scikit-learn and safetensors alone; `.` is this folder.
LINEAR = """\
import json
from pathlib import Path

from safetensors.numpy import load_file
{imports}from sklearn.feature_extraction.text import TfidfVectorizer

{labels}vocabulary = json.loads(Path("vocabulary.json").read_text("utf-8"))
weights = load_file("model.safetensors")
tfidf = TfidfVectorizer(
    {arguments}, vocabulary=vocabulary
)
tfidf.idf_ = weights["idf"]
{read}
scores = read @ weights["coefficients"].T + weights["intercepts"]
{answer}"""

# And between labels and scores.
LINEAR_LABELS = {
    "labels": 'labels = json.loads(Path("config.json").read_text("utf-8"))["labels"]\n',
    "answer": "print([labels[best] for best in scores.argmax(axis=1)])",
}
LINEAR_SCORES = {"labels": "", "answer": "print(scores[:, 0])"}


# What of it differs between single texts and pairs.
LINEAR_TEXTS = {"imports": "", "read": 'read = tfidf.transform(["A text."])'}
LINEAR_PAIRS = {
    "imports": "from scipy.sparse import hstack\n",
    "read": """\
one, other = tfidf.transform(["A text."]), tfidf.transform(["Another."])
read = hstack([one, other, one.multiply(other)])""",
}


MEASURES = {
    "accuracy": {"accuracy": "accuracy", "macro_f1": "macro F1"},
    "pearson": {"pearson": "Pearson", "spearman": "Spearman", "mae": "mean absolute error"},
}
"""By the main measure, all that the card tells, and their names."""

HUB_NAMES = {
    "accuracy": "accuracy", "macro_f1": "f1", "pearson": "pearsonr", "spearman": "spearmanr",
    "mae": "mae",
}  # fmt: skip
