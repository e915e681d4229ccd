"""Who does what: parallel degrees, what lies where, what is exchanged."""
