"""Readers of the tape beside backward: drawings, programs, derivations, tables. No reader imports another."""
