"""Files of measurements, as tools write them and in columns of our own: one reader a format."""
