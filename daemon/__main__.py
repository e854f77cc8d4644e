"""`python -m daemon` is the command `callwarden`."""

from daemon.cli import main

main()
