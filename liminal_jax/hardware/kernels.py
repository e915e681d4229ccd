"""Overhead of the kernels of a collectives library, in addition to the network."""

from typing import NamedTuple


class Kernels(NamedTuple):
    """Times that each collective takes more than its network's own latency: launch, handshakes.

    Attributes:
        one_shot: Of an all-reduce in which every chip sends everything to every other [s].
        two_shot: Of an all-reduce as reduce-scatter and all-gather [s].
        all_to_all: Of a dispatch or a combine of tokens [s].
        send: Of passing a message on to a neighbour [s].
    """

    one_shot: float
    two_shot: float
    all_to_all: float
    send: float


NONE = Kernels(one_shot=0.0, two_shot=0.0, all_to_all=0.0, send=0.0)
"""Nothing but the network."""

LIBRARY = Kernels(one_shot=2.8e-6, two_shot=9.4e-6, all_to_all=22e-6, send=4.9e-6)
"""Kernels as libraries have them, in the middle of what was published.

One shot: 1.7 us on H100 and 3.9 on B300 (vLLM pull requests 24111 and 37756), 2.7 on MI355X (vLLM
issue 39080), 2.8 on A100 (microsoft/mscclpp), 7.7 on GB200 with a norm fused in (tokenspeed issue
860). Two shots: 7 to 13 us on H200, H100 and B300 (the same, and vLLM pull request 42324).
All-to-all: 16 us of a dispatch and 28 of a combine on GB200 (TensorRT-LLM technical blog 18);
between nodes it comes within 9 % of DeepEP's figures for 16 to 256 chips. Send: 8.92 us between
two A100 (LLMCompass). Latency and volume are those of the systems' files, and are taken off.
"""
