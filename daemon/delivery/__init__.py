"""Who outside is told: signed webhooks and popups from the stored outbox, at least once, to addresses we may reach."""
