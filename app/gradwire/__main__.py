"""`python -m gradwire` is the console command."""

import sys

from gradwire.cli import main

sys.exit(main())
