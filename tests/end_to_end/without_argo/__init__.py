"""Tests for which no Argo controller works at the front door, as with the hold `none`: they run beside each other only."""
