"""Results of hundreds of MiB, by a command of its own."""
