"""Alerts told to people, each once: what is told (`wording`, `wanted`), where (`webhook`, `atom`, `services`), when
(`quiet`, `courier`), and what was told already (`ledger`).
"""
