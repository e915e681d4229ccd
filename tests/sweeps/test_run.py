"""What is left to do: each block once, whatever is taken back."""

from liminal_jax.sweeps.run import BlockQueue, BlockRange


def test_what_was_not_done_comes_first_and_nothing_twice():
    every = [BlockRange(case, 0, first, 2) for case in (0, 1) for first in range(0, 10, 2)]
    left, seen = BlockQueue(iter(every)), []
    while (block_range := left.next()) is not None:
        group = left.taken(block_range.case, 3)
        assert {it.case for it in group} == {block_range.case}
        done = [
            it._replace(blocks=1) if it.first % 4 == 0 and it.blocks == 2 else it for it in group
        ]
        rest = [
            it._replace(first=it.first + 1, blocks=1)
            for it, part in zip(group, done, strict=True)
            if part.blocks < it.blocks
        ]
        left.put_back(rest)
        if rest:
            assert left.next() == rest[0]
        seen += [(it.case, it.first + k) for it in done for k in range(it.blocks)]
    assert sorted(seen) == [(case, first) for case in (0, 1) for first in range(10)]


def test_a_sweep_of_any_size_is_begun_at_once():
    def endless():
        first = 0
        while True:
            yield BlockRange(0, 0, first, 1)
            first += 1

    left = BlockQueue(endless())
    assert [it.first for it in left.taken(0, 4)] == [0, 1, 2, 3]
    assert left.taken(1, 4) == []
