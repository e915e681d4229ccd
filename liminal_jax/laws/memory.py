"""Capacity, bandwidth and cost of a memory stack, from its layers and its area."""

from liminal_jax._arrays import Scalar


def stack_capacity(*, layers: Scalar, areal_density: Scalar, footprint: Scalar) -> Scalar:
    r"""Capacity of a stack of equal layers.

        capacity = layers areal_density footprint

    Args:
        layers: Layers of memory, without the base die.
        areal_density: Capacity of an area of one layer, periphery included [B/m^2].
        footprint: Area of a layer [m^2].

    Returns:
        Capacity [B].

    References:
        Definition. HBM has 0.13 to 0.21 Gibit/mm2 a layer, planar DRAM 0.3 to 0.45, DRAM bonded
        face to face 0.09 to 0.12.

    Examples:
        >>> stack_capacity(layers=12.0, areal_density=2.0, footprint=0.5)
        12.0
    """
    return layers * areal_density * footprint


def stack_bandwidth(*, bandwidth_per_area: Scalar, footprint: Scalar) -> Scalar:
    r"""Bandwidth of a stack, whose layers share one interface over its footprint.

        bandwidth = bandwidth_per_area footprint

    Args:
        bandwidth_per_area: Bandwidth of an area of footprint [B/s/m^2].
        footprint: Area of a layer [m^2].

    Returns:
        Bandwidth [B/s].

    References:
        Definition. HBM has 4 to 24 GB/s/mm2, DRAM bonded to the logic die 19 to 45.

    Examples:
        >>> stack_bandwidth(bandwidth_per_area=3.0, footprint=2.0)
        6.0
    """
    return bandwidth_per_area * footprint


def stack_price(*, silicon_price: Scalar, layers: Scalar, footprint: Scalar) -> Scalar:
    r"""Price of a stack by the area of memory in it.

        price = silicon_price layers footprint

    Args:
        silicon_price: Price of an area of memory, its share of bonding, test and base die
            included [USD/m^2].
        layers: Layers of memory, without the base die.
        footprint: Area of a layer [m^2].

    Returns:
        Price [USD].

    References:
        A wafer has one price whatever is on it, so a memory of less density costs more a byte:
        37 USD for a GiB of bonded DRAM where HBM of the same silicon costs 16.

    Examples:
        >>> stack_price(silicon_price=0.5, layers=8.0, footprint=100.0)
        400.0
    """
    return silicon_price * layers * footprint
