"""What tests of several rooms share: objects to decide about, and clusters that fail as told."""
