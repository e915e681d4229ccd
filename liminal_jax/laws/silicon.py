"""Area, yield and price of dies."""

import jax.numpy as jnp

from liminal_jax._arrays import Scalar


def die_area(
    *, compute: Scalar, sram: Scalar, memory_interface: Scalar, links: Scalar, overhead: Scalar
) -> Scalar:
    r"""Area of a die from its parts.

        area = (compute + sram + memory_interface + links) / (1 - overhead)

    Args:
        compute: Area of the arithmetic cores [m^2].
        sram: Area of on-chip memory [m^2].
        memory_interface: Area of memory PHYs and controllers [m^2].
        links: Area of link PHYs and controllers [m^2].
        overhead: Share of the die for crossbar, control and the rest.

    Returns:
        Area of the die [m^2].

    References:
        Zhang et al. (2024), LLMCompass, ISCA, whose A100 floorplan gives the overhead.

    Examples:
        >>> die_area(compute=2.0, sram=0.5, memory_interface=0.25, links=0.25, overhead=0.25)
        4.0
    """
    return (compute + sram + memory_interface + links) / (1 - overhead)


def dies_per_wafer(*, area: Scalar, diameter: Scalar, edge: Scalar, scribe: Scalar) -> Scalar:
    r"""Whole dies on a round wafer, the loss at the edge included.

        stepped = area + 2 scribe sqrt(area) + scribe^2
        dies = pi (diameter/2 - edge)^2 / stepped - pi (diameter - 2 edge) / sqrt(2 stepped)

    Args:
        area: Area of a die [m^2].
        diameter: Diameter of the wafer [m].
        edge: Width of the unused rim [m].
        scribe: Width of a scribe line [m].

    Returns:
        Dies, relaxed to a real number.

    References:
        Feng and Ma (2022), Chiplet Actuary, DAC, arXiv:2203.12268.

    Examples:
        >>> from math import pi
        >>> round(float(dies_per_wafer(area=2.0, diameter=20.0, edge=0.0, scribe=0.0) / pi), 6)
        40.0
    """
    stepped = area + 2 * scribe * jnp.sqrt(area) + scribe**2
    gross = jnp.pi * (diameter * 0.5 - edge) ** 2 / stepped
    return gross - jnp.pi * (diameter - 2 * edge) / jnp.sqrt(2 * stepped)


def die_yield(
    *, area: Scalar, defect_density: Scalar, critical_fraction: Scalar, clustering: Scalar
) -> Scalar:
    r"""Share of dies that can be sold, by the negative binomial law.

        yield = (1 + critical_fraction area defect_density / clustering)^(-clustering)

    Args:
        area: Area of a die [m^2].
        defect_density: Defects [1/m^2].
        critical_fraction: Share of the area in which a defect kills, redundancy counted.
        clustering: Clustering of defects, the larger the less they cluster.

    Returns:
        Yield between 0 and 1.

    References:
        Stapper (1989); form and ranges as in Feng and Ma (2022), Chiplet Actuary.

    Examples:
        >>> die_yield(area=2.0, defect_density=1.0, critical_fraction=0.5, clustering=1.0)
        0.5
    """
    return (1 + critical_fraction * area * defect_density / clustering) ** (-clustering)
