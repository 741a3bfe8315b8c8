"""Connections to brokers: what logs, sources and sinks on the same broker share."""
