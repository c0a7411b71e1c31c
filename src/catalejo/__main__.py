"""``python -m catalejo``."""

from catalejo.cli import main

main()
