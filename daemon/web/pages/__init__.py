"""Pages for people: what they read is made here, what they change goes through the same JSON API as programs'."""
