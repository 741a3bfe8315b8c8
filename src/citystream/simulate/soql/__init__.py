"""The part of SoQL that the simulated portal understands: text -> tokens -> tree -> SQL with bound parameters."""
