"""What every script here has: `--json`, progress for who waits, and the figures in the end."""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any


def arguments(description: str | None) -> argparse.ArgumentParser:
    """A parser to add a script's own options to."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="one line of JSON, without indentation")
    return parser


def say(text: str) -> None:
    """Tell what is being done, on stderr."""
    print(text, file=sys.stderr, flush=True)


def show(figures: Mapping[str, Any], options: argparse.Namespace) -> None:
    """Print the figures as JSON, as `options` say."""
    print(json.dumps(figures, indent=None if options.json else 2))
