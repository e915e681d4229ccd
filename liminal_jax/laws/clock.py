"""Clock and supply voltage of logic."""

from liminal_jax._arrays import Scalar


def supply_voltage(*, clock: Scalar, threshold: Scalar) -> Scalar:
    r"""Supply voltage over the nominal one that a clock needs.

        clock = (voltage - threshold) / (voltage (1 - threshold))
        voltage = threshold / (threshold + (1 - clock) (1 - threshold))

    The alpha-power law with an exponent of 1: carriers move at their saturated velocity, as in the
    short channels of today. At the nominal clock the voltage is 1 exactly.

    Args:
        clock: Clock over the nominal one.
        threshold: Threshold voltage over the nominal supply voltage, between 0 and 1.

    Returns:
        Voltage over the nominal one.

    References:
        Sakurai and Newton (1990), Alpha-power law MOSFET model and its applications to CMOS
        inverter delay and other formulas, IEEE Journal of Solid-State Circuits 25(2). Holds above
        the threshold, which was fitted to a table that spans 0.35 to 1 of the nominal clock.

    Examples:
        >>> supply_voltage(clock=0.5, threshold=0.5)
        0.6666666666666666
    """
    return threshold / (threshold + (1 - clock) * (1 - threshold))


def switching_energy(*, voltage: Scalar) -> Scalar:
    r"""Energy of an operation of logic over that at the nominal voltage.

        energy = voltage^2

    The charge of each node that switches is its capacitance times the voltage, and it falls through
    the voltage. Leakage is taken to fall in the same way: its current grows with the voltage too.

    Args:
        voltage: Supply voltage over the nominal one.

    Returns:
        Energy over the nominal one.

    Examples:
        >>> switching_energy(voltage=0.5)
        0.25
    """
    return voltage * voltage
