"""`python -m webhook` is `medea`."""

from webhook.cli import main

main()
