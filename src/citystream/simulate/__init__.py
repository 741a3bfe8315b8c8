"""Synthetic cities in each publisher's own format, and a local portal that serves them and misbehaves on demand.

Nothing in here is about a real person or a real incident: names of types, codes and districts are the
publishers' own, everything else is invented and follows from a seed.
"""
