// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.util.Map;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.device.cpu.CpuDevice;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.Vjp;

/** Runs operators on the reference device, in double, or on the CPU device. */
final class Run {
    private interface Body {
        Value emit(Tracer t, Value in);
    }

    private Run() {}

    static Tensor apply(MeasurementOperator a, Tensor x) {
        return run(x, (t, v) -> a.apply(t, v));
    }

    static Tensor adjoint(LinearOperator a, Tensor y, Shape image) {
        return run(y, (t, v) -> a.adjoint(t, v, image));
    }

    /** Returns the pull-back of y through apply at 0. */
    static Tensor pullBack(MeasurementOperator a, Tensor y, Shape image) {
        return run(y, (t, v) -> {
            Value x = t.scale(t.zeros(image), 1);
            return Vjp.pull(t, Map.of(a.apply(t, x), v), x)[0];
        });
    }

    static Tensor residual(MeasurementOperator a, Tensor y, Tensor x) {
        return run(y, (t, v) -> a.residual(t, v, t.constant("x", x)));
    }

    static Tensor applyOnCpu(MeasurementOperator a, Tensor x) {
        return run(new CpuDevice(1), x, (t, v) -> a.apply(t, v));
    }

    static Tensor adjointOnCpu(LinearOperator a, Tensor y, Shape image) {
        return run(new CpuDevice(1), y, (t, v) -> a.adjoint(t, v, image));
    }

    private static Tensor run(Tensor in, Body body) {
        return run(new ReferenceDevice(), in, body);
    }

    private static Tensor run(Device opened, Tensor in, Body body) {
        Tracer t = new Tracer("test");
        t.output("out", body.emit(t, t.input("in", Type.real(in.shape()))));
        try (Device device = opened; Executable e = device.compile(t.finish())) {
            return e.run(Map.of("in", in)).get("out");
        }
    }

    static Tensor noise(Shape shape, long seed) {
        return new Philox(seed, Philox.Stream.NOISE).normals(0, shape);
    }

    static double dot(Tensor a, Tensor b) {
        double sum = 0;
        for (long i = 0; i < a.size(); i++) {
            sum += a.get(i) * b.get(i);
        }
        return sum;
    }

    /** Returns |a - b| / |b|. */
    static double distance(Tensor a, Tensor b) {
        double sum = 0;
        for (long i = 0; i < a.size(); i++) {
            sum += (a.get(i) - b.get(i)) * (a.get(i) - b.get(i));
        }
        return Math.sqrt(sum / dot(b, b));
    }
}
