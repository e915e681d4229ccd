"""Mixers: how the tokens of a sequence meet. One file each, found where it lies.

A file holds the numbers of a mixer (`base.AbstractMixer`: what a token computes, reads and keeps),
what model files say of it (`base.MixerSpec`, which follows from them and counts exactly by the same
laws), what it reads of a config, and, where it brings its own, the `FAMILIES` and `WRAPPERS` that
have it.
"""
