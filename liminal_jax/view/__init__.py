"""Where text goes, figures as files, and the page of sliders."""
