import os

from hypothesis import settings

# Models this small are fastest on one thread. Before torch is imported.
os.environ["OMP_NUM_THREADS"] = "1"

# How long an example takes says nothing on a busy machine.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")
