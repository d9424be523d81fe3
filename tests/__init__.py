"""Tests by behaviour, a folder each. `lab` is the laboratory; `end_to_end` runs on it, everything else anywhere."""
