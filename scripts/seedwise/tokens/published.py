"""The tokenizer of a published model, and fairseq's dictionary of its pieces."""

from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from seedwise.errors import UserError
from seedwise.files import read_json
from seedwise.tokens.vocabulary import FIRST_SYMBOLS, MASK

TOKENIZER, SETTINGS = FILES = ("tokenizer.json", "tokenizer_config.json")
"""What transformers writes for a tokenizer: pieces and rules, roles and limits."""

ROLES = ("cls_token", "pad_token", "sep_token", "unk_token", "mask_token")
"""What transformers calls fairseq's `<s> <pad> </s> <unk>` and `<mask>`."""


@dataclass(frozen=True)
class PublishedTokenizer:
    """A tokenizer of transformers' format.

    Attributes:
        tokenizer: Cuts a text into pieces, without adding special tokens.
        special: The id of each of the `ROLES`.
        max_positions: The longest sequence in tokens, special ones included.
    """

    tokenizer: Tokenizer
    special: tuple[int, ...]
    max_positions: int

    @classmethod
    def read(cls, folder: Path) -> "PublishedTokenizer":
        """Read the `FILES` in ``folder``, as transformers writes them.

        Raises:
            UserError: There is no ``tokenizer.json``, or a special token is missing.
        """
        if not (folder / TOKENIZER).is_file():
            raise UserError(
                f"{folder / TOKENIZER}: missing; with the engine fairseq, a published tokenizer "
                "must be one that transformers calls fast"
            )
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        settings = read_json(folder / SETTINGS)
        # What a text calls a special token is cut like any other word, if it is for transformers.
        tokenizer.encode_special_tokens = settings.get("split_special_tokens", False)
        special = []
        for role in ROLES:
            token = settings.get(role)
            token = token["content"] if isinstance(token, dict) else token
            number = None if token is None else tokenizer.token_to_id(token)
            if number is None or number in special:
                raise UserError(
                    f"{folder / SETTINGS}: {role} is {token!r}; the engine fairseq needs five "
                    f"different pieces as {', '.join(ROLES)}"
                )
            special.append(number)
        return cls(tokenizer, tuple(special), settings["model_max_length"])

    def fairseq_order(self, rows: int) -> list[int]:
        """Return this tokenizer's id of each of fairseq's ids, for an embedding of ``rows``.

        fairseq begins with `FIRST_SYMBOLS` and ends with `<mask>`; between them, pieces keep their
        order.
        """
        *first, mask = self.special
        rest = (number for number in range(rows) if number not in self.special)
        return [*first, *rest, mask]

    def pairs_as_fairseq(self) -> bool:
        """Return whether it writes pairs as fairseq reads them, ``<s> a </s></s> b </s>``.

        BERT's tokenizers tell the second text by its token type, which fairseq's RoBERTa lacks.
        """
        begin, _, end, *_ = self.special
        found = self.tokenizer.encode("", "")
        return found.ids == [begin, end, end, end] and not any(found.type_ids)

    def dictionary(self, rows: int) -> str:
        """Return ``dict.txt``: the piece and the count 1 a line, in the order of `fairseq_order`.

        fairseq separates by white space and wants each piece once: what does not fit, and a row
        without a piece, gets a name that stands for nothing.
        """
        order = self.fairseq_order(rows)[len(FIRST_SYMBOLS) : -1]
        pieces = [self.tokenizer.id_to_token(number) for number in order]
        taken = {*FIRST_SYMBOLS, MASK, *pieces}
        seen = {*FIRST_SYMBOLS, MASK}
        lines = []
        for number, piece in zip(order, pieces, strict=True):
            if piece is None or piece.split() != [piece] or piece in seen:
                piece = f"unnamed{number}"
                while piece in taken:
                    piece += "_"
            seen.add(piece)
            lines.append(f"{piece} 1\n")
        return "".join(lines)
