"""The chat: one turn from the user's words to what was said, done and noticed."""
