"""`python -m doorward` is the `doorward` command."""

from doorward.cli import main

main()
