"""`python -m causalmix_core` is the command line."""

import sys

from causalmix_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
