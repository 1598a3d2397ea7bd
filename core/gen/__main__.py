"""`python -m gen`, for launchers that take a module."""

import sys

from gen.cli import main

if __name__ == "__main__":
    sys.exit(main())
