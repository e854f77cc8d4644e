"""Callwarden: a daemon beside a call centre's PBX. Read `dispatch.py` first."""
