"""Ways of searching a study for its best design: ours, its parts, and other people's."""
