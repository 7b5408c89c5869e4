"""What `make study` writes: sizes that fit a machine, a published encoder, the commented page."""
