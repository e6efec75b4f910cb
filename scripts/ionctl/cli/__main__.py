"""python -m ionctl.cli."""

import sys

from ionctl.loading import loading

with loading():
    from ionctl.cli.main import main

sys.exit(main())
