"""Start or resume a pre-training from the command line."""

import argparse
from dataclasses import MISSING, fields
from pathlib import Path

from causalmix_core.foundation.pretraining.train import Settings, train


def main(arguments: list[str] | None = None) -> None:
    """Parse the settings and train."""
    parser = argparse.ArgumentParser(prog="causalmix_core.foundation.pretraining")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training state")
    for field in fields(Settings):
        if field.name != "out" and field.default is not MISSING:
            kind = int if field.name == "decay_from" else type(field.default)
            parser.add_argument(
                f"--{field.name.replace('_', '-')}", type=kind, default=field.default
            )
    train(Settings(**vars(parser.parse_args(arguments))))


if __name__ == "__main__":
    main()
