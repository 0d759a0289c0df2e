"""`python -m gradrepl` is the command `gradrepl`."""

from gradrepl.app.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
