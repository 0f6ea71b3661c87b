"""What a person sees: the steps at the left, the maps, and the page that holds both."""
