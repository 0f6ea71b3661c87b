"""The look of the page and its small parts."""
