"""Start the app: `python -m ui.serve`, with Streamlit's own options.

What every page needs is imported before the server opens, so that the first visitor does not wait
for it.
"""

import importlib
import sys

from streamlit.web import cli

_NEEDED = ("causalmix_core.experiment.workspace", "plotly.graph_objects")


def main() -> None:
    """Import what is needed and hand over to Streamlit."""
    for module in _NEEDED:
        importlib.import_module(module)
    sys.argv = ["streamlit", "run", "app.py", *sys.argv[1:]]
    sys.exit(cli.main())


if __name__ == "__main__":
    main()
