"""Published rates of one user on real systems, and the facts that each leaves out."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from liminal_jax.data.names import model_named, system_named
from liminal_jax.data.tables import read_table
from liminal_jax.laws.speculation import MOST_DRAFTS

FILE = Path(__file__).parent / "records.csv"
"""Records up to November 2026, each with its source and how reliable that is (A best, D worst)."""

CEILING = 6.3
"""Most tokens of a step that lossless speculation is published to reach: code, MiMo UltraSpeed with
DFlash (TileRT, README, 2026)."""

_NOTHING = {"", "-", "?", "n/a", "none", "unknown", "not stated"}
_FACTS = ("system", "tp", "pp", "model_id", "weight_bits", "kv_bits", "context_tokens")


_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Count = Annotated[float, Field(ge=1, allow_inf_nan=False)]


class Rate(BaseModel):
    """One record.

    Attributes:
        name: Who measured what.
        model: The model, in the words of the source.
        tokens_per_s_user: The rate [1/s].
        speculative: How tokens were drafted; `no` where they were not.
        source: Where it is published.
        system: The system that it ran on, by its name here.
        tp: Ranks of tensor parallelism.
        pp: Stages.
        model_id: The model, by its name here.
        weight_bits: Bits of a weight, scales included.
        kv_bits: Bits of an element of the cache.
        context_tokens: Tokens of the context.
        tokens_per_step: Tokens that the user gains by a step.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str = ""
    model: str = ""
    tokens_per_s_user: _Positive | None = None
    speculative: str = ""
    source: str = ""
    system: str | None = None
    tp: _Count | None = None
    pp: _Count | None = None
    model_id: str | None = None
    weight_bits: _Positive | None = None
    kv_bits: _Positive | None = None
    context_tokens: _Count | None = None
    tokens_per_step: Annotated[_Count, Field(le=1 + MOST_DRAFTS)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_what_nobody_knows(cls, cells: dict[str, object]) -> dict[str, object]:
        """The cells that say something; `none` is said of speculation alone."""
        said = {it: str(cell).strip() for it, cell in cells.items() if cell is not None}
        return {
            it: cell
            for it, cell in said.items()
            if cell.lower() not in _NOTHING or (it, cell.lower()) == ("speculative", "none")
        }

    def tokens(self) -> float:
        """Tokens of a step: as stated, one without speculation, else the published ceiling."""
        alone = self.speculative.strip().lower() in ("no", "none")
        return self.tokens_per_step or (1.0 if alone else CEILING)

    def missing(self) -> list[str]:
        """The facts without which it cannot be modelled.

        Examples:
            >>> Rate(tokens_per_s_user=300, system="tpu-v9", tp=8, pp=1).missing()[:2]
            ['model_id', 'weight_bits']
        """
        facts = ("tokens_per_s_user", *_FACTS)
        found = [it for it in facts if getattr(self, it) is None]
        if self.system is not None and system_named(self.system) is None:
            found.append(f"numbers of the system {self.system}, which is not bundled")
        if self.model_id is not None and model_named(self.model_id) is None:
            found.append(f"the shape of {self.model_id}, which is not bundled")
        if "diffusion" in self.speculative.lower() and self.tokens_per_step is None:
            found.append("tokens_per_step of diffusion")
        return found


def load_rates(file: str | None = None) -> tuple[Rate, ...]:
    """The records of a file, in its order; those that come with the experiments by default.

    Raises:
        InputError: The file cannot be read, lacks columns, or a cell holds no possible value.
    """
    return read_table(file or FILE, Rate)
