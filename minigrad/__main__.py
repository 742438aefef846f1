"""``python -m minigrad script.py [args]``: a script for PyTorch, run with minigrad in the place of ``torch``."""

from minigrad.standin.command import main

if __name__ == "__main__":
    main()
