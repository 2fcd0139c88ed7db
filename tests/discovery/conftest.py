"""Tables and graphs that the tests of this room share."""

import sys
from pathlib import Path

# The helper module beside these tests is imported by name, whatever pytest's import mode.
sys.path.insert(0, str(Path(__file__).parent))
