"""What tools/flash does, one command a file."""
