"""`python -m allswell`."""

import sys

from allswell.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
