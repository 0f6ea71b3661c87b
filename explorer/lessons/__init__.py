"""Lessons: steps that set the choices of the page, and ask before they show."""
