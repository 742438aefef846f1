"""The public functions: PyTorch's signatures and checks, over the tables in ``minigrad.ops``."""
