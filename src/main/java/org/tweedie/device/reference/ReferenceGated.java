// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.reference;

import org.tweedie.program.op.Fn;

/** Computes the gated unit y = a gelu(b) for x = [a, b] [..,2C], its pull-back and its push-forward, element by element. */
final class ReferenceGated {
    private ReferenceGated() {}

    private interface Body {
        /** @param a, b offsets in x of the halves of one pair; @param i offset of its result */
        void run(int a, int b, int i);
    }

    private static void eachPair(Array x, Body body) {
        int c = x.dim(-1) / 2;
        for (int i = 0; i < x.size() / 2; i++) {
            int a = i / c * 2 * c + i % c;
            body.run(a, a + c, i);
        }
    }

    static void forward(Array x, Array y) {
        eachPair(x, (a, b, i) -> y.data()[i] = x.data()[a] * Fn.GELU.at(0, x.data()[b]));
    }

    static void vjp(Array x, Array dy, Array dx) {
        eachPair(x, (a, b, i) -> {
            dx.data()[a] = dy.data()[i] * Fn.GELU.at(0, x.data()[b]);
            dx.data()[b] = dy.data()[i] * x.data()[a] * Fn.GELU.at(1, x.data()[b]);
        });
    }

    static void jvp(Array x, Array tx, Array ty) {
        eachPair(x, (a, b, i) -> {
            double throughA = tx.data()[a] * Fn.GELU.at(0, x.data()[b]);
            ty.data()[i] = throughA + x.data()[a] * Fn.GELU.at(1, x.data()[b]) * tx.data()[b];
        });
    }
}
