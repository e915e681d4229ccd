"""From a die to USD per million tokens."""

from liminal_jax._arrays import Scalar

YEAR = 365.25 * 24 * 3600.0
"""Seconds of a year."""


def package_cost(
    *, wafer_price: Scalar, interposers: Scalar, bond_yield: Scalar, parts: Scalar
) -> Scalar:
    r"""Price of an interposer with its parts bonded to it.

        c = W / N / y^n

    Args:
        wafer_price: Price W of a processed interposer wafer [USD].
        interposers: Interposers N on a wafer.
        bond_yield: Yield y of bonding one part.
        parts: Dies and memory stacks n.

    Returns:
        Price [USD].

    References:
        Feng and Ma (2022), Chiplet Actuary, DAC, arXiv:2203.12268.

    Examples:
        >>> package_cost(wafer_price=8.0, interposers=2.0, bond_yield=0.5, parts=1.0)
        8.0
    """
    return wafer_price / interposers / bond_yield**parts


def chip_cost(
    *, dies: Scalar, memory: Scalar, package: Scalar, assembly_yield: Scalar, auxiliary: Scalar
) -> Scalar:
    r"""Manufacturing cost of a packaged chip.

        c = (c_dies + c_memory + c_package) / y + c_auxiliary

    Args:
        dies: Price of its good dies [USD].
        memory: Price of its memory stacks [USD].
        package: Price of interposer and bonding [USD].
        assembly_yield: Yield y of the assembly.
        auxiliary: Substrate, test, lid [USD].

    Returns:
        Cost [USD].

    References:
        Feng and Ma (2022), Chiplet Actuary, DAC, arXiv:2203.12268.

    Examples:
        >>> chip_cost(dies=1.0, memory=2.0, package=1.0, assembly_yield=0.5, auxiliary=1.0)
        9.0
    """
    return (dies + memory + package) / assembly_yield + auxiliary


def capital_recovery(*, discount_rate: Scalar, lifetime: Scalar) -> Scalar:
    r"""Share of a capital that must be earned each year.

        f = r / (1 - (1 + r)^(-n))

    Args:
        discount_rate: Discount rate r a year.
        lifetime: Years n of use.

    Returns:
        Share a year.

    Examples:
        >>> round(capital_recovery(discount_rate=0.1, lifetime=4.0), 3)
        0.315
    """
    return discount_rate / (1 - (1 + discount_rate) ** (-lifetime))


def cost_rate(
    *, capital: Scalar, yearly_share: Scalar, year: Scalar, power: Scalar, energy_price: Scalar
) -> Scalar:
    r"""What a system costs in a second.

        q = K f / t_year + P p

    Args:
        capital: Capital K [USD].
        yearly_share: Share f of it to be earned in a year.
        year: Length t_year of a year [s].
        power: Power P at the wall [W].
        energy_price: Price p of energy [USD/J].

    Returns:
        Cost rate [USD/s].

    Examples:
        >>> cost_rate(capital=8.0, yearly_share=0.5, year=4.0, power=2.0, energy_price=0.5)
        2.0
    """
    return capital * yearly_share / year + power * energy_price
