"""What crosses from one instance to another: caches of prompts, and tokens between two parts."""

from liminal_jax._arrays import Scalar
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.performance.design import Assumptions
from liminal_jax.performance.memory_footprint import imbalance, memory_footprint
from liminal_jax.performance.operators import spread_of
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


def cache_sent(
    model: Model, request: Request, mapping: Mapping, users: Scalar, assumptions: Assumptions
) -> Scalar:
    """Cache, index and states of some users that the fullest chip of an instance holds [B].

    Each chip sends, or receives, what it holds; so all chips of the instance share the work.

    Args:
        model: The model.
        request: Precision; the context is what each user has cached.
        mapping: How the instance is spread.
        users: Users of one micro-batch.
        assumptions: Which laws are used.

    References:
        Patel et al. (2024), Splitwise, arXiv:2311.18677; Qin et al. (2024), Mooncake,
        arXiv:2407.00079: caches pass from machines of prompts to those of answers.
    """
    held = memory_footprint(model, request, mapping, users, assumptions).kept()
    layers = imbalance(model, mapping, assumptions.division, assumptions.relaxation)
    return layers * held / mapping.pp / mapping.chips()


def tokens_sent(
    model: Model, request: Request, mapping: Mapping, users: Scalar, assumptions: Assumptions
) -> Scalar:
    """Bytes of one token of each of some users that the fullest chip of a stage sends [B].

    The ranks that have a token share the work; each token crosses once.

    Args:
        model: The model, or a part of it.
        request: Precision of what is exchanged.
        mapping: How the instance is spread.
        users: Users of one micro-batch.
        assumptions: Which laws are used.
    """
    spread = spread_of(users, mapping, assumptions.collectives, assumptions.relaxation)
    message = request.message_bytes(users * model.hidden)
    return spread.sharing.users * message / mapping.stage_chips()
