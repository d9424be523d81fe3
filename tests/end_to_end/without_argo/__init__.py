"""Where no Argo controller works at the front door, as with the hold `none`: these tests run beside each other only."""
