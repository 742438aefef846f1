"""The tables of operations, by family. A record is declared once; every reader of the tape uses it."""
