// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.weights.SafeTensors;

/**
 * Compares the operators with dense matrices in numpy that were checked against the DPS project's operators
 * (weights-tools/golden/operators.py).
 */
class OperatorGoldenTest {
    @ParameterizedTest
    @CsvSource({"sr:4,sr4", "sr:8,sr8", "blur:3,blur", "motion:61,motion"})
    void agreesWithTheGoldenValues(String task, String name) throws IOException {
        try (SafeTensors golden = SafeTensors.open(Path.of("src/test/resources/golden/operators.safetensors"))) {
            Tensor x = golden.tensor("image");
            Tensor kernel = golden.tensor("motion.kernel").reshape(1, 1, 61, 61);
            MeasurementOperator a = name.equals("motion") ? new MotionBlur(61, 0.5, kernel) : Operators.parse(task, x.shape(), 0);
            Tensor y = Run.apply(a, x);
            double tolerance = name.equals("motion") ? 1e-7 : 1e-13; // a kernel is used in single precision
            assertArrayEquals(golden.tensor(name).doubles(), y.doubles(), tolerance);
        }
    }

    /** Compares in single precision, on the CPU device that users run. */
    @ParameterizedTest
    @CsvSource({"sr:4", "sr:8", "blur:3", "motion:61", "inpaint:box", "inpaint:random:0.4", "denoise"})
    void theCpuDeviceAgrees(String task) {
        Shape image = Shape.of(2, 64, 48, 3);
        MeasurementOperator a = Operators.parse(task, image, 3);
        Tensor x = Run.noise(image, 1);
        Tensor y = Run.apply(a, x);
        double largest = Arrays.stream(y.doubles()).map(Math::abs).max().orElseThrow();
        assertArrayEquals(y.doubles(), Run.applyOnCpu(a, x).doubles(), 1e-5 * largest);
        Tensor c = Run.noise(y.shape(), 2);
        assertArrayEquals(Run.adjoint((LinearOperator) a, c, image).doubles(),
                Run.adjointOnCpu((LinearOperator) a, c, image).doubles(), 1e-5 * largest);
    }
}
