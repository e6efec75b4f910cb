"""python -m ionctl.cli."""

import sys

from ionctl.cli.main import main

sys.exit(main())
