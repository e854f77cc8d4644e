"""What a call is, whatever PBX carries it. Pure: no I/O, no clock, no randomness, no logging."""
