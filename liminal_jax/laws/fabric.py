"""Networks of many chips: tiers of switches, and links beyond the reach of copper."""

from liminal_jax._arrays import Scalar


def joined_chips(*, radix: Scalar, tiers: Scalar) -> Scalar:
    r"""Chips that a folded Clos network of some tiers joins at full bandwidth.

        n = 2 (radix/2)^tiers

    Every switch but those of the top tier has half of its ports down and half up.

    Args:
        radix: Ports of a switch.
        tiers: Tiers of switches.

    Returns:
        Chips n.

    References:
        Dally and Towles (2004), Principles and Practices of Interconnection Networks, chapter 6.

    Examples:
        >>> joined_chips(radix=72.0, tiers=1), joined_chips(radix=72.0, tiers=2)
        (72.0, 2592.0)
    """
    return 2 * (radix / 2) ** tiers


def leaf_chips(*, radix: Scalar, tiers: Scalar) -> Scalar:
    r"""Chips that reach each other within some tiers of a network that has more of them.

        n = (radix/2)^tiers

    Args:
        radix: Ports of a switch.
        tiers: Tiers of switches.

    Returns:
        Chips n.

    References:
        As `joined_chips`.

    Examples:
        >>> leaf_chips(radix=72.0, tiers=1)
        36.0
    """
    return (radix / 2) ** tiers


def switch_ports(*, tiers: Scalar) -> Scalar:
    r"""Switch ports for each port of a chip: one in the top tier, two in every other.

        ports = 2 tiers - 1

    Args:
        tiers: Tiers of switches.

    Returns:
        Ports.

    References:
        As `joined_chips`.

    Examples:
        >>> switch_ports(tiers=1), switch_ports(tiers=2)
        (1, 3)
    """
    return 2 * tiers - 1


def mesh_share_beyond(*, beyond: Scalar, links: Scalar) -> Scalar:
    r"""Share of a chip's links in a full mesh that lead out of its rack.

        share = beyond / links

    Args:
        beyond: Chips of the domain beyond the reach of copper, 0 if there are none.
        links: Links of a chip, one to every other chip of the domain.

    Returns:
        Share.

    References:
        Counted: one link to every other chip.

    Examples:
        >>> mesh_share_beyond(beyond=4.0, links=8.0)
        0.5
    """
    return beyond / links


def torus_share_beyond(*, reach: Scalar, dimensions: Scalar) -> Scalar:
    r"""Share of a chip's links in a torus that lead out of a block of chips.

        share = reach^(-1/dimensions)

    A line of chips through a block has as many links as the block is wide, one of which crosses
    its face.

    Args:
        reach: Chips of a block.
        dimensions: Dimensions of the torus.

    Returns:
        Share.

    References:
        Counted; the 4 x 4 x 4 blocks of TPU v4 have 96 optical links for 64 x 6 ends: Jouppi et
        al. (2023), TPU v4, ISCA, arXiv:2304.01433.

    Examples:
        >>> round(torus_share_beyond(reach=64.0, dimensions=3.0), 12)
        0.25
    """
    return reach ** (-1 / dimensions)
