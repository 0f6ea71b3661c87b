"""The explorer as a page: ``panel serve apps/explorer.py`` (files to show: ``--args FILE …``)."""

import sys
from pathlib import Path

# The server puts this script's folder first on the path, where `explorer` would be this very
# file and not the package. Drop it before the import.
_HERE = Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _HERE]

if __name__ == "__main__":
    from explorer.__main__ import main

    main()
else:
    from explorer.app import page

    page(sys.argv[1:]).servable()
