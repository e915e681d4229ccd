"""From a die to USD per million tokens."""

import jax.numpy as jnp

from liminal_jax._arrays import Scalar

YEAR = 365.25 * 24 * 3600.0
"""Seconds of a year."""


def package_yield(*, bond_yield: Scalar, parts: Scalar, assembly_yield: Scalar) -> Scalar:
    r"""Share of the packages begun that pass.

        share = bond_yield^parts assembly_yield

    Args:
        bond_yield: Yield of bonding one part.
        parts: Dies and memory stacks.
        assembly_yield: Yield of the assembly.

    Returns:
        Share; a package that fails takes its known-good parts with it.

    References:
        Feng and Ma (2022), Chiplet Actuary, DAC, arXiv:2203.12268: dies that are bonded before
        their package is tested are divided by its yield, as the package is.

    Examples:
        >>> package_yield(bond_yield=0.5, parts=2.0, assembly_yield=0.5)
        0.125
    """
    return bond_yield**parts * assembly_yield


def known_good_cost(*, price: Scalar, package_yield: Scalar) -> Scalar:
    r"""Cost of known-good parts in a package that passes, those wasted in others included.

        cost = price / package_yield

    Args:
        price: Price of the parts of one package [USD].
        package_yield: Share of the packages that pass.

    Returns:
        Cost [USD].

    References:
        Feng and Ma (2022), Chiplet Actuary, DAC, arXiv:2203.12268.

    Examples:
        >>> known_good_cost(price=4.0, package_yield=0.5)
        8.0
    """
    return price / package_yield


def chip_price(
    *,
    logic: Scalar,
    memory: Scalar,
    package: Scalar,
    logic_margin: Scalar,
    memory_margin: Scalar,
    package_margin: Scalar,
) -> Scalar:
    r"""Price of a chip from the cost of its parts.

        price = logic_margin logic + memory_margin memory + package_margin package

    Args:
        logic: Cost of its logic [USD].
        memory: Cost of its memory [USD].
        package: Cost of its package [USD].
        logic_margin: Price over cost of logic.
        memory_margin: Price over cost of memory.
        package_margin: Price over cost of the package.

    Returns:
        Price [USD].

    Examples:
        >>> chip_price(
        ...     logic=1.0,
        ...     memory=2.0,
        ...     package=3.0,
        ...     logic_margin=10.0,
        ...     memory_margin=2.0,
        ...     package_margin=1.0,
        ... )
        17.0
    """
    return logic_margin * logic + memory_margin * memory + package_margin * package


def one_time_share(*, design_cost: Scalar, volume: Scalar) -> Scalar:
    r"""Part of the one-time cost of a design that each chip carries.

        share = design_cost / volume

    Args:
        design_cost: Cost of design, masks and verification [USD].
        volume: Chips that are made of it.

    Returns:
        Cost [USD].

    Examples:
        >>> one_time_share(design_cost=6.0, volume=2.0)
        3.0
    """
    return design_cost / volume


def capital_recovery(*, discount_rate: Scalar, lifetime: Scalar) -> Scalar:
    r"""Share of a capital that must be earned each year.

        share = discount_rate / (1 - (1 + discount_rate)^(-lifetime))
        share = 1 / lifetime at discount_rate = 0

    Args:
        discount_rate: Discount rate a year.
        lifetime: Years of use.

    Returns:
        Share a year.

    Examples:
        >>> round(float(capital_recovery(discount_rate=0.1, lifetime=4.0)), 3)
        0.315
        >>> float(capital_recovery(discount_rate=0.0, lifetime=4.0))
        0.25
    """
    free = jnp.asarray(discount_rate == 0)
    rate = jnp.where(free, 1.0, discount_rate)
    # The law to first order, so that the derivative at 0 is right too.
    near_0 = (1 + (lifetime + 1) / 2 * discount_rate) / lifetime
    return jnp.where(free, near_0, rate / (1 - (1 + rate) ** (-lifetime)))


def cost_rate(
    *, capital: Scalar, yearly_share: Scalar, year: Scalar, power: Scalar, energy_price: Scalar
) -> Scalar:
    r"""Cost of a system per second.

        rate = capital yearly_share / year + power energy_price

    Args:
        capital: Capital [USD].
        yearly_share: Share of it to be earned in a year.
        year: Length of a year [s].
        power: Power at the wall [W].
        energy_price: Price of energy [USD/J].

    Returns:
        Cost rate [USD/s].

    Examples:
        >>> cost_rate(capital=8.0, yearly_share=0.5, year=4.0, power=2.0, energy_price=0.5)
        2.0
    """
    return capital * yearly_share / year + power * energy_price
