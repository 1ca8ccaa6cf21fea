"""The main window: its docks and where they stand, its actions, and the bench that carries out what they ask."""
