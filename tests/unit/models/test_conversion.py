import pytest
import torch
from transformers import AutoTokenizer

from seedwise.errors import UserError
from seedwise.files import read_jsonl
from seedwise.models import conversion
from seedwise.models.checkpoints import load_checkpoint
from seedwise.tokens.indexed import read_texts
from seedwise.tokens.vocabulary import BOS_ID, PAD_ID
from seedwise_fairseq.predict import HEAD, load_model
from support.tiny.chain import ARCHITECTURE, HOSTILE, write_chain

LABELS = ["bad", "good", "neither"]


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return write_chain(tmp_path_factory.mktemp("chain"))


@pytest.fixture(scope="module")
def weights(chain):
    return load_checkpoint(chain.pretrained)["model"]


@pytest.fixture(scope="module")
def fairseq(chain):
    """The model in fairseq, with a head that has seen nothing."""
    model, _ = load_model(chain.pretrained, chain.binarized / "input0", "cpu")
    torch.manual_seed(0)
    model.register_classification_head(HEAD, num_classes=3)
    for parameter in model.classification_heads.parameters():
        torch.nn.init.normal_(parameter)
    return model.eval()


@pytest.fixture(scope="module")
def tokens(chain):
    """All test texts, padded, the empty one and the cut ones among them."""
    texts = [
        torch.tensor([BOS_ID, *t.tolist()]) for t in read_texts(chain.binarized / "input0/test")
    ]
    return torch.nn.utils.rnn.pad_sequence(texts, batch_first=True, padding_value=PAD_ID)


@torch.inference_mode()
def test_masked_language_model_gives_fairseqs_logits(weights, fairseq, tokens):
    model = conversion.build_model(weights, ARCHITECTURE, labels=None, source="model.pt")
    ours = model(tokens, attention_mask=tokens.ne(PAD_ID).long()).logits
    theirs, _ = fairseq(tokens)
    there = tokens.ne(PAD_ID)
    assert theirs[there].std() > 0.5
    torch.testing.assert_close(ours[there], theirs[there], atol=1e-4, rtol=0)
    # The comparison can fail: dropping one layer norm's bias is seen.
    spoilt = dict(weights)
    name = "encoder.sentence_encoder.layers.1.final_layer_norm.bias"
    spoilt[name] = weights[name] + 0.01
    other = conversion.build_model(spoilt, ARCHITECTURE, labels=None, source="model.pt")
    difference = other(tokens, attention_mask=there.long()).logits[there] - theirs[there]
    assert difference.abs().max() > 1e-3


@torch.inference_mode()
def test_classifier_gives_fairseqs_logits_under_the_labels_names(fairseq, tokens):
    model = conversion.build_model(fairseq.state_dict(), ARCHITECTURE, LABELS, source="model.pt")
    ours = model(tokens, attention_mask=tokens.ne(PAD_ID).long()).logits
    theirs, _ = fairseq(tokens, features_only=True, classification_head_name=HEAD)
    assert theirs.std() > 0.5
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)
    assert model.config.id2label == {0: "bad", 1: "good", 2: "neither"}
    assert model.config.label2id == {"bad": 0, "good": 1, "neither": 2}
    assert model.config.num_labels == 3


def test_dropout_is_the_architectures():
    config = conversion.roberta_config(
        ARCHITECTURE | {"dropout": 0.2, "attention_dropout": 0.3, "pooler_dropout": 0.4}, None
    )
    assert config.hidden_dropout_prob == 0.2
    assert config.attention_probs_dropout_prob == 0.3
    assert config.classifier_dropout == 0.4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"layers": 3}, "model.pt: not of the configured architecture; missing: roberta.encoder"),
        ({"layers": 1}, "model.pt: not of the configured architecture; not expected: roberta.enco"),
        ({"ffn_dim": 64}, "intermediate.dense.* has the shape .*48.*, but the configured .*64"),
        ({"vocab_size": 200}, "model.pt: .*has the shape .*160"),
    ],
)
def test_another_architecture_is_one_message(weights, change, said):
    with pytest.raises(UserError, match=said):
        conversion.build_model(weights, ARCHITECTURE | change, labels=None, source="model.pt")


@pytest.fixture(scope="module")
def tokenizer(chain, tmp_path_factory):
    """The tokenizer, saved and read back by its users' way."""
    folder = tmp_path_factory.mktemp("folder")
    built = conversion.build_tokenizer(
        chain.tokens / "sentencepiece.bpe.model",
        chain.tokens / "dict.txt",
        ARCHITECTURE["max_positions"],
    )
    built.save_pretrained(folder)
    conversion.roberta_config(ARCHITECTURE, LABELS).save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_tokenizer_yields_fairseqs_ids_for_all_texts(chain, tokenizer, split):
    texts = [record["text"] for record in read_jsonl(chain.data / f"{split}.jsonl")]
    ids = tokenizer(texts, truncation=True)["input_ids"]
    expected = [[BOS_ID, *t.tolist()] for t in read_texts(chain.binarized / "input0" / split)]
    assert ids == expected
    assert max(map(len, ids)) == ARCHITECTURE["max_positions"]


def test_special_tokens_in_a_text_are_text(tokenizer):
    ids = tokenizer(HOSTILE[-1])["input_ids"]
    special = {tokenizer.mask_token_id, tokenizer.pad_token_id, tokenizer.eos_token_id}
    assert not special & set(ids[1:-1])
    assert tokenizer.mask_token_id == ARCHITECTURE["vocab_size"] - 1
