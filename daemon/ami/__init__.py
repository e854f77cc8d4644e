"""Asterisk: its manager interface spoken and understood. Only this package may know how an AMI message looks."""
