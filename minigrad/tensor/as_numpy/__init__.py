"""NumPy's functions, by their names and with their parameters, in minigrad's.

Values and gradients are those of minigrad's functions. Where NumPy means another thing by its defaults, NumPy's meaning
holds. How arguments become Tensors is in `minigrad.tensor.by_numpy`, which reads the annotations, as text.
"""
