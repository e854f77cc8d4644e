"""`callwarden demo`: the real daemon between a simulated PBX and a little CRM, in one terminal."""
