"""Kernels: functions of NumPy arrays alone."""
