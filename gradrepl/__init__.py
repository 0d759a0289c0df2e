"""gradrepl: a REPL that lets you see autograd."""

__version__ = "0.1.0"
