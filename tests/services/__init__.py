"""Real servers for tests, started from what the machine has, one of each for a test process."""
