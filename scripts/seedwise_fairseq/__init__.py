"""Seedwise's fairseq plugin, for `--user-dir`: a model, two tasks, an optimizer, all additions.

`seedwise_fairseq.launch` starts fairseq's command-line tools; nothing here edits fairseq.
"""

import logging
from pathlib import Path

from seedwise_fairseq import compatibility

compatibility.install()
# It recommends a package for speech whenever fairseq is imported.
logging.getLogger("fairseq.tasks.text_to_speech").setLevel(logging.WARNING)
# It logs a traceback for each attempt to save on a full disk, and then raises the error anyway.
logging.getLogger("fairseq.checkpoint_utils").addFilter(
    lambda record: not str(record.msg).startswith("Traceback")
)

USER_DIR = Path(__file__).parent

from seedwise_fairseq import criterion, model, optimizer, tasks  # noqa: E402, F401
