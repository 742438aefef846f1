"""Readers of a tape other than backward: drawings now, programs later. They never know each other."""
