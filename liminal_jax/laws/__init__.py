"""One equation a function: pure arithmetic, units and sources in every docstring.

The equation of the whole model is `step_time.step_time`: T = max(T_compute, T_mem) + T_exposed.

A letter means the same in the equations of all laws:

    B       batch: users or tokens that pass together
    c       context: tokens that are attended to
    d       width of the model, that is of its residual stream
    h       heads
    g       KV heads
    d_h     width of a head, that of its key
    d_v     width of the value of a head, where it is another
    L       layers of the model
    E       routed experts of a layer
    k       experts chosen for a token
    n       chips
    W       memory bandwidth of a chip [B/s]
    F       rate of arithmetic of a chip [FLOP/s]
    alpha   latency of a collective [s]
    beta    bandwidth of a chip's links, one direction [B/s]
    T       time of a step, and its parts T_compute, T_mem and T_exposed [s]

Everything else is written out, with the name of the argument where it is one. A prime transposes a
vector.
"""
