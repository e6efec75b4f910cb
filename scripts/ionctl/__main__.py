"""python -m ionctl."""

import sys

from ionctl.cli.main import main

sys.exit(main())
