"""Power and energy."""

from liminal_jax._arrays import Scalar


def activity_power(*, idle: Scalar, energy: Scalar, time: Scalar) -> Scalar:
    r"""Mean power of a machine that spends an energy in each period.

        power = idle + energy / time

    Args:
        idle: Power drawn whatever happens [W].
        energy: Energy of the activity of one period [J].
        time: Length of the period [s].

    Returns:
        Power [W].

    Examples:
        >>> activity_power(idle=1.0, energy=6.0, time=2.0)
        4.0
    """
    return idle + energy / time


def idle_power(*, dynamic: Scalar, idle_fraction: Scalar) -> Scalar:
    r"""Idle power of a chip of which idling is a share of the thermal design power.

        idle = dynamic idle_fraction / (1 - idle_fraction)

    Args:
        dynamic: Dynamic power of the heaviest load [W].
        idle_fraction: Idle power as a share of the power under that load.

    Returns:
        Power [W].

    Examples:
        >>> idle_power(dynamic=3.0, idle_fraction=0.25)
        1.0
    """
    return idle_fraction / (1 - idle_fraction) * dynamic


def arithmetic_energy(
    *, tdp: Scalar, idle: Scalar, memory_power: Scalar, throughput: Scalar
) -> Scalar:
    r"""Energy of one operation of a known chip that draws its TDP on large matrix products.

        energy = (tdp - idle - memory_power) / F

    Args:
        tdp: Thermal design power [W].
        idle: Idle power [W].
        memory_power: Power of the traffic to memory of such products [W].
        throughput: Rate F that the products sustain at the TDP [FLOP/s].

    Returns:
        Energy [J/FLOP], the data movement on the chip included; an upper bound where something
        other than power limits the rate.

    Examples:
        >>> arithmetic_energy(tdp=10.0, idle=1.0, memory_power=5.0, throughput=2.0)
        2.0
    """
    return (tdp - idle - memory_power) / throughput


def host_power(*, full: Scalar, idle_fraction: Scalar, activity: Scalar) -> Scalar:
    r"""Power of a server but for its chips and switches, which follows what its chips do.

        power = full (1 - (1 - idle_fraction) (1 - activity))

    Linear between idle and full use, as servers are on the whole: Fan, Weber and Barroso (2007),
    Power provisioning for a warehouse-sized computer, ISCA, section 4. At full activity it is
    that of full use exactly.

    Args:
        full: Power when the chips are at full use [W].
        idle_fraction: Power when they idle, as a share of that.
        activity: Dynamic power of the chips over that of their heaviest load, at most 1.

    Returns:
        Power [W].

    Examples:
        >>> host_power(full=8.0, idle_fraction=0.5, activity=0.5)
        6.0
    """
    return full * (1 - (1 - idle_fraction) * (1 - activity))
