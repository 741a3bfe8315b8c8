"""Detectors on streams with known answers: bars of detection and false alarms."""
