"""Between the session and the widgets: its feeds as Qt signals, its coroutines as tasks with one owner."""
