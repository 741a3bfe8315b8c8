"""What pushes instead of being asked: topics of brokers, read as portals are."""
