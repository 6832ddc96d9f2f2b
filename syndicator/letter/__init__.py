"""The newsletter: when an issue is due, what it tells, and how it reads."""
