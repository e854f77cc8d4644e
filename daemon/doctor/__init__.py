"""The doctor: looks at the whole installation and says in plain words what is wrong, why it matters and what to do.

Only the wiring and the commands know it. It changes nothing, not on the PBX and not in the store.
"""
