"""Somewhere outside that the tables are delivered to: one module for each kind."""
