"""Mixers: how the tokens of a sequence meet. One file each, found where it lies.

A file holds a specification (`base.MixerSpec`: what a model file says, counted exactly), its
arrays (`base.AbstractMixer`: what a token computes, reads and keeps), what it reads of a config,
and, where it brings its own, the `FAMILIES` and `WRAPPERS` that have it.
"""
