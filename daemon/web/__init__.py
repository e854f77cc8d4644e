"""What people and programs see over HTTP: the JSON API, its events, health. It reads the store and asks `app`."""
