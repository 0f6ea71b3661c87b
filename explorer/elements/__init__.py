"""From arrays to pictures: figures that are built once and sent new arrays."""
