"""One file per revision, named by its number. A released revision is never changed."""
