"""The cloud as a process: its folder, its certificate, its children and its end."""
