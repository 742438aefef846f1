"""Derivatives measured, compared and judged; knows NumPy and nothing else.

A `Problem` (`problem.py`) is a function at a point and a claimed derivative of it.  `examine.py` measures the
derivative by central differences (`measure.py`), compares every element or random projections with what is claimed
(`compare.py`), and gives a verdict (`kinds.py`) on what differs (`judge.py`, with the causes that `causes.py` tries).
"""
