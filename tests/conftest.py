import os

# Models this small are fastest on one thread. Before torch is imported.
os.environ["OMP_NUM_THREADS"] = "1"
