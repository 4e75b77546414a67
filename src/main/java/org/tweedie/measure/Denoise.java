// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.util.List;
import java.util.Map;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/** The identity A x = x, where noise is the only degradation: {@code denoise}. */
public record Denoise() implements LinearOperator {
    @Override
    public String spec() {
        return "denoise";
    }

    @Override
    public Shape outShape(Shape image) {
        return image;
    }

    @Override
    public Value apply(Tracer t, Value x) {
        return x;
    }

    @Override
    public Value adjoint(Tracer t, Value y, Shape image) {
        return y;
    }

    @Override
    public Tensor start(Tensor y) {
        return y;
    }

    /** Returns the residual itself. */
    @Override
    public Tensor extend(Tensor residual) {
        return residual;
    }

    /** The tasks that name this operator. */
    static final class Family implements OperatorFamily {
        @Override
        public String name() {
            return "denoise";
        }

        @Override
        public List<String> grammar() {
            return List.of("denoise");
        }

        @Override
        public List<String> examples() {
            return List.of("denoise");
        }

        @Override
        public String help() {
            return "The picture is only noisy.";
        }

        @Override
        public MeasurementOperator parse(Task task, Shape image, long seed, Map<String, Tensor> stored) {
            task.requireCount(0, 0);
            return new Denoise();
        }
    }
}
