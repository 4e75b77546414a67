// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/** An operator that is not linear works with every solver that does not need its adjoint, and with the last step in pixels. */
class NonLinearTest {
    /** A curve of tones, y = x + x^3. */
    record Cubic() implements MeasurementOperator {
        @Override
        public String spec() {
            return "cubic";
        }

        @Override
        public Shape outShape(Shape image) {
            return image;
        }

        @Override
        public Value apply(Tracer t, Value x) {
            return t.add(x, t.mul(x, t.mul(x, x)));
        }

        @Override
        public Tensor start(Tensor y) {
            return y;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"stsl:steps=10,inner=3", "stsl:steps=10,inner=3,eta=0", "ldps:steps=20,rho=0.2,consistency=pixel",
            "resample:steps=30,autoencoder-variance=0",
            "latent-daps:steps=20,langevin=60,lr=1e-4,tau=0.07,consistency=pixel",
            "mmps:steps=20,consistency=pixel", "gml-dps:steps=20,rho=0.2,consistency=pixel",
            "ldir:steps=20,lr=0.2,consistency=pixel"})
    void theResidualReachesTheNoise(String solver) {
        Problem p = GaussianBed.problem(new ReferenceDevice(), MixturePrior.normal(0, 0.6), new Cubic(), 7);
        Restoration x = Solvers.of(solver).solve(p, Listener.NONE);
        assertTrue(x.residual() <= 1.0001, solver + ": residual " + x.residual() + " times the noise");
        Tensor truth = GaussianBed.truth();
        double squares = 0;
        for (int i = 0; i < truth.size(); i++) {
            squares += Math.pow(truth.get(i) - x.image().get(i), 2);
        }
        assertTrue(Math.sqrt(squares / truth.size()) < 2 * p.sigma(), solver + ": rms error "
                + Math.sqrt(squares / truth.size()));
    }
}
