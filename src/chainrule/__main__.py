"""``python -m chainrule`` and the command ``chainrule``."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        from chainrule.cli import run
    except KeyboardInterrupt:
        sys.exit(130)
    code = run(sys.argv[1:])
    gc.freeze()  # else the process would look through all its objects once more, a twentieth of a second, and then end
    sys.exit(code)


if __name__ == "__main__":
    main()
