// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import java.util.ArrayList;
import java.util.List;
import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.RealMatrix;
import org.hipparchus.linear.SingularValueDecomposition;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * DiffStateGrad (arXiv 2410.03463, ICLR 2025): the projection of a gradient onto the low-rank subspace of a state, which
 * keeps a gradient step from adding structure that the state does not have. Each channel of a state [1,h,w,c] is an
 * h x w matrix with a singular value decomposition of its own:
 *
 * <pre>
 * state = U S V^T;   rank = the smallest number of leading s_i whose squares sum to variance |state|^2 or more
 * project(g) = U U^T g V V^T,   with the leading columns of U and V
 * </pre>
 *
 * <p>The published code uses one rank for all channels, which it computes from the singular values of all channels in a row;
 * here each channel has the rank that explains the fraction.
 */
public final class StateProjection {
    /** The leading left and right singular vectors of one channel: h x rank and w x rank. */
    private record Subspace(RealMatrix u, RealMatrix v) {
        RealMatrix project(RealMatrix g) {
            RealMatrix inner = u.transpose().multiply(g).multiply(v); // rank x rank
            return u.multiply(inner).multiply(v.transpose());
        }
    }

    private final Shape shape;
    private final List<Subspace> channels;

    private StateProjection(Shape shape, List<Subspace> channels) {
        this.shape = shape;
        this.channels = channels;
    }

    /**
     * Decomposes a state.
     *
     * @param state a latent or a picture [1,h,w,c], which is finite
     * @param variance the fraction of each channel's squared norm that the subspace explains; 1 gives the identity, without
     *         a decomposition
     */
    public static StateProjection of(Tensor state, double variance) {
        if (!(variance > 0 && variance <= 1)) {
            throw new IllegalArgumentException("state variance: expected a fraction above 0 and at most 1, got " + variance);
        }
        List<Subspace> channels = new ArrayList<>();
        for (int c = 0; variance < 1 && c < state.shape().dim(3); c++) {
            channels.add(leading(channel(state, c), variance));
        }
        return new StateProjection(state.shape(), channels);
    }

    private static Subspace leading(RealMatrix state, double variance) {
        SingularValueDecomposition svd = new SingularValueDecomposition(state);
        double[] s = svd.getSingularValues(); // largest first
        double total = 0;
        for (double value : s) {
            total += value * value;
        }
        int rank = 1;
        double explained = s[0] * s[0];
        while (explained < variance * total && rank < s.length) {
            explained += s[rank] * s[rank];
            rank++;
        }
        return new Subspace(svd.getU().getSubMatrix(0, state.getRowDimension() - 1, 0, rank - 1),
                svd.getV().getSubMatrix(0, state.getColumnDimension() - 1, 0, rank - 1));
    }

    /** Returns the projection of a gradient of the state's shape. With variance 1 it is the gradient itself. */
    public Tensor project(Tensor g) {
        if (!g.shape().equals(shape)) {
            throw new IllegalArgumentException("state projection: expected a gradient of the state's shape " + shape + ", got "
                    + g.shape());
        }
        if (channels.isEmpty()) {
            return g;
        }
        double[] out = new double[Math.toIntExact(g.size())];
        int depth = channels.size();
        int width = shape.dim(2);
        for (int c = 0; c < depth; c++) {
            RealMatrix projected = channels.get(c).project(channel(g, c));
            for (int i = c; i < out.length; i += depth) {
                int pixel = i / depth;
                out[i] = projected.getEntry(pixel / width, pixel % width);
            }
        }
        return Tensor.of(shape, out);
    }

    /** Returns one channel of a tensor [1,h,w,c] as a matrix h x w. */
    private static RealMatrix channel(Tensor x, int c) {
        int height = x.shape().dim(1);
        int width = x.shape().dim(2);
        int depth = x.shape().dim(3);
        double[][] rows = new double[height][width];
        for (int i = 0; i < height; i++) {
            for (int j = 0; j < width; j++) {
                rows[i][j] = x.get(((long) i * width + j) * depth + c);
            }
        }
        return new Array2DRowRealMatrix(rows, false);
    }
}
