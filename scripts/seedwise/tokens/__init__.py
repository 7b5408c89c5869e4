"""From texts to numbered pieces: SentencePiece, dictionaries, fairseq's binary format."""
