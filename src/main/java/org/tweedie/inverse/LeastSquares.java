// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * The linear combination of a few tensors w_j that is closest to a tensor r, computed on the host in double by orthogonalising
 * the w_j (modified Gram-Schmidt, twice, without normal equations).
 *
 * @param d the same combination of the tensors d_j that belong to the w_j
 * @param rest the norm of what is left of r
 * @param rank the number of w_j that were used; those that depend linearly on earlier ones were not
 */
public record LeastSquares(Tensor d, double rest, int rank) {
    /** A tensor depends on earlier ones if less than this fraction of it is left; the networks' numbers are F32 at best. */
    private static final double DEPENDENT = 1e-6;

    /**
     * Solves min_c |r - sum_j c_j w_j| and returns sum_j c_j d_j.
     *
     * @param w tensors of the shape of r, all finite
     * @param d as many tensors of the given shape
     */
    public static LeastSquares of(Tensor r, List<Tensor> w, List<Tensor> d, Shape shape) {
        Tensor sum = Tensor.of(shape, new double[Math.toIntExact(shape.size())]);
        Tensor rest = r;
        List<Tensor> units = new ArrayList<>();
        List<Tensor> moves = new ArrayList<>();
        for (int j = 0; j < w.size(); j++) {
            Tensor u = w.get(j);
            Tensor move = d.get(j);
            double before = Vectors.norm(u);
            for (int pass = 0; pass < 2; pass++) {
                for (int i = 0; i < units.size(); i++) {
                    double c = Vectors.dot(u, units.get(i));
                    u = Vectors.minus(u, units.get(i), c);
                    move = Vectors.minus(move, moves.get(i), c);
                }
            }
            double left = Vectors.norm(u);
            if (left <= DEPENDENT * before) {
                continue;
            }
            units.add(Vectors.scale(1 / left, u));
            moves.add(Vectors.scale(1 / left, move));
            double c = Vectors.dot(rest, units.getLast());
            rest = Vectors.minus(rest, units.getLast(), c);
            sum = Vectors.minus(sum, moves.getLast(), -c);
        }
        return new LeastSquares(sum, Vectors.norm(rest), units.size());
    }
}
