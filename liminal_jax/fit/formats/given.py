"""What the user says of a file that does not say it itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Given:
    """Statements that hold for every row of a file; None where nothing is said.

    Attributes:
        model: A bundled model, or the path of a config.json or model file.
        system: A bundled system, or the path of its file.
        engine: The inference engine.
        tp: Tensor-parallel ranks.
        pp: Pipeline stages.
        ep: Ranks over which experts are spread.
        weight_bits: Bits of a weight.
        kv_bits: Bits of a cached element.
        concurrency: Requests at once.
        isl: Tokens of a prompt.
        osl: Tokens of an answer.
    """

    model: str | None = None
    system: str | None = None
    engine: str | None = None
    tp: int | None = None
    pp: int | None = None
    ep: int | None = None
    weight_bits: float | None = None
    kv_bits: float | None = None
    concurrency: float | None = None
    isl: float | None = None
    osl: float | None = None
