"""Many small symmetric systems at once: matrices (K, K, N), right sides (K, N), K a handful."""

import numpy as np

from pk.values.arrays import Bools, Floats


def solve(matrix: Floats, right: Floats) -> tuple[Floats, Bools]:
    """Solve small symmetric systems, all at once, by elimination without pivoting.

    Parameters
    ----------
    matrix : ndarray, shape (K, K, N)
    right : ndarray, shape (K, N), or (K, M, N) for M right sides each

    Returns
    -------
    solution : ndarray, as `right`
    sound : ndarray of bool, shape (N,)
        Whether the matrix is positive definite; where it is not, the solution means nothing.
    """
    k = right.shape[0]
    work = np.concatenate((matrix, right.reshape(k, -1, right.shape[-1])), axis=1)
    for j in range(k - 1):
        factor = work[j + 1 :, j] / work[j, j]
        work[j + 1 :, j + 1 :] -= factor[:, None] * work[j, j + 1 :]
    pivots = np.einsum("kkn->kn", work[:, :k])
    sound = np.all(pivots > 1e-14 * np.abs(np.einsum("kkn->kn", matrix)), axis=0)
    solution = work[:, k:]
    for j in range(k - 1, -1, -1):
        solution[j] /= work[j, j]
        if j:
            solution[:j] -= work[:j, j, None] * solution[j]
    return np.ascontiguousarray(solution).reshape(right.shape), sound


def downhill(hessian: Floats, scale: Floats, gradient: Floats) -> Floats:
    """Return hessian^-1 gradient with the absolute eigenvalues: downhill where the objective curves down too."""
    unit = 1.0 / np.sqrt(scale)
    scaled = np.moveaxis(hessian * unit[:, None] * unit, -1, 0)
    sizes, ways = np.linalg.eigh(np.where(np.isfinite(scaled), scaled, 0.0))
    sizes = np.maximum(np.abs(sizes), 1e-2)
    along = np.einsum("nji,jn->in", ways, unit * gradient) / sizes.T
    return np.asarray(unit * np.einsum("nji,in->jn", ways, along))


def damped(hessian: Floats, extra: Floats, held: Bools | None) -> Floats:
    """Return the Hessian with the extra on its diagonal, and nothing but 1 for a coordinate that is held."""
    out = hessian.copy()
    np.einsum("kkn->kn", out)[...] += extra
    if held is not None and held.any():
        out[held[:, None] | held[None]] = 0.0
        np.einsum("kkn->kn", out)[held] = 1.0
    return out
