"""The names of a RoBERTa's weights, in fairseq and in transformers."""

import re

FUSED_COPIES = tuple(
    f".{name}_{kind}"
    for name in ("in_proj", "out_proj", "fc1", "fc2")
    for kind in ("weight", "bias")
)
"""fairseq 0.12 stores each encoder layer twice, once in the layout of torch's fused kernel. It
makes these anew on loading, so they are stale copies in a checkpoint and no parameters."""

_ENCODER = r"encoder\.sentence_encoder\."
_HEAD = r"classification_heads\.sentence_classification_head\."
_LAYER = r"roberta.encoder.layer.\1."

RENAMED = [
    (_ENCODER + r"embed_tokens\.", "roberta.embeddings.word_embeddings."),
    (_ENCODER + r"embed_positions\.", "roberta.embeddings.position_embeddings."),
    (_ENCODER + r"layernorm_embedding\.", "roberta.embeddings.LayerNorm."),
    (_ENCODER + r"layers\.(\d+)\.self_attn\.q_proj\.", _LAYER + "attention.self.query."),
    (_ENCODER + r"layers\.(\d+)\.self_attn\.k_proj\.", _LAYER + "attention.self.key."),
    (_ENCODER + r"layers\.(\d+)\.self_attn\.v_proj\.", _LAYER + "attention.self.value."),
    (_ENCODER + r"layers\.(\d+)\.self_attn\.out_proj\.", _LAYER + "attention.output.dense."),
    (_ENCODER + r"layers\.(\d+)\.self_attn_layer_norm\.", _LAYER + "attention.output.LayerNorm."),
    (_ENCODER + r"layers\.(\d+)\.fc1\.", _LAYER + "intermediate.dense."),
    (_ENCODER + r"layers\.(\d+)\.fc2\.", _LAYER + "output.dense."),
    (_ENCODER + r"layers\.(\d+)\.final_layer_norm\.", _LAYER + "output.LayerNorm."),
    (r"encoder\.lm_head\.weight", "lm_head.decoder.weight"),
    (r"encoder\.lm_head\.", "lm_head."),
    (_HEAD, "classifier."),
]
"""fairseq's name of a weight, as a pattern of its beginning, and transformers' name."""


def is_fused_copy(name: str) -> bool:
    """Tell whether a fairseq weight is a copy of others in the same layer."""
    return ".layers." in name and name.endswith(FUSED_COPIES)


def transformers_name(name: str) -> str | None:
    """Return transformers' name of a fairseq weight; ``None`` for what has no counterpart."""
    for pattern, replacement in RENAMED:
        renamed, count = re.subn("^" + pattern, replacement, name)
        if count:
            return renamed
    return None
