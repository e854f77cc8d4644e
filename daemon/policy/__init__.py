"""What should happen because of a call. One pure function a file; every branch ends in a named reason."""
