"""Our own heads, named for what they do, never for a task."""
