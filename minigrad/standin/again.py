"""The main module of a process that a script started by "spawn": the script once more, with its ``torch``."""

from minigrad.standin.run import resume

if __name__ == "__mp_main__":
    resume(globals())
