"""What is remembered: calls, tickets, the outbox, settings. One writer; every effect has a natural unique key."""
