"""How a long computation lives on a machine: devices, processes, signals, scratch, progress."""
