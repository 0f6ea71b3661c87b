"""Pages for a talk: posterior samples side by side, and means of ever more samples."""
