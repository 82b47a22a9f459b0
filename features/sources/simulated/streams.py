"""Random streams: one per account and purpose, so that no part of the story disturbs another.

Kernels use xoshiro256++ (Blackman and Vigna 2021, "Scrambled linear pseudorandom number generators", ACM TOMS
47(4)), seeded through splitmix64 from a key of `numpy.random.SeedSequence` and the account's number. An account is
therefore the same whatever the block size, the threads, the other accounts, or what other streams draw.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile with numba: no GIL, cached on disk, typed as the plain function."""
    compiled = numba.njit(cache=True, nogil=True)(function)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] # numba's decorators are not typed
    return cast("Callable[P, R]", compiled)


class Stream(IntEnum):
    """What a random stream is for."""

    STORY = 0  # intents, people, sends, human touches, deals
    LATE = 1
    ARRIVAL = 2
    SENDS = 3
    INSTANTS = 4
    CALLS = 5
    SCANNERS = 6
    DEALS = 7
    JOURNEY = 8
    PROFILES = 9
    PHONES = 10
    CHANGES = 11
    DUPLICATES = 12
    MERGES = 13


@dataclass(frozen=True)
class Seeds:
    """All random streams of one simulation."""

    seed: int

    def key(self, stream: Stream) -> np.uint64:
        """Key of a stream that kernels split by account."""
        return np.random.SeedSequence(self.seed, spawn_key=(stream,)).generate_state(1, np.uint64)[0]

    def generator(self, stream: Stream, block: int) -> np.random.Generator:
        """Numpy generator of a stream for one block of accounts."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(stream, block)))


def part(function: Callable[P, R]) -> Callable[P, R]:
    """Compile as `kernel` does, for calls from kernels only: without a way in from Python this is faster."""
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    compiled = numba.njit(cache=True, nogil=True, **options)(function)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] # as above
    return cast("Callable[P, R]", compiled)


@part
def restart(state: NDArray[np.uint64], key: np.uint64, account: int) -> None:
    """Set the four words of `state` to the start of the account's stream (splitmix64)."""
    counter = np.uint64(key) ^ (np.uint64(account + 1) * np.uint64(0xD1342543DE82EF95))
    for word in range(4):
        counter += np.uint64(0x9E3779B97F4A7C15)
        mixed = counter
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state[word] = mixed ^ (mixed >> np.uint64(31))


@part
def uniform(state: NDArray[np.uint64]) -> float:
    """Next number in [0, 1) with 53 random bits (xoshiro256++)."""
    total = state[0] + state[3]
    result = ((total << np.uint64(23)) | (total >> np.uint64(41))) + state[0]
    shifted = state[1] << np.uint64(17)
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= shifted
    state[3] = (state[3] << np.uint64(45)) | (state[3] >> np.uint64(19))
    return float(result >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@part
def normal(state: NDArray[np.uint64]) -> float:
    """Next standard normal number (Box and Muller 1958)."""
    radius = np.sqrt(-2.0 * np.log(1.0 - uniform(state)))
    return radius * np.cos(2.0 * np.pi * uniform(state))


@part
def poisson(state: NDArray[np.uint64], mean: float) -> int:
    """Next Poisson count, by inversion in steps of at most 16 (sums of Poisson counts are Poisson)."""
    count = 0
    while mean > 0.0:
        step = min(mean, 16.0)
        mean -= step
        chance = np.exp(-step)
        left = uniform(state) - chance
        extra = 0
        while left >= 0.0 and chance > 0.0:
            extra += 1
            chance *= step / extra
            left -= chance
        count += extra
    return count


@part
def pick(state: NDArray[np.uint64], weights: NDArray[np.float64], total: float) -> int:
    """Index drawn in proportion to `weights`, whose sum is `total`."""
    left = uniform(state) * total
    last = 0
    for index in range(weights.size):
        if weights[index] > 0.0:
            last = index
            left -= weights[index]
            if left < 0.0:
                return index
    return last
